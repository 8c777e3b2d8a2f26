/**
 * A market of one process before one sink: live books, the real delivery queue, the sink of a kind. The queue may be held
 * back (`gate`), and the answer to a write may be lost (`lose_answers`), whatever the sink is.
 */
import type { z } from "zod";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import type { DeliveryLimits, DeliveryTarget } from "../../lib/flow/delivery_target.ts";
import type { BookState } from "../../lib/flow/hub.ts";
import { LevelList } from "../../lib/market/level_list.ts";
import { OrderBook } from "../../lib/market/order_book.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import type { Sink, SinkContext, SinkKind } from "../../lib/sinks/sink.ts";

export const VENUE = "test-venue";
/** Of every trade; neither is a binary fraction. */
export const TRADE = { price: 61_800.1, quantity: 0.003 };
const RECEIVED_US = 1_723_075_200_000_500;
const LEVELS = 30;

export interface SinkRigOptions {
  limits?: Partial<DeliveryLimits>;
  /** While it gives a reason, the queue takes the sink for not ready. */
  gate?: () => string | undefined;
}

export class SinkRig implements AsyncDisposable {
  readonly metrics = new Metrics();
  readonly books = new Map<string, { book: OrderBook; in_sync: boolean; sequence: number }>();
  /** All that was logged. */
  readonly lines: string[] = [];
  /** Ids of all trades offered, per symbol, in order. */
  readonly offered = new Map<string, number[]>();
  queue!: DeliveryQueue<unknown>;
  sink!: Sink;
  trade_id = 0;
  /** So many writes from now on are really made and then reported as failed. */
  lose_answers = 0;
  /** Told when the sink's connection is ready. */
  onWritable: () => void = () => {};
  #closed = false;

  static async open<Schema extends z.ZodObject>(
    kind: SinkKind<Schema>,
    config: z.input<Schema>,
    options: SinkRigOptions = {},
  ): Promise<SinkRig> {
    const rig = new SinkRig();
    const note = (message: string, fields: unknown) => void rig.lines.push(message + JSON.stringify(fields));
    const log = { ...silentLog, info: note, warn: note, error: note, with: () => log };
    const context: SinkContext = {
      name: kind.name,
      clock: systemClock,
      log,
      metrics: rig.metrics,
      seed: "test",
      writable: () => {
        rig.queue?.wake();
        rig.onWritable();
      },
    };
    rig.sink = await kind.connect(kind.schema.parse(config), context);
    const readBook = (_venue: string, symbol: string) => rig.#state(symbol);
    rig.queue = new DeliveryQueue(rig.#target(options.gate), { ...context, readBook }, options.limits);
    return rig;
  }
  /** A new state of the book, of which only the best prices and the id matter. */
  book(symbol: string, price = 1_000 + this.trade_id): void {
    let state = this.books.get(symbol);
    if (!state) this.books.set(symbol, state = { book: new OrderBook(), in_sync: true, sequence: 0 });
    const bids = new LevelList();
    const asks = new LevelList();
    for (let i = 0; i < LEVELS; i++) {
      bids.push(price - i, i + 1);
      asks.push(price + 1 + i, i + 1);
    }
    state.book.replace(bids, asks);
    state.sequence++;
    const { sequence, book } = state;
    this.offer({ kind: "book", ...this.#head(symbol), book, sequence, last_update_id: sequence });
  }
  trade(symbol: string): void {
    const trade_id = ++this.trade_id;
    const ids = this.offered.get(symbol);
    if (ids) ids.push(trade_id);
    else this.offered.set(symbol, [trade_id]);
    const exchange_ms = RECEIVED_US / 1_000 + trade_id;
    this.offer({
      kind: "trade",
      ...this.#head(symbol),
      trade_id,
      ...TRADE,
      aggressor: trade_id % 2 === 0 ? "buy" : "sell",
      exchange_ms: Math.floor(exchange_ms),
    });
  }
  status(symbol: string, in_sync: boolean, reason: string): void {
    this.books.get(symbol)!.in_sync = in_sync;
    this.offer({ kind: "book_status", ...this.#head(symbol), in_sync, reason });
  }
  offer(update: MarketUpdate): void {
    this.queue.offer(update);
  }
  /** `rounds` times a book and a trade of each symbol, with a turn of the event loop now and then. */
  async traffic(symbols: readonly string[], rounds: number): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      for (const symbol of symbols) {
        this.book(symbol);
        this.trade(symbol);
      }
      this.queue.flush();
      if (i % 10 === 9) await sleep(systemClock, 1);
    }
  }
  /** The value of a counter or gauge, or of all its children when no label is given. */
  count(name: string, ...labels: string[]): number {
    let sum = 0;
    for (const child of this.metrics.families.get(name)?.children.values() ?? []) {
      if (labels.length > 0 && child.labels.join("\u0000") !== labels.join("\u0000")) continue;
      sum += (child.value as { value: number }).value;
    }
    return sum;
  }
  /** Flushes, lets go; returns how many messages were left. */
  async close(deadline_ms = 5_000): Promise<number> {
    this.#closed = true;
    const left = await this.queue.close(deadline_ms);
    await this.sink[Symbol.asyncDispose]();
    return left;
  }
  /** For a test that fails before its `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.close(0);
  }

  #head(symbol: string) {
    return { venue: VENUE, symbol, received_us: RECEIVED_US };
  }
  #target(gate: SinkRigOptions["gate"]): DeliveryTarget {
    const { sink } = this;
    return {
      name: sink.name,
      limits: sink.limits,
      takes: sink.takes?.bind(sink),
      encode: sink.encode.bind(sink),
      sizeBytes: sink.sizeBytes.bind(sink),
      write: async (messages) => {
        await sink.write(messages);
        if (this.lose_answers === 0) return;
        this.lose_answers--;
        throw new Error("the answer was lost");
      },
      notReady: () => gate?.() ?? sink.notReady(),
      // A sink with a spool takes messages while its other side is away; the gate holds it back all the same.
      accepts: sink.accepts && (() => gate?.() === undefined && sink.accepts!()),
    };
  }
  #state(symbol: string): BookState | undefined {
    const state = this.books.get(symbol);
    if (!state) return undefined;
    const { book, in_sync, sequence } = state;
    return {
      ...this.#head(symbol),
      keeps_book: true,
      notReady: () => undefined,
      in_sync,
      reason: "",
      since_us: 0,
      book,
      sequence,
      last_update_id: sequence,
    };
  }
}

/** Far more than any sink needs, on a busy machine too; a hang must end the test with a name. */
export const PATIENCE_MS = 60_000;

/** Looks again every 10 ms until it holds; for state that no event tells. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limit_ms = PATIENCE_MS,
): Promise<void> {
  const late_ms = systemClock.monotonic_ms() + limit_ms;
  while (!await holds()) {
    if (systemClock.monotonic_ms() > late_ms) throw new Error(`${what}: not so after ${limit_ms} ms`);
    await sleep(systemClock, 10);
  }
}
