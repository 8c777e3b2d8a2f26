/**
 * A made-up market and a made-up connection for testing the delivery queue: the market remembers what it offered, the
 * connection takes messages in order, breaks in mid-batch and comes back, and remembers what arrived.
 */
import { ManualClock } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../../lib/flow/delivery_queue.ts";
import {
  type DeliveryLimits,
  type DeliveryTarget,
  WriteRejected,
} from "../../../lib/flow/delivery_target.ts";
import type { BookState } from "../../../lib/flow/hub.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import type { MarketUpdate } from "../../../lib/market/update.ts";

export interface FakeMessage {
  kind: MarketUpdate["kind"];
  symbol: string;
  /** Book sequence, trade id, quote update id, or status number. */
  id: number;
  in_sync?: boolean;
}

interface Write {
  messages: readonly FakeMessage[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

export const MESSAGE_BYTES = 100;

export class FakeConnection implements DeliveryTarget<FakeMessage> {
  readonly name = "fake";
  readonly arrived: FakeMessage[] = [];
  readonly writes: Write[] = [];
  ready = true;
  status_count = 0;
  encoded = 0;

  encode(update: MarketUpdate): FakeMessage | undefined {
    this.encoded++;
    const { kind, symbol } = update;
    if (kind === "book") return { kind, symbol, id: update.sequence };
    if (kind === "trade") return { kind, symbol, id: update.trade_id! };
    if (kind === "quote") return { kind, symbol, id: update.update_id! };
    if (kind === "book_status") return { kind, symbol, id: ++this.status_count, in_sync: update.in_sync };
    return undefined;
  }
  sizeBytes(): number {
    return MESSAGE_BYTES;
  }
  notReady(): string | undefined {
    return this.ready ? undefined : "connection is away";
  }
  write(messages: readonly FakeMessage[]): Promise<void> {
    return new Promise((resolve, reject) => this.writes.push({ messages, resolve, reject }));
  }
  /** Takes the oldest write whole. */
  acknowledge(): void {
    const write = this.writes.shift();
    if (!write) return;
    this.arrived.push(...write.messages);
    write.resolve();
  }
  /** Breaks after `taken` messages of the oldest write; nothing of the later ones arrives. */
  break(taken: number): void {
    this.ready = false;
    const [first, ...later] = this.writes.splice(0);
    if (first) {
      const count = Math.min(taken, first.messages.length);
      this.arrived.push(...first.messages.slice(0, count));
      const retry = first.messages.keys().toArray().slice(count);
      if (retry.length === 0) first.resolve();
      else first.reject(new WriteRejected("connection broke", retry));
    }
    for (const write of later) write.reject(new Error("connection broke"));
  }
}

export class FakeMarket {
  readonly clock = new ManualClock();
  readonly metrics = new Metrics();
  readonly books = new Map<string, { sequence: number; in_sync: boolean }>();
  readonly offered = { book: 0, trade: 0, quote: 0, book_status: 0 };
  readonly queue: DeliveryQueue<FakeMessage>;
  #last_id = 0;
  readonly #book = new OrderBook();

  constructor(readonly connection: FakeConnection, limits: Partial<DeliveryLimits> = {}) {
    this.queue = new DeliveryQueue(connection, {
      clock: this.clock,
      log: silentLog,
      metrics: this.metrics,
      seed: "test",
      readBook: (_venue, symbol) => this.#state(symbol),
    }, limits);
  }
  trade(symbol: string): void {
    this.offered.trade++;
    const trade_id = ++this.#last_id;
    this.#offer({ kind: "trade", ...at(symbol), trade_id, price: 1, quantity: 1, aggressor: "buy" });
  }
  quote(symbol: string): void {
    this.offered.quote++;
    const update_id = ++this.#last_id;
    this.#offer({
      kind: "quote",
      ...at(symbol),
      update_id,
      bid: 1,
      ask: 2,
      bid_quantity: 1,
      ask_quantity: 1,
    });
  }
  book(symbol: string): void {
    const state = this.#of(symbol);
    if (!state.in_sync) return;
    this.offered.book++;
    state.sequence++;
    this.#offer({
      kind: "book",
      ...at(symbol),
      book: this.#book,
      sequence: state.sequence,
      last_update_id: state.sequence,
    });
  }
  /** Out of sync, or back in with a whole book right after, as the instrument does it. */
  status(symbol: string, in_sync: boolean): void {
    const state = this.#of(symbol);
    if (state.in_sync === in_sync) return;
    state.in_sync = in_sync;
    this.offered.book_status++;
    this.#offer({ kind: "book_status", ...at(symbol), in_sync, reason: "test" });
    if (in_sync) this.book(symbol);
  }
  count(name: string): number {
    let sum = 0;
    for (const { value } of this.metrics.families.get(name)!.children.values()) {
      sum += (value as { value: number }).value;
    }
    return sum;
  }
  #offer(update: MarketUpdate): void {
    this.queue.offer(update);
  }
  #of(symbol: string): { sequence: number; in_sync: boolean } {
    let state = this.books.get(symbol);
    if (!state) this.books.set(symbol, state = { sequence: 0, in_sync: true });
    return state;
  }
  #state(symbol: string): BookState | undefined {
    const state = this.books.get(symbol);
    if (!state) return undefined;
    return {
      venue: "v",
      symbol,
      keeps_book: true,
      notReady: () => undefined,
      in_sync: state.in_sync,
      reason: "",
      since_us: 0,
      book: this.#book,
      sequence: state.sequence,
      last_update_id: state.sequence,
      received_us: 0,
    };
  }
}

const at = (symbol: string) => ({ venue: "v", symbol, received_us: 0 });

/** Lets every pending promise reaction run; nothing here waits for real time. */
export async function reactions(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}
