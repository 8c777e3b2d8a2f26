/**
 * Writes fixtures/feeds/binance-…/capture.ndjson: small captures of an invented market, in the shapes that the venue's
 * documents describe. Seeded, so the files can be made again; tests/lib/mocks/binance/fixture_capture_test.ts compares.
 * Every quote is the true top of the book at its id, so replaying a file must find no difference.
 */
import { Random } from "../lib/base/random.ts";

const INTERVALS = 320;
const LEVELS_A_SIDE = 120;
const START_MS = 1_793_628_600_000;
/** The snapshot is taken within this interval and arrives two intervals later, as over a slow line. */
const SNAPSHOT_INTERVAL = 5;

export type FixtureVenue = "binance-futures" | "binance-spot";

interface Format {
  is_futures: boolean;
  price_decimals: number;
  price_text_decimals: number;
  quantity_decimals: number;
  quantity_text_decimals: number;
}

const FORMATS: Record<FixtureVenue, Format> = {
  "binance-futures": {
    is_futures: true,
    price_decimals: 1,
    price_text_decimals: 2,
    quantity_decimals: 3,
    quantity_text_decimals: 3,
  },
  "binance-spot": {
    is_futures: false,
    price_decimals: 2,
    price_text_decimals: 8,
    quantity_decimals: 5,
    quantity_text_decimals: 8,
  },
};

/** Lines of `<local ns> <raw frame>`. */
export function makeFixtureCapture(venue: FixtureVenue): string {
  return new FixtureMarket(FORMATS[venue], new Random(`fixture:${venue}`)).lines();
}

class FixtureMarket {
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();
  readonly #lines: string[] = [];
  #id = 9_000_000_092;
  #last_sent_id = this.#id;
  #trade_id = 7_200_000_000;
  #ms = START_MS;
  #local_ns = BigInt(START_MS) * 1_000_000n;

  constructor(readonly format: Format, readonly random: Random) {
    const middle = 64_010 * 10 ** format.price_decimals;
    for (let i = 0; i < LEVELS_A_SIDE; i++) {
      this.#bids.set(middle - i * random.integer(1, 3) - 1, this.#lots());
      this.#asks.set(middle + i * random.integer(1, 3) + 1, this.#lots());
    }
  }

  lines(): string {
    let snapshot = "";
    for (let interval = 0; interval < INTERVALS; interval++) {
      const changed: [Set<number>, Set<number>] = [new Set(), new Set()];
      const first_id = this.#nextId();
      const changes = this.random.integer(2, 9);
      for (let i = 0; i < changes; i++) {
        this.#change(changed);
        if (interval === SNAPSHOT_INTERVAL && i === 0) snapshot = this.#snapshot();
        if (i < changes - 1) this.#nextId();
      }
      this.#pass(this.random.integer(5, 30));
      this.#depth(first_id, changed);
      if (interval === SNAPSHOT_INTERVAL + 2) this.#write(snapshot);
    }
    return this.#lines.join("\n") + "\n";
  }

  #lots(): number {
    return this.random.integer(1, 4_000);
  }
  /** Futures ids jump; spot ids follow one another. */
  #nextId(): number {
    return this.#id += this.format.is_futures ? this.random.integer(1, 40) : 1;
  }
  #pass(by_ms: number): void {
    this.#ms += by_ms;
    this.#local_ns += BigInt(by_ms) * 1_000_000n + BigInt(this.random.integer(1, 900_000));
  }
  #best(side: ReadonlyMap<number, number>): number {
    return side === this.#bids ? Math.max(...side.keys()) : Math.min(...side.keys());
  }
  #top(): string {
    const [bid, ask] = [this.#best(this.#bids), this.#best(this.#asks)];
    return [bid, this.#bids.get(bid), ask, this.#asks.get(ask)].join();
  }

  #change(changed: readonly [Set<number>, Set<number>]): void {
    const { random } = this;
    const before = this.#top();
    const is_bid = random.chance(0.5);
    const side = is_bid ? this.#bids : this.#asks;
    const inward = is_bid ? 1 : -1;
    const best = this.#best(side);
    const other_best = this.#best(is_bid ? this.#asks : this.#bids);
    const drawn = random.unit();
    let price = best - inward * Math.floor(random.exponential(8));
    if (drawn < 0.25 && side.size > LEVELS_A_SIDE / 2) {
      price = random.chance(0.4) ? best : random.pick([...side.keys()]);
      if (price === best) this.#trade(price, side.get(price)!, is_bid);
      side.delete(price);
    } else {
      if (drawn < 0.4) price = best + inward * random.integer(1, 4);
      if (inward * (other_best - price) <= 0) price = best;
      side.set(price, this.#lots());
    }
    changed[is_bid ? 0 : 1].add(price);
    if (this.#top() !== before) this.#quote();
  }

  /** `{"e":"depthUpdate","E":…,"T":…,"s":"BTCUSDT","ps":…,"st":1,"U":…,"u":…,"pu":…,"b":[["p","q"]],"a":[]}`; spot: no T, ps, st, pu */
  #depth(first_id: number, [bids, asks]: readonly [Set<number>, Set<number>]): void {
    const { is_futures } = this.format;
    const level = (side: ReadonlyMap<number, number>) => (price: number) => [
      this.#priceText(price),
      this.#quantityText(side.get(price) ?? 0),
    ];
    this.#stream(is_futures ? "depth@0ms" : "depth@100ms", {
      e: "depthUpdate",
      E: this.#ms + 2,
      ...(is_futures ? { T: this.#ms } : {}),
      s: "BTCUSDT",
      ...(is_futures ? { ps: "BTCUSDT", st: 1 } : {}),
      U: first_id,
      u: this.#id,
      ...(is_futures ? { pu: this.#last_sent_id } : {}),
      b: [...bids].sort((a, b) => a - b).map(level(this.#bids)),
      a: [...asks].sort((a, b) => a - b).map(level(this.#asks)),
    });
    this.#last_sent_id = this.#id;
  }
  /** `{"e":"bookTicker","u":…,"E":…,"T":…,"s":"BTCUSDT",…,"b":"…","B":"…","a":"…","A":"…"}`; spot: u, s, b, B, a, A only */
  #quote(): void {
    this.#pass(this.random.integer(0, 3));
    const { is_futures } = this.format;
    const [bid, ask] = [this.#best(this.#bids), this.#best(this.#asks)];
    this.#stream("bookTicker", {
      ...(is_futures ? { e: "bookTicker" } : {}),
      u: this.#id,
      ...(is_futures ? { E: this.#ms + 1, T: this.#ms } : {}),
      s: "BTCUSDT",
      ...(is_futures ? { ps: "BTCUSDT", st: 1 } : {}),
      b: this.#priceText(bid),
      B: this.#quantityText(this.#bids.get(bid)!),
      a: this.#priceText(ask),
      A: this.#quantityText(this.#asks.get(ask)!),
    });
  }
  /** `{"e":"trade","E":…,"T":…,"s":"BTCUSDT","t":…,"p":"…","q":"…","X":"MARKET","m":false}`; spot: `M` for `X` */
  #trade(price: number, lots: number, buyer_is_maker: boolean): void {
    this.#pass(this.random.integer(0, 3));
    const { is_futures } = this.format;
    this.#stream("trade", {
      e: "trade",
      E: this.#ms + 1,
      T: this.#ms,
      s: "BTCUSDT",
      t: ++this.#trade_id,
      p: this.#priceText(price),
      q: this.#quantityText(lots),
      ...(is_futures ? { X: "MARKET" } : {}),
      m: buyer_is_maker,
      ...(is_futures ? {} : { M: true }),
    });
  }
  /** `{"lastUpdateId":…,"E":…,"T":…,"bids":[["p","q"]],"asks":[…]}`; spot: no times */
  #snapshot(): string {
    const levels = (side: ReadonlyMap<number, number>, direction: 1 | -1) =>
      [...side].sort(([a], [b]) => direction * (a - b))
        .map(([price, lots]) => [this.#priceText(price), this.#quantityText(lots)]);
    return JSON.stringify({
      lastUpdateId: this.#id,
      ...(this.format.is_futures ? { E: this.#ms + 1, T: this.#ms } : {}),
      bids: levels(this.#bids, -1),
      asks: levels(this.#asks, 1),
    });
  }
  #stream(suffix: string, data: Record<string, unknown>): void {
    this.#write(`{"stream":"btcusdt@${suffix}","data":${JSON.stringify(data)}}`);
  }
  #write(frame: string): void {
    this.#local_ns += BigInt(this.random.integer(5_000, 90_000));
    this.#lines.push(`${this.#local_ns} ${frame}`);
  }
  #priceText(ticks: number): string {
    const { price_decimals, price_text_decimals } = this.format;
    return (ticks / 10 ** price_decimals).toFixed(price_text_decimals);
  }
  #quantityText(lots: number): string {
    const { quantity_decimals, quantity_text_decimals } = this.format;
    return (lots / 10 ** quantity_decimals).toFixed(quantity_text_decimals);
  }
}

if (import.meta.main) {
  for (const venue of ["binance-futures", "binance-spot"] as const) {
    const path = new URL(`../fixtures/feeds/${venue}/capture.ndjson`, import.meta.url);
    Deno.mkdirSync(new URL(".", path), { recursive: true });
    Deno.writeTextFileSync(path, makeFixtureCapture(venue));
  }
}
