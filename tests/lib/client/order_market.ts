/**
 * A market of single orders that says what happens to it as a DBN file does, and everything up to the hub behind it: the
 * mapper, the books, the dispatcher.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import type { Random } from "../../../lib/base/random.ts";
import { Books } from "../../../lib/flow/books.ts";
import { Dispatcher } from "../../../lib/flow/dispatcher.ts";
import { EventBatch } from "../../../lib/market/event_batch.ts";
import { DATASET_FEEDS } from "../../../lib/sources/dataset/dataset_feeds.ts";
import { DbnMapper } from "../../../lib/sources/dataset/dbn_mapper.ts";
import { type DbnEvent, mbo } from "../sources/dataset/write_dbn.ts";

export const VENUE = "XTEST";
export const SYMBOL = "11";
const LAST = 0x80;
const MAX_ORDERS = 300;
export const SIDES = ["bid", "ask"] as const;

interface LiveOrder {
  readonly id: number | bigint;
  readonly side: string;
  price: number;
  size: number;
}
type Said = [action: string, side: string, more: Partial<DbnEvent>];

export class OrderMarket {
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
