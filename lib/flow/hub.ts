/**
 * The middle of the house as servers and sinks see it: subscribe to updates, read books, ask what is missing.
 * Only words here; flow/dispatcher implements them and tests may fake them.
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Candle, Ticker, Trade } from "../market/event.ts";
import type { InstrumentInfo } from "../market/instrument_info.ts";
import type { BookView } from "../market/order_book.ts";
import type { HubUpdate, OrdersUpdate } from "../market/update.ts";
import type { MemoryGuard } from "./memory_guard.ts";
import type { Sessions } from "./session_registry.ts";

/** Takes every update, synchronously and in order. Must not throw, must not keep the update's book or delta. */
export interface Receiver {
  readonly name: string;
  /** Called at the event; encode now, what the book holds later is another state. */
  offer(update: HubUpdate): void;
  /** Called once after a batch of updates, to flush what `offer` gathered. */
  flush?(): void;
}

/** One book as a reader finds it now. `book` may be read only while `in_sync`, and only synchronously. */
export interface BookState {
  readonly venue: string;
  readonly symbol: string;
  /** False where the source brings trades, quotes and the like only: there is never a book. */
  readonly keeps_book: boolean;
  /** Why servers must not hand it to their clients (the venue's terms); absent: they may. Sinks are the operator's own. */
  readonly withheld?: string;
  /**
   * Undefined while what is configured flows: the book in sync, or without books, data since the last interruption, or
   * none because the market is closed.
   */
  notReady(): string | undefined;
  /** Why no data is to be expected now ("market closed: weekend"); absent or undefined: it is. */
  silence?(): string | undefined;
  readonly in_sync: boolean;
  /** Why it is out of sync, or why nothing is to be expected of it now; since when (epoch µs). */
  readonly reason: string;
  readonly since_us: number;
  readonly book: BookView;
  /** Market by order as last published; undefined where nobody knows it, or it may not be read now. As `book`. */
  readonly orders?: OrdersUpdate;
  readonly sequence: number;
  readonly last_update_id: number;
  readonly sent_ms?: number;
  readonly exchange_ms?: number;
  readonly received_us: number;
}

/** A part whose state decides readiness: a sink, a connection. */
export interface ReadinessPart {
  readonly name: string;
  /** Undefined when fine, else why not, in words. */
  notReady(): string | undefined;
}

export type PartRole = "source" | "sink";

/** How one part of the running gateway fares now. */
export interface PartState {
  readonly role: PartRole;
  readonly name: string;
  /** Undefined when fine, else why not, in words. */
  readonly reason: string | undefined;
}

/** The rest of the gateway, for a part that reports on it. Read when needed, never kept. */
export interface Surroundings {
  books(): Iterable<BookState>;
  parts(): Iterable<PartState>;
}

/** What a running source is subscribed to. */
export interface SourceSubscriptions {
  /** The source's name in logs and metrics: "live", "live#2". */
  readonly source: string;
  readonly venue: string;
  readonly symbols: readonly string[];
}

/** Which symbols the sources carry, and how to change that while they run. A change lasts until the next reload. */
export interface SubscriptionControl {
  list(): SourceSubscriptions[];
  /** @throws UserError when the source is unknown or can't change, or a symbol can't be taken; then nothing changed */
  change(source: string, add: readonly string[], remove: readonly string[]): SourceSubscriptions;
}

export interface Hub {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly version: string;
  /** Returns how to unsubscribe. A receiver that wants current books asks `books()` right after. */
  subscribe(receiver: Receiver): () => void;
  /** Every configured instrument, in sync or not. */
  books(): Iterable<BookState>;
  book(venue: string, symbol: string): BookState | undefined;
  /** Instruments with this symbol over all venues. */
  find(symbol: string): BookState[];
  /** What the venues say of their instruments, as far as it is known. */
  instrumentInfo?(venue: string, symbol: string): InstrumentInfo | undefined;
  /** Absent where symbols can't be changed. */
  readonly subscriptions?: SubscriptionControl;
  /** One budget for the whole process; absent where nobody watches it. A server with clients adds a pool. */
  readonly memory?: MemoryGuard;
  /** Who is connected, and to what; absent where nobody keeps it. A server with clients enters each of them. */
  readonly sessions?: Sessions;
  /** Newest last, at most 1,000 kept per instrument. */
  recentTrades(venue: string, symbol: string): readonly Trade[];
  /** The venue's last word since its streams were last interrupted; absent where nobody keeps it. */
  lastTicker?(venue: string, symbol: string): Ticker | undefined;
  /** Oldest first, the forming bar last, at most 500 kept per instrument and interval; absent where nobody keeps them. */
  recentCandles?(venue: string, symbol: string, interval: string): readonly Candle[];
  /** Registers a part that must be fine for readiness. Returns how to take it back. */
  addReadiness(part: ReadinessPart, role?: PartRole): () => void;
  /** Ready only when every configured symbol has a live, in-sequence book and every part is fine. */
  readiness(): { ready: boolean; reasons: string[] };
}
