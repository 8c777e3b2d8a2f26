/**
 * The middle: takes each update once and offers it to every receiver, in order, synchronously. It owns no queue; each
 * receiver does, with its own bound, so one slow reader costs the others nothing. Refuses: letting a receiver's fault
 * reach the feed — it is logged and counted.
 */
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import { type Log, RateLimitedLog } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Candle, Ticker, Trade } from "../market/event.ts";
import type { HubUpdate } from "../market/update.ts";
import type { Books } from "./books.ts";
import type {
  BookState,
  Hub,
  PartRole,
  PartState,
  ReadinessPart,
  Receiver,
  SubscriptionControl,
  Surroundings,
} from "./hub.ts";
import type { Instrument } from "./instrument.ts";
import type { MemoryGuard } from "./memory_guard.ts";
import type { Sessions } from "./session_registry.ts";
import type { LatencyRecord } from "./latency_record.ts";
import { readyMetrics } from "./ready_metrics.ts";

const NO_TRADES: readonly Trade[] = [];
const NO_CANDLES: readonly Candle[] = [];
/** Reasons listed by /ready; more are summed up. */
const MAX_REASONS = 50;

export class Dispatcher implements Hub, Surroundings {
  readonly #receivers: Receiver[] = [];
  readonly #books = new Set<Books>();
  readonly #parts = new Map<ReadinessPart, PartRole | undefined>();
  readonly #noisy: RateLimitedLog;
  subscriptions: SubscriptionControl | undefined;
  memory: MemoryGuard | undefined;
  sessions: Sessions | undefined;
  instrumentInfo: Hub["instrumentInfo"];
  /** How long updates took to each receiver; absent: nobody asks. */
  latency: LatencyRecord | undefined;

  constructor(readonly clock: Clock, readonly log: Log, readonly metrics: Metrics, readonly version: string) {
    this.#noisy = new RateLimitedLog(log, clock);
    readyMetrics(metrics, this);
  }

  subscribe(receiver: Receiver): () => void {
    this.#receivers.push(receiver);
    return () => {
      const at = this.#receivers.indexOf(receiver);
      if (at >= 0) this.#receivers.splice(at, 1);
    };
  }
  /** Makes the books of a source visible to queries and readiness. */
  addBooks(books: Books): () => void {
    this.#books.add(books);
    return () => this.#books.delete(books);
  }
  publish(update: HubUpdate): void {
    const receivers = this.#receivers;
    const { latency } = this;
    for (let i = 0; i < receivers.length; i++) {
      try {
        receivers[i].offer(update);
        latency?.handed(receivers[i].name, update);
      } catch (error) {
        this.#fault(receivers[i], error);
      }
    }
  }
  /** After a batch. */
  flush(): void {
    for (const receiver of this.#receivers) {
      try {
        receiver.flush?.();
      } catch (error) {
        this.#fault(receiver, error);
      }
    }
  }

  *books(): Iterable<BookState> {
    for (const books of this.#books) yield* books.instruments.values();
  }
  book(venue: string, symbol: string): BookState | undefined {
    return this.#instrument(venue, symbol);
  }
  find(symbol: string): BookState[] {
    return [...this.#books].map((books) => books.instruments.get(symbol)).filter((one) => one !== undefined);
  }
  recentTrades(venue: string, symbol: string): readonly Trade[] {
    return this.#instrument(venue, symbol)?.recent_trades.list() ?? NO_TRADES;
  }
  lastTicker(venue: string, symbol: string): Ticker | undefined {
    return this.#instrument(venue, symbol)?.last_ticker;
  }
  recentCandles(venue: string, symbol: string, interval: string): readonly Candle[] {
    return this.#instrument(venue, symbol)?.recent_candles.list(interval) ?? NO_CANDLES;
  }
  addReadiness(part: ReadinessPart, role?: PartRole): () => void {
    this.#parts.set(part, role);
    return () => this.#parts.delete(part);
  }
  *parts(): Iterable<PartState> {
    for (const [part, role] of this.#parts) {
      if (role !== undefined) yield { role, name: part.name, reason: part.notReady() };
    }
  }
  readiness(): { ready: boolean; reasons: string[] } {
    const reasons: string[] = [];
    let more = 0;
    const note = (reason: string) => reasons.length < MAX_REASONS ? reasons.push(reason) : more++;
    let count = 0;
    for (const book of this.books()) {
      count++;
      const why = book.notReady();
      if (why !== undefined) note(`${book.venue} ${book.symbol}: ${why}`);
    }
    if (count === 0) note("no symbol is configured");
    for (const part of this.#parts.keys()) {
      const why = part.notReady();
      if (why !== undefined) note(`${part.name}: ${why}`);
    }
    if (more > 0) reasons.push(`and ${more} more`);
    return { ready: reasons.length === 0, reasons };
  }

  #instrument(venue: string, symbol: string): Instrument | undefined {
    for (const books of this.#books) {
      const found = books.venue === venue ? books.instruments.get(symbol) : undefined;
      if (found) return found;
    }
    return undefined;
  }
  #fault(receiver: Receiver, error: unknown): void {
    this.metrics.counter("receiver_faults_total", "Updates a receiver failed on", ["receiver"]).with(
      receiver.name,
    )
      .value++;
    this.#noisy.warn(receiver.name, "receiver failed on an update", {
      receiver: receiver.name,
      reason: reasonOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
  }
}
