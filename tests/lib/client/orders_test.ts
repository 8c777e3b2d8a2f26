/**
 * Market by order from end to end: random records of a data set through its mapper, the books and the server to clients
 * of both forms, whole and by depth. Whatever happens (cuts, lags, resyncs, crossed books), the book of orders is the
 * source's, queue by queue, and its levels are those of the channel `book`.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { Random } from "../../../lib/base/random.ts";
import { RestreamClient } from "../../../lib/client/client.ts";
import type { Wish } from "../../../lib/client/wish.ts";
import { Books } from "../../../lib/flow/books.ts";
import { Dispatcher } from "../../../lib/flow/dispatcher.ts";
import { EventBatch } from "../../../lib/market/event_batch.ts";
import type { OrderBookView } from "../../../lib/market/order_queue_book.ts";
import { websocket } from "../../../lib/servers/restream/websocket.ts";
import { DATASET_FEEDS } from "../../../lib/sources/dataset/dataset_feeds.ts";
import { DbnMapper } from "../../../lib/sources/dataset/dbn_mapper.ts";
import { until } from "../../end_to_end/until.ts";
import { is_long } from "../../services.ts";
import { type DbnEvent, mbo } from "../sources/dataset/write_dbn.ts";

const VENUE = "XTEST";
const SYMBOL = "11";
const LAST = 0x80;
const MAX_ORDERS = 300;
const SIDES = ["bid", "ask"] as const;

interface LiveOrder {
  readonly id: number | bigint;
  readonly side: string;
  price: number;
  size: number;
}
type Said = [action: string, side: string, more: Partial<DbnEvent>];

/** A market of single orders that says what happens to it as a DBN file does. */
class OrderMarket {
  readonly dispatcher = new Dispatcher(systemClock, silentLog, new Metrics(), "test");
  readonly mapper = new DbnMapper(VENUE);
  readonly books = new Books(VENUE, DATASET_FEEDS.dbn(VENUE).sequence, {
    clock: systemClock,
    log: silentLog,
    metrics: this.dispatcher.metrics,
    publish: (update) => this.dispatcher.publish(update),
    requestSnapshot() {},
    can_refresh: false,
  }, true);
  readonly #batch = new EventBatch();
  readonly #live: LiveOrder[] = [];
  #next_id = 1;
  #time = 0;

  constructor(readonly random: Random) {
    this.dispatcher.addBooks(this.books);
    this.begin();
  }
  get orders() {
    return this.books.instruments.get(SYMBOL)!.orders;
  }
  /** Cleared, then some orders: told whole. */
  begin(): void {
    this.#live.length = 0;
    this.#say([["R", "N", {}], ...SIDES.map((side) => this.#add(side === "bid" ? "B" : "A"))]);
  }
  /** The streams break, and begin anew. */
  interrupt(): void {
    this.books.interrupted([SYMBOL], "cut by the test");
    this.dispatcher.flush();
    this.begin();
  }
  step(most = 4): void {
    const { random } = this;
    if (random.chance(0.02)) return this.#cross();
    const said: Said[] = [];
    for (let i = random.integer(1, most); i > 0; i--) said.push(...this.#happening());
    this.#say(said);
  }
  /** For one update the book is crossed: nobody may hear of it before it is right. */
  #cross(): void {
    const order_id = this.#next_id++;
    this.#say([["A", "A", { order_id, price: 80, size: 1 }]]);
    this.#say([["C", "A", { order_id, price: 80, size: 1 }]]);
  }
  #happening(): Said[] {
    const { random } = this;
    const live = this.#live;
    if (live.length < 30 || (live.length < MAX_ORDERS && random.chance(0.4))) {
      return [this.#add(random.pick(["A", "B"]))];
    }
    const one = random.pick(live);
    const { id: order_id, side, price } = one;
    switch (random.integer(0, 3)) {
      case 0: {
        one.size = random.integer(1, 20);
        if (random.chance(0.5)) one.price = this.#price(side);
        return [["M", side, { order_id, price: one.price, size: one.size }]];
      }
      case 1:
        return [["C", side, { order_id, price, size: this.#take(one, one.size) }]];
      case 2:
        return [["C", side, { order_id, price, size: this.#take(one, random.integer(1, one.size)) }]];
      default: {
        const size = this.#take(one, random.integer(1, one.size));
        const trade: Partial<DbnEvent> = { price, size };
        return [["T", side === "A" ? "B" : "A", trade], ["F", side, { order_id, ...trade }], ["C", side, {
          order_id,
          ...trade,
        }]];
      }
    }
  }
  #add(side: string): Said {
    const number = this.#next_id++;
    // Some venues number beyond what a double holds.
    const id = number % 5 === 0 ? 2n ** 63n + BigInt(number) : number;
    const [price, size] = [this.#price(side), this.random.integer(1, 20)];
    this.#live.push({ id, side, price, size });
    return ["A", side, { order_id: id, price, size }];
  }
  #price(side: string): number {
    return side === "B" ? this.random.integer(360, 400) / 4 : this.random.integer(401, 441) / 4;
  }
  #take(one: LiveOrder, size: number): number {
    one.size -= size;
    if (one.size === 0) this.#live.splice(this.#live.indexOf(one), 1);
    return size;
  }
  /** One event of these records. */
  #say(records: readonly Said[]): void {
    const at_ms = 1_796_000_000_000 + ++this.#time;
    for (const [i, [action, side, more]] of records.entries()) {
      const flags = i === records.length - 1 ? LAST : 0;
      const record = mbo({ instrument: 11, at_ns: BigInt(at_ms) * 1_000_000n, action, side, ...more, flags });
      assert.equal(this.mapper.map(record, at_ms * 1_000 + 0.5, this.#batch).kind, "events");
    }
    this.books.process(this.#batch);
    this.#batch.clear();
    this.dispatcher.flush();
  }
}

class Follower implements Disposable {
  readonly troubles: string[] = [];
  readonly actions = new Set<string>();
  snapshots = 0;
  resumed = 0;
  lags = 0;
  readonly client: RestreamClient;

  constructor(url: string, binary: boolean, readonly depth: number | undefined) {
    this.client = new RestreamClient(
      { urls: [url], binary, reconnect: { first_ms: 1, max_ms: 5 } },
      { clock: systemClock, random: new Random(`${binary}`) },
      {
        market: (message) => {
          if (message.type !== "orders_delta") return;
          for (const { action } of message.changes) this.actions.add(action);
        },
        orders: (_orders, event) => {
          if (event === "snapshot") this.snapshots++;
          if (event === "resumed") this.resumed++;
        },
        gap: ({ channel }) => void (channel === "orders" && this.lags++),
        unreadable: (reason) => void this.troubles.push(reason),
        control: ({ type, message }) => void (type === "error" && this.troubles.push(String(message))),
      },
    );
    for (const channel of ["book", "orders"] as const) {
      this.client.subscribe({ venue: VENUE, symbol: SYMBOL, channel, depth } satisfies Wish);
    }
  }
  get orders() {
    const kept = this.client.orders(VENUE, SYMBOL);
    return kept?.in_sync ? kept.book : undefined;
  }
  get book() {
    const kept = this.client.book(VENUE, SYMBOL);
    return kept?.in_sync ? kept.book : undefined;
  }
  /** For the explanation of a failure. */
  standing(market: OrderMarket): string {
    const [orders, book] = [this.client.orders(VENUE, SYMBOL), this.client.book(VENUE, SYMBOL)];
    return JSON.stringify([
      market.orders?.sequence ?? "unknown",
      [orders?.seq, orders?.reason, book?.seq, book?.reason],
      [this.lags, this.snapshots, this.troubles, market.orders?.orders.order_count],
    ]);
  }
  /** It stands where the market stands, in both channels. */
  stands(market: OrderMarket): boolean {
    const { orders, book } = this;
    if (orders === undefined || book === undefined || market.orders === undefined) return false;
    return JSON.stringify(queues(orders)) === JSON.stringify(queues(market.orders.orders, this.depth)) &&
      JSON.stringify(levelsOf(orders)) === JSON.stringify(levelsIn(book));
  }
  [Symbol.dispose](): void {
    this.client.close();
  }
}

const queues = (book: OrderBookView, depth?: number) =>
  SIDES.map((side) =>
    [...book.orders(side, depth)].map(({ id, price, quantity, since_us }) =>
      [String(id), price, quantity, Math.floor(since_us)].join(" ")
    )
  );
const levelsOf = (book: OrderBookView) =>
  SIDES.map((side) => book.levels(side).map(({ price, quantity }) => [price, quantity]));
const levelsIn = ({ bids, asks }: NonNullable<Follower["book"]>) =>
  [bids, asks].map((side) => Array.from({ length: side.size }, (_, i) => [side.price(i), side.quantity(i)]));

async function withMarket(
  seed: string,
  config: Record<string, unknown>,
  work: (market: OrderMarket, url: string) => Promise<void>,
): Promise<void> {
  const market = new OrderMarket(new Random(seed));
  await using server = await websocket.open(
    websocket.schema.parse({ listen: "127.0.0.1:0", ...config }),
    market.dispatcher,
  );
  await work(market, server.url);
}
const turn = () => new Promise((resolve) => systemClock.after(1, () => resolve(0)));

Deno.test("orders by deltas are the source's, queue by queue, through cuts, resyncs and crossed books, in both forms", () =>
  withMarket("orders", {}, async (market, url) => {
    const { random } = market;
    const followers = [undefined, 1, 5].flatMap((depth) =>
      [false, true].map((binary) => new Follower(url, binary, depth))
    );
    const all = (what: string) =>
      until(
        what,
        () => followers.every((one) => one.stands(market)),
        10_000,
        () =>
          followers.map((one) => [one.depth, one.client.notReady(), one.troubles, one.stands(market)].join())
            .join("; "),
      );
    try {
      await all("the first books");
      for (let step = 1; step <= (is_long ? 3_000 : 400); step++) {
        market.step();
        if (random.chance(0.02)) market.interrupt();
        if (random.chance(0.05)) random.pick(followers).client.reconnect("cut by the test");
        if (random.chance(0.2)) await turn();
        if (step % 40 === 0) await all(`step ${step}`);
      }
      await all("the end");
      for (const one of followers) assert.deepEqual(one.troubles, []);
      assert.ok(followers.some(({ resumed }) => resumed > 0), "nothing was ever resumed");
      const whole = followers.filter(({ depth }) => depth === undefined);
      for (const { actions } of whole) {
        assert.deepEqual([...actions].toSorted(), ["add", "cancel", "execute", "modify"]);
      }
      const [one] = whole;
      const [{ client }] = followers;
      // Both channels count alike where they are whole.
      assert.equal(client.orders(VENUE, SYMBOL)!.seq, client.book(VENUE, SYMBOL)!.seq);
      const some = [...market.orders!.orders.orders("bid")].at(-1)!;
      const id = typeof some.id === "bigint" ? String(some.id) : some.id;
      assert.deepEqual(one.orders!.position(id), market.orders!.orders.position(some.id));
    } finally {
      for (const one of followers) one[Symbol.dispose]();
    }
  }));

Deno.test("who reads too slowly skips orders, is told, and gets them whole", () =>
  withMarket("slow orders", { max_queue_bytes: 1_048_576 }, async (market, url) => {
    using slow = new Follower(url, false, undefined);
    using swift = new Follower(url, true, undefined);
    await until("the books", () => [slow, swift].every((one) => one.stands(market)));
    slow.client.pause();
    // More than any socket holds: the kernel's buffers, then the server's queue.
    for (let step = 1; step <= 5_000 && skipped(market) < 20; step++) {
      market.step(400);
      if (step % 5 === 0) {
        await until(
          "the swift one",
          () => swift.stands(market),
          5_000,
          () => swift.standing(market),
        );
      }
    }
    slow.client.resume();
    await until("the slow one", () => slow.stands(market));
    assert.ok(slow.lags > 0, "never lagged");
    assert.ok(slow.snapshots > 1);
    assert.deepEqual([swift.troubles, slow.troubles], [[], []]);
  }));

function skipped({ dispatcher: { metrics } }: OrderMarket): number {
  return metrics.counter("mdg_websocket_skipped_frames_total", "", ["channel"]).with("orders").value;
}
