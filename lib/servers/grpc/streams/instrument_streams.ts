/**
 * The subscribers of one instrument. Each state is encoded once, however many read it: a book per depth, a ticker, a
 * trade. A book that is out of sync is not told; should that last, its streams end and say why, since nothing else in
 * this protocol could.
 */
import type { Clock, Timer } from "../../../base/clock.ts";
import { bookOf } from "../../../flow/market_queries.ts";
import type { BookState } from "../../../flow/hub.ts";
import type { Ticker, Trade } from "../../../market/event.ts";
import type { BookStatus } from "../../../market/update.ts";
import type { GrpcClient } from "../client.ts";
import type { GrpcMetrics } from "../grpc_metrics.ts";
import { NOT_FOUND, RESOURCE_EXHAUSTED, UNAVAILABLE } from "../protocol/status.ts";
import { bookUpdateFrame, tickerUpdateFrame, tradeUpdateFrame } from "../schema/market_messages.ts";
import type { Call } from "../transport/call.ts";
import { NewestStream } from "./newest_stream.ts";

export interface InstrumentContext {
  readonly clock: Clock;
  readonly metrics: GrpcMetrics;
  /** How long streams of a book outlive its being out of sync. */
  readonly out_of_sync_ms: number;
  /** The instrument as it is now; undefined: it is gone. */
  now(): BookState | undefined;
  lastTicker(): Ticker | undefined;
  onEmpty(): void;
}

/** The frames of one depth, each made once per state. */
class BookFrames {
  readonly streams = new Set<NewestStream>();
  #sequence = -1;
  #state: BookState | undefined;
  #snapshot: Uint8Array | undefined;
  #update: Uint8Array | undefined;

  constructor(readonly depth: number) {}

  of(state: BookState | undefined, is_snapshot: boolean): Uint8Array | undefined {
    if (state === undefined || !state.in_sync) return undefined;
    if (state !== this.#state || state.sequence !== this.#sequence) {
      this.#state = state;
      this.#sequence = state.sequence;
      this.#snapshot = this.#update = undefined;
    }
    if (is_snapshot) return this.#snapshot ??= bookUpdateFrame(bookOf(state, this.depth), true);
    return this.#update ??= bookUpdateFrame(bookOf(state, this.depth), false);
  }
}

export class InstrumentStreams {
  readonly #books = new Map<number, BookFrames>();
  readonly #tickers = new Set<NewestStream>();
  readonly #trades = new Map<Call, GrpcClient>();
  #ticker: Ticker | undefined;
  #ticker_frame: Uint8Array | undefined;
  #out_of_sync: Timer | undefined;
  /** Something changed that `flush` is to tell. */
  is_dirty = false;
  #book_changed = false;
  #ticker_changed = false;

  constructor(readonly venue: string, readonly symbol: string, readonly context: InstrumentContext) {}

  get size(): number {
    let size = this.#tickers.size + this.#trades.size;
    for (const { streams } of this.#books.values()) size += streams.size;
    return size;
  }
  /** The snapshot goes out at once, as far as its client reads. */
  addBook(call: Call, client: GrpcClient, depth: number, interval_ms: number): void {
    const frames = this.#books.get(depth) ?? new BookFrames(depth);
    this.#books.set(depth, frames);
    const { clock, metrics } = this.context;
    const frame = (is_first: boolean) => frames.of(this.context.now(), is_first);
    const conflated = metrics.conflated.with("book");
    const stream = new NewestStream(call, client, clock, interval_ms, frame, conflated);
    frames.streams.add(stream);
    call.on_end.push(() => {
      stream.end();
      frames.streams.delete(stream);
      if (frames.streams.size === 0) this.#books.delete(depth);
      this.#leaveIfEmpty();
    });
    stream.changed();
  }
  /** Starts with the last one that is known. */
  addTicker(call: Call, client: GrpcClient): void {
    const { clock, metrics } = this.context;
    // Not one from before an interruption.
    const last = this.context.lastTicker();
    if (last !== this.#ticker) [this.#ticker, this.#ticker_frame] = [last, undefined];
    const frame = () => this.#tickerFrame();
    const stream = new NewestStream(call, client, clock, 0, frame, metrics.conflated.with("ticker"));
    this.#tickers.add(stream);
    call.on_end.push(() => {
      stream.end();
      this.#tickers.delete(stream);
      this.#leaveIfEmpty();
    });
    if (last !== undefined) stream.changed();
  }
  addTrades(call: Call, client: GrpcClient): void {
    this.#trades.set(call, client);
    call.on_end.push(() => {
      this.#trades.delete(call);
      this.#leaveIfEmpty();
    });
  }

  onBook(): void {
    this.#book_changed = this.is_dirty = true;
  }
  onTicker(ticker: Ticker): void {
    this.#ticker = ticker;
    this.#ticker_frame = undefined;
    this.#ticker_changed = this.is_dirty = true;
  }
  /** Trades are not conflated: each one, or an end that says why not. */
  onTrade(trade: Trade): void {
    if (this.#trades.size === 0) return;
    const frame = tradeUpdateFrame(trade);
    for (const [call, client] of this.#trades) {
      if (client.lease.takeBytes(frame.length)) {
        if (call.send(frame)) continue;
        this.context.metrics.slow.value++;
        call.fail(RESOURCE_EXHAUSTED, "send a trade: too much waits for this client, want it to read faster");
      } else call.fail(RESOURCE_EXHAUSTED, "send a trade: the tenant's bytes per second are used up");
    }
  }
  onStatus({ in_sync, reason }: BookStatus): void {
    if (reason === "removed") return this.#endAll(`find "${this.symbol}": not subscribed to any more`);
    if (in_sync) {
      this.#out_of_sync?.cancel();
      this.#out_of_sync = undefined;
      return;
    }
    this.#book_changed = false;
    for (const { streams } of this.#books.values()) for (const stream of streams) stream.restart();
    if (this.#books.size === 0) return;
    this.#out_of_sync ??= this.context.clock.after(this.context.out_of_sync_ms, () => {
      this.#out_of_sync = undefined;
      const why = this.context.now()?.reason ?? reason;
      const message = `tell the book of "${this.symbol}" on "${this.venue}": not in sync, ${why}`;
      for (const call of this.#bookCalls()) call.fail(UNAVAILABLE, message);
    });
  }
  flush(): void {
    this.is_dirty = false;
    if (this.#book_changed) {
      this.#book_changed = false;
      for (const { streams } of this.#books.values()) for (const stream of streams) stream.changed();
    }
    if (this.#ticker_changed) {
      this.#ticker_changed = false;
      for (const stream of this.#tickers) stream.changed();
    }
  }
  stop(): void {
    this.#out_of_sync?.cancel();
    this.#out_of_sync = undefined;
  }

  #tickerFrame(): Uint8Array | undefined {
    if (this.#ticker === undefined) return undefined;
    return this.#ticker_frame ??= tickerUpdateFrame(this.#ticker);
  }
  #bookCalls(): Call[] {
    return [...this.#books.values()].flatMap(({ streams }) => [...streams].map(({ call }) => call));
  }
  #endAll(message: string): void {
    const calls = [
      ...this.#bookCalls(),
      ...[...this.#tickers].map(({ call }) => call),
      ...this.#trades.keys(),
    ];
    for (const call of calls) call.fail(NOT_FOUND, message);
  }
  #leaveIfEmpty(): void {
    if (this.#books.size === 0) this.stop();
    if (this.size > 0) return;
    this.context.onEmpty();
  }
}
