/**
 * What the client remembers of one instrument: its book, and how far each numbered channel came, so that after a
 * reconnect it can resume and what came before is not handed over twice.
 */
import { KeptBook } from "./kept_book.ts";
import { KeptOrders } from "./kept_orders.ts";
import type { CandleMessage, TradeMessage } from "./messages.ts";

/** How far a channel of trades or candles came. */
export class Progress {
  /** Sequence of the last message; undefined: none yet, or the numbering started anew. */
  seq: number | undefined;
  /** What comes before the answer to our resume is repeated after it. */
  awaits_resume = false;

  /** How many were missed before this one; undefined: it was handed over before. */
  take(seq: number): number | undefined {
    if (this.awaits_resume || (this.seq !== undefined && seq <= this.seq)) return undefined;
    const missed = this.seq === undefined ? 0 : seq - this.seq - 1;
    this.seq = seq;
    return missed;
  }
  skipTo(seq: number): void {
    if (this.seq === undefined || seq > this.seq) this.seq = seq;
  }
}

/** Intervals there are, with room for tomorrow's. */
const MAX_INTERVALS = 64;

export class ClientInstrument {
  book: KeptBook | undefined;
  orders: KeptOrders | undefined;
  readonly trades = new Progress();
  readonly #candles = new Map<string, Progress>();

  constructor(readonly venue: string, readonly symbol: string, readonly keeps_books: boolean) {}

  /** What is kept of a channel whose messages follow each other; undefined for all others. */
  openKept(channel: unknown): KeptBook | KeptOrders | undefined {
    if (channel === "book") return this.book ??= new KeptBook(this.venue, this.symbol, this.keeps_books);
    if (channel === "orders") {
      return this.orders ??= new KeptOrders(this.venue, this.symbol, this.keeps_books);
    }
    return undefined;
  }
  kept(channel: unknown): KeptBook | KeptOrders | undefined {
    return channel === "book" ? this.book : channel === "orders" ? this.orders : undefined;
  }
  /** Undefined: it was handed over before. */
  missedTrades({ seq }: TradeMessage): number | undefined {
    return this.trades.take(seq);
  }
  /** A bar that is still forming may be skipped, so holes in the numbering say nothing. */
  isNewCandle({ interval, seq }: CandleMessage): boolean {
    return this.progressOf("candles", interval)?.take(seq) !== undefined;
  }
  progressOf(channel: string, interval: string | undefined): Progress | undefined {
    if (channel === "trades") return this.trades;
    if (channel !== "candles" || interval === undefined) return undefined;
    let found = this.#candles.get(interval);
    if (!found && this.#candles.size < MAX_INTERVALS) this.#candles.set(interval, found = new Progress());
    return found;
  }
  /** The numbering started anew: nothing can be resumed. Returns whether there were trades, some of which may be missed. */
  startAnew(): boolean {
    const had_trades = this.trades.seq !== undefined;
    for (const progress of [this.trades, ...this.#candles.values()]) {
      progress.seq = undefined;
      progress.awaits_resume = false;
    }
    for (const kept of [this.book, this.orders]) kept?.lose("the server starts anew");
    return had_trades;
  }
  /** A new connection of the same numbering. */
  goOn(): void {
    for (const progress of [this.trades, ...this.#candles.values()]) progress.awaits_resume = false;
  }
}
