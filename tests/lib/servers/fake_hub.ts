/** A hub that tests drive by hand: real order books, updates as the dispatcher would publish them. */
import { type Clock, systemClock } from "../../../lib/base/clock.ts";
import { type Log, silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import type { BookState, Hub, ReadinessPart, Receiver } from "../../../lib/flow/hub.ts";
import type { BookDelta, Trade } from "../../../lib/market/event.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import type { MarketUpdate } from "../../../lib/market/update.ts";

export type Pairs = readonly (readonly [number, number])[];

export function levels(pairs: Pairs): LevelList {
  const list = new LevelList();
  for (const [price, quantity] of pairs) list.push(price, quantity);
  const decimalsOf = (i: 0 | 1) =>
    Math.max(0, ...pairs.map((pair) => (String(pair[i]).split(".")[1] ?? "").length));
  list.noteDecimals(decimalsOf(0), decimalsOf(1));
  return list;
}

interface FakeBook {
  venue: string;
  symbol: string;
  keeps_book: boolean;
  withheld?: string;
  notReady(): string | undefined;
  in_sync: boolean;
  reason: string;
  since_us: number;
  book: OrderBook;
  sequence: number;
  last_update_id: number;
  received_us: number;
}

export class FakeHub implements Hub {
  readonly metrics = new Metrics();
  readonly version = "1.2.3";
  readonly receivers = new Set<Receiver>();
  readonly parts = new Set<ReadinessPart>();
  readonly #books = new Map<string, FakeBook>();
  reasons: string[] = [];

  constructor(readonly clock: Clock = systemClock, readonly log: Log = silentLog) {}
  subscribe(receiver: Receiver): () => void {
    this.receivers.add(receiver);
    return () => this.receivers.delete(receiver);
  }
  books(): Iterable<BookState> {
    return this.#books.values();
  }
  book(venue: string, symbol: string): FakeBook | undefined {
    return this.#books.get(`${venue} ${symbol}`);
  }
  find(symbol: string): BookState[] {
    return [...this.#books.values()].filter((state) => state.symbol === symbol);
  }
  recentTrades(): readonly Trade[] {
    return [];
  }
  addReadiness(part: ReadinessPart): () => void {
    this.parts.add(part);
    return () => this.parts.delete(part);
  }
  readiness(): { ready: boolean; reasons: string[] } {
    return { ready: this.reasons.length === 0, reasons: this.reasons };
  }

  /** A configured instrument that has no book yet. */
  add(symbol: string, venue = "mock"): FakeBook {
    const state: FakeBook = {
      venue,
      symbol,
      keeps_book: true,
      notReady() {
        return this.in_sync ? undefined : this.reason;
      },
      in_sync: false,
      reason: "starting",
      since_us: 0,
      book: new OrderBook(),
      sequence: 0,
      last_update_id: 0,
      received_us: 0,
    };
    this.#books.set(`${venue} ${symbol}`, state);
    return state;
  }
  forget(symbol: string, venue = "mock"): void {
    this.#books.delete(`${venue} ${symbol}`);
  }
  offer(...updates: MarketUpdate[]): void {
    for (const update of updates) for (const receiver of this.receivers) receiver.offer(update);
  }
  flush(): void {
    for (const receiver of this.receivers) receiver.flush?.();
  }
  /** In sync with this book: status, then the whole-book update, as the dispatcher does it. */
  sync(symbol: string, bids: Pairs, asks: Pairs, id = 100, venue = "mock"): void {
    const state = this.book(venue, symbol) ?? this.add(symbol, venue);
    state.book.replace(levels(bids), levels(asks));
    state.in_sync = true;
    state.last_update_id = id;
    state.sequence++;
    this.offer({ kind: "book_status", venue, symbol, in_sync: true, reason: "synced", received_us: 1 });
    this.offer({
      kind: "book",
      venue,
      symbol,
      book: state.book,
      sequence: state.sequence,
      last_update_id: id,
      received_us: 1_000_000,
    });
    this.flush();
  }
  unsync(symbol: string, reason = "gap", venue = "mock"): void {
    const state = this.book(venue, symbol)!;
    state.in_sync = false;
    state.reason = reason;
    this.offer({
      kind: "book_status",
      venue,
      symbol,
      in_sync: false,
      reason,
      missing_from_id: state.last_update_id + 1,
      missing_to_id: state.last_update_id + 5,
      received_us: 1_000_000,
    });
    this.flush();
  }
  /** One more delta; `flush` stays with the caller when `flush` is false. */
  change(symbol: string, bids: Pairs, asks: Pairs, options: { venue?: string; flush?: boolean } = {}): void {
    const venue = options.venue ?? "mock";
    const state = this.book(venue, symbol)!;
    const delta: BookDelta = {
      kind: "book_delta",
      venue,
      symbol,
      received_us: 2_000_000,
      first_id: state.last_update_id + 1,
      last_id: state.last_update_id + 1,
      bids: levels(bids),
      asks: levels(asks),
    };
    state.book.apply(delta.bids, delta.asks);
    state.last_update_id = delta.last_id;
    state.sequence++;
    this.offer({
      kind: "book",
      venue,
      symbol,
      book: state.book,
      delta,
      sequence: state.sequence,
      last_update_id: state.last_update_id,
      received_us: 2_000_000,
    });
    if (options.flush !== false) this.flush();
  }
  trade(symbol: string, trade_id: number, price = 100.5, quantity = 0.25, venue = "mock"): void {
    this.offer({
      kind: "trade",
      venue,
      symbol,
      trade_id,
      price,
      quantity,
      aggressor: "sell",
      exchange_ms: 1_700_000_000_123,
      received_us: 1_700_000_000_124_000,
    });
  }
}
