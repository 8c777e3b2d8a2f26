/**
 * One simulated symbol in the venue's words: `{"e":"depthUpdate",…}`, bookTicker, trade. Ids: venue id = base + simulated
 * id × stride; the stride is 1 on spot (ids are contiguous) and 7 on futures (ids jump).
 */
import { EventBuffer, LEVEL, QUOTE } from "../../simulation/event_buffer.ts";
import type { SimulatedMarket } from "../../simulation/market.ts";
import { ASK, BID, type Side } from "../../simulation/side.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { ItemKind, TapeItem } from "./tape.ts";

const FUTURES_STRIDE = 7;

export class GeneratedSymbol {
  readonly #stride: number;
  readonly #is_futures: boolean;
  /** The venue's `u` of the last diff. */
  #last_id: number;
  readonly #rows = new EventBuffer();
  /** Levels changed since the last diff: side → price in ticks → quantity in lots. */
  readonly #changed: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  #first_change = 0;
  #last_change = 0;

  constructor(readonly market: SimulatedMarket, dialect: BinanceDialect, readonly base_id: number) {
    this.#is_futures = dialect.chains_by_previous_id;
    this.#stride = this.#is_futures ? FUTURES_STRIDE : 1;
    this.#last_id = this.#id(market.update_id);
  }

  /** `{"lastUpdateId":…,"E":…,"T":…,"bids":[["p","q"]],"asks":[…]}` */
  snapshot(at_ms: number): TapeItem {
    const times = this.#is_futures ? { E: Math.floor(at_ms), T: Math.floor(at_ms) } : {};
    const data = { lastUpdateId: this.#last_id, ...times, bids: this.#levels(BID), asks: this.#levels(ASK) };
    return this.#item("snapshot", "", at_ms, JSON.stringify(data));
  }

  /** Lets the market act up to `to_ms`: its quotes and trades as they came, then the diff, if anything changed. */
  advance(to_ms: number, items: TapeItem[]): void {
    for (let done = false; !done;) {
      this.#rows.clear();
      done = this.market.advance(to_ms, this.#rows);
      this.#read(items);
    }
    const [bids, asks] = this.#changed;
    if (bids.size + asks.size === 0) return;
    const previous_id = this.#last_id;
    this.#last_id = this.#id(this.#last_change);
    const ms = Math.floor(to_ms);
    const time = this.#is_futures ? `"T":${ms},` : "";
    const family = this.#is_futures ? `"ps":"${this.#symbol}","st":1,` : "";
    const chain = this.#is_futures ? `"pu":${previous_id},` : "";
    const data = `{"e":"depthUpdate","E":${ms},${time}"s":"${this.#symbol}",${family}` +
      `"U":${this.#id(this.#first_change)},"u":${this.#last_id},${chain}` +
      `"b":${JSON.stringify(this.#texts(bids))},"a":${JSON.stringify(this.#texts(asks))}}`;
    items.push(this.#item("depth", "depth@100ms", to_ms, data));
    bids.clear();
    asks.clear();
  }

  get #symbol(): string {
    return this.market.instrument.symbol;
  }
  #id(simulated: number): number {
    return this.base_id + simulated * this.#stride;
  }
  #item(kind: ItemKind, suffix: string, at_ms: number, data: string): TapeItem {
    return { kind, symbol: this.#symbol, suffix, at_us: at_ms * 1000, data };
  }
  #read(items: TapeItem[]): void {
    const rows = this.#rows;
    for (let row = 0; row < rows.size; row++) {
      const at_ms = rows.time_ms[row];
      if (rows.kind[row] === LEVEL) {
        const [bids, asks] = this.#changed;
        if (bids.size + asks.size === 0) this.#first_change = rows.id[row];
        this.#last_change = rows.id[row];
        this.#changed[rows.side[row] as Side].set(rows.price_ticks[row], rows.quantity_lots[row]);
      } else if (rows.kind[row] === QUOTE) {
        // The venue tells no best price of an empty side.
        if (rows.quantity_lots[row] === 0 || rows.askQuantityLots(row) === 0) continue;
        items.push(this.#item("quote", "bookTicker", at_ms, this.#quote(row, Math.floor(at_ms))));
      } else {
        items.push(this.#item("trade", "trade", at_ms, this.#trade(row, Math.floor(at_ms))));
      }
    }
  }
  /** `{"e":"bookTicker","u":…,"E":…,"T":…,"s":"BTCUSDT","b":"…","B":"…","a":"…","A":"…"}`; spot: no e, no times. */
  #quote(row: number, ms: number): string {
    const { instrument } = this.market;
    const rows = this.#rows;
    return JSON.stringify({
      ...(this.#is_futures ? { e: "bookTicker" } : {}),
      u: this.#id(rows.id[row]),
      ...(this.#is_futures ? { E: ms, T: ms } : {}),
      s: this.#symbol,
      ...(this.#is_futures ? { ps: this.#symbol, st: 1 } : {}),
      b: instrument.priceText(rows.price_ticks[row]),
      B: instrument.quantityText(rows.quantity_lots[row]),
      a: instrument.priceText(rows.askPriceTicks(row)),
      A: instrument.quantityText(rows.askQuantityLots(row)),
    });
  }
  /** `{"e":"trade","E":…,"T":…,"s":"BTCUSDT","t":…,"p":"…","q":"…","X":"MARKET","m":false}`; spot: `M` for `X`. */
  #trade(row: number, ms: number): string {
    const { instrument } = this.market;
    const rows = this.#rows;
    return JSON.stringify({
      e: "trade",
      E: ms,
      T: ms,
      s: this.#symbol,
      t: this.base_id + rows.id[row],
      p: instrument.priceText(rows.price_ticks[row]),
      q: instrument.quantityText(rows.quantity_lots[row]),
      ...(this.#is_futures ? { X: "MARKET" } : {}),
      m: rows.side[row] === ASK,
      ...(this.#is_futures ? {} : { M: true }),
    });
  }
  #levels(side: Side): [string, string][] {
    const ladder = this.market.book.ladders[side];
    const { instrument } = this.market;
    return Array.from({ length: ladder.size }, (_, rank) => {
      const level = ladder.levelAt(rank);
      return [
        instrument.priceText(ladder.price_ticks[level]),
        instrument.quantityText(ladder.quantity_lots[level]),
      ];
    });
  }
  #texts(levels: ReadonlyMap<number, number>): [string, string][] {
    const { instrument } = this.market;
    return [...levels].map(([ticks, lots]) => [instrument.priceText(ticks), instrument.quantityText(lots)]);
  }
}
