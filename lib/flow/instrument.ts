/**
 * Everything kept of one instrument: its book, the audit against the venue's quotes, its recent trades, its counters.
 * Turns market events into updates; while the book is out of sync nothing is published from it, and consumers are told.
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics, MetricValue } from "../base/metrics.ts";
import type { BookDelta, BookSnapshot, Candle, OrderEvents, Quote, Ticker, Trade } from "../market/event.ts";
import type { BookSide } from "../market/book_side.ts";
import type { BookView } from "../market/order_book.ts";
import { NO_BOOKS, type SequenceRule } from "../market/sequence_rule.ts";
import type { HubUpdate, OrdersUpdate } from "../market/update.ts";
import { type AuditDifference, BookAudit } from "./book_audit.ts";
import { BookReplica, type OutOfSync, type ReplicaOwner } from "./book_replica.ts";
import type { BookState } from "./hub.ts";
import { type InstrumentMetrics, instrumentMetrics } from "./instrument_metrics.ts";
import { type CandleCheck, type CandlePlan, Candles } from "./candles.ts";
import { InstrumentOrders } from "./instrument_orders.ts";
import { RecentCandles } from "./recent_candles.ts";
import { RecentTrades } from "./recent_trades.ts";
import { TradeOrder } from "./trade_order.ts";

/** Trades kept for late joiners and queries. */
export const RECENT_TRADES = 1_000;
/** A lost quote makes one bracketed difference, a wrong book many: so many in a row are a fault. An exact one is at once. */
const BRACKETED_DIFFERENCES_FOR_FAULT = 3;
/** Deltas between two looks at the known depth. */
const BOUND_CHECK_DELTAS = 16;
/** Fewer known levels than this on a side: fetch a fresh snapshot in the background, soon or at once. */
const LOW_KNOWN_LEVELS = 200;
const SCARCE_KNOWN_LEVELS = 50;
const LOW_PAUSE_MS = 5_000;
const SCARCE_PAUSE_MS = 250;

export interface InstrumentContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  publish(update: HubUpdate): void;
  requestSnapshot(symbol: string, reason: string): void;
  /** False where no snapshot can be had (a finished recording). */
  readonly can_refresh: boolean;
  /** Why servers must not hand its data on; absent: they may. */
  readonly withheld?: string;
  /** Why no data of a symbol is to be expected now; undefined: it is. */
  silence?(symbol: string): string | undefined;
  /** Candles to build from trades; absent: none. */
  readonly candles?: CandlePlan;
  /** Told of every audit difference, for reports. */
  onAuditDifference?(symbol: string, difference: AuditDifference): void;
}

export class Instrument implements BookState, ReplicaOwner {
  readonly metrics: InstrumentMetrics;
  readonly replica: BookReplica;
  readonly audit: BookAudit;
  readonly recent_trades: RecentTrades;
  readonly recent_candles: RecentCandles;
  /** Since the streams were last interrupted. */
  last_ticker: Ticker | undefined;
  readonly #trade_order = new TradeOrder();
  #reason = "waiting for a snapshot";
  since_us: number;
  sequence = 0;
  sent_ms: number | undefined;
  exchange_ms: number | undefined;
  received_us = 0;
  gaps = 0;
  /** The next published update must carry the whole book: something was applied that nobody saw. */
  #whole_next = true;
  #since_bound_check = 0;
  #refreshed_ms = -Infinity;
  #was_live = false;
  /** Overlapping connections repeat quotes: an id at or below this was seen. */
  #last_quote_id = -1;
  #last_quote_ms = -Infinity;
  /** Something came since the streams were last interrupted. */
  #heard = false;
  readonly keeps_book: boolean;
  readonly #candles: Candles | undefined;
  #last_event: MetricValue | undefined;
  /** From the first event of single orders on. */
  #orders: InstrumentOrders | undefined;

  constructor(
    readonly venue: string,
    readonly symbol: string,
    /** Undefined: the source brings no books. */
    rule: SequenceRule | undefined,
    readonly context: InstrumentContext,
  ) {
    this.keeps_book = rule !== undefined;
    this.metrics = instrumentMetrics(context.metrics, venue, symbol, this.keeps_book);
    this.replica = new BookReplica(rule ?? NO_BOOKS, this);
    this.audit = new BookAudit((difference) => this.#onDifference(difference));
    this.recent_trades = new RecentTrades(venue, symbol, RECENT_TRADES);
    this.recent_candles = new RecentCandles(venue, symbol);
    this.since_us = context.clock.now_us();
    if (!this.keeps_book) this.#reason = "no data yet";
    if (context.candles) this.#candles = new Candles(venue, symbol, context.candles, context.clock.now_ms());
  }
  notReady(): string | undefined {
    if (this.keeps_book) return this.in_sync ? undefined : `book not in sync: ${this.reason}`;
    return this.#heard || this.#silence() !== undefined ? undefined : `no data: ${this.#reason}`;
  }
  silence(): string | undefined {
    return this.context.silence?.(this.symbol);
  }
  get reason(): string {
    return this.#silence() ?? this.#reason;
  }
  get withheld(): string | undefined {
    return this.context.withheld;
  }
  get in_sync(): boolean {
    return this.replica.live;
  }
  get book(): BookView {
    return this.replica.book;
  }
  get orders(): OrdersUpdate | undefined {
    return this.#orders?.readable(this);
  }
  get last_update_id(): number {
    return this.replica.last_id;
  }

  onDelta(delta: BookDelta): void {
    this.metrics.depth_messages.value++;
    this.#noteEvent(delta);
    if (!this.keeps_book) return;
    this.received_us = delta.received_us;
    // Nobody reads the times while out of sync; should this delta end that, they are its own.
    if (!this.replica.live) this.#noteTimes(delta);
    const outcome = this.replica.onDelta(delta);
    if (outcome === "stale") this.metrics.deltas_stale.value++;
    if (outcome === "suspended") {
      this.metrics.crossed.value++;
      this.#whole_next = true;
    }
    if (outcome === "held" && !this.replica.live) this.#noteTimes(delta);
    if (outcome !== "applied") return;
    this.metrics.book_updates.value++;
    this.#noteTimes(delta);
    this.audit.onBook(delta.last_id, this.replica.book);
    this.#readAudit();
    // The audit may just have found the book wrong.
    if (!this.replica.live) return;
    this.#publishBook(this.#whole_next ? undefined : delta, delta.received_us);
    if (!this.replica.live) return;
    this.metrics.latency.observe(this.context.clock.now_us() - delta.received_us);
    if (++this.#since_bound_check >= BOUND_CHECK_DELTAS) this.#checkBounds();
  }
  onSnapshot(snapshot: BookSnapshot): void {
    if (!this.keeps_book) return;
    // A snapshot beside the stream may be older than the deltas laid over it, and on some venues it has no times.
    const is_newer = (snapshot.sent_ms ?? -Infinity) > (this.sent_ms ?? -Infinity);
    if (this.replica.rule.in_band_snapshots) this.#noteReceipt(snapshot.received_us);
    if (this.replica.rule.in_band_snapshots || (!this.replica.live && is_newer)) this.#noteTimes(snapshot);
    this.replica.onSnapshot(snapshot);
  }
  /** Told beside the book event before it, when that was published. */
  onOrders(event: OrderEvents): void {
    if (!this.keeps_book) return;
    this.#orders ??= new InstrumentOrders(this.venue, this.symbol);
    const update = this.#orders.take(event, this, this.replica.book.crossed);
    if (update !== undefined) this.context.publish(update);
  }
  onQuote(quote: Quote): void {
    this.metrics.quote_messages.value++;
    this.#noteEvent(quote);
    this.#heard = true;
    if (quote.update_id === undefined) {
      const time_ms = quote.exchange_ms ?? quote.sent_ms ?? -Infinity;
      if (time_ms < this.#last_quote_ms) return;
      this.#last_quote_ms = time_ms;
    } else {
      if (quote.update_id <= this.#last_quote_id) return;
      this.#last_quote_id = quote.update_id;
      this.audit.onQuote(quote);
      this.#readAudit();
    }
    this.context.publish(quote);
  }
  /** What passes through unchanged: tickers, candles. */
  onOther(event: Ticker | Candle): void {
    this.metrics.other_messages.value++;
    // Their time may be that of a trade long ago.
    this.#noteReceipt(event.received_us);
    this.#heard = true;
    if (event.kind === "candle") {
      this.#candles?.onVenueCandle(event);
      this.recent_candles.note(event);
    } else this.last_ticker = event;
    this.context.publish(event);
  }
  /** Time goes on: bars are published and compared. */
  tick(now_ms: number): void {
    this.#candles?.tick(now_ms, (candle) => {
      this.recent_candles.note(candle);
      this.context.publish(candle);
    }, (check) => this.#onCandleCheck(check));
  }
  onTrade(trade: Trade): void {
    this.metrics.trade_messages.value++;
    this.#noteEvent(trade);
    this.#heard = true;
    const { trade_id } = trade;
    // Aggregates are numbered +1 per symbol; ids of single fills may jump.
    if (
      trade_id !== undefined &&
      this.#trade_order.admit(trade_id, trade.first_fill_id !== undefined) === "repeated"
    ) {
      this.metrics.trades_repeated.value++;
      return;
    }
    this.#candles?.onTrade(trade, this.#trade_order.missed > this.metrics.trades_missed.value);
    this.metrics.trades_missed.value = this.#trade_order.missed;
    this.metrics.trades_late.value = this.#trade_order.late;
    this.metrics.trades.value++;
    this.recent_trades.push(trade);
    this.context.publish(trade);
  }
  /** A quote may be among what was lost, so what stands between two quotes is unknown. The book's own chain tells by ids. */
  onDamage(): void {
    this.audit.reset();
  }
  /** The trades' stream stopped. */
  tradesInterrupted(): void {
    this.#candles?.interrupted(this.context.clock.now_ms());
  }
  /** The streams behind this instrument stopped. */
  interrupted(reason: string, received_us: number): void {
    this.audit.reset();
    this.#last_quote_id = -1;
    this.#last_quote_ms = -Infinity;
    this.last_ticker = undefined;
    if (this.keeps_book) return this.replica.disconnected(reason, received_us);
    this.#heard = false;
    this.#reason = reason;
    this.since_us = received_us;
  }

  /** A book has its own proof of life; what comes without one may have nothing to say while its market is closed. */
  #silence(): string | undefined {
    return this.keeps_book ? undefined : this.silence();
  }

  needSnapshot(reason: string): void {
    this.context.requestSnapshot(this.symbol, reason);
  }
  synced(how: "snapshot" | "repair", received_us: number): void {
    this.audit.resetBook();
    this.audit.onBook(this.replica.last_id, this.replica.book);
    this.#readAudit();
    // The venue's own quote may already contradict the snapshot: then nobody hears of it.
    if (!this.replica.live) return;
    const out_of_sync_ms = Math.max(0, (received_us - this.since_us) / 1000);
    if (this.#was_live) {
      if (how === "snapshot") this.metrics.resyncs.value++;
      else this.metrics.repairs.value++;
      this.metrics.out_of_sync_s.value += out_of_sync_ms / 1000;
      this.context.log.info("book back in sync", {
        venue: this.venue,
        symbol: this.symbol,
        how,
        out_of_sync_ms: Math.round(out_of_sync_ms),
      });
    }
    this.metrics.in_sync.value = 1;
    this.#reason = "synced";
    this.since_us = received_us;
    this.context.publish({
      kind: "book_status",
      venue: this.venue,
      symbol: this.symbol,
      in_sync: true,
      reason: how,
      out_of_sync_ms: this.#was_live ? out_of_sync_ms : undefined,
      received_us,
    });
    this.#was_live = true;
    this.#publishBook(undefined, received_us);
  }
  unsynced(why: OutOfSync, received_us: number): void {
    if (why.reason === "gap") {
      this.gaps++;
      this.metrics.sequence_errors.value++;
    }
    // Out of sync it may already be, as far as anybody was told.
    if (this.metrics.in_sync.value === 1) this.since_us = received_us;
    this.metrics.in_sync.value = 0;
    this.#reason = why.reason;
    if (why.reason === "ids_restarted") {
      this.audit.reset();
      this.#last_quote_id = -1;
    } else this.audit.resetBook();
    this.context.log.warn("book out of sync", { venue: this.venue, symbol: this.symbol, ...why });
    this.context.publish({
      kind: "book_status",
      venue: this.venue,
      symbol: this.symbol,
      in_sync: false,
      ...why,
      received_us,
    });
  }
  replaced(received_us: number): void {
    this.audit.resetBook();
    this.audit.onBook(this.replica.last_id, this.replica.book);
    this.#readAudit();
    if (this.replica.live) this.#publishBook(undefined, received_us);
  }
  refreshed(differences: number): void {
    this.metrics.refreshes.value++;
    this.metrics.refresh_differences.value += differences;
    const fields = { venue: this.venue, symbol: this.symbol, differences };
    if (differences > 0) this.context.log.warn("background snapshot differed from the live book", fields);
    else this.context.log.debug("known depth widened by a background snapshot", fields);
    // Deeper levels became known: whoever mirrors the book by deltas must take it whole, and now.
    if (this.replica.book.crossed) this.#whole_next = true;
    else this.#publishBook(undefined, this.received_us);
  }

  #onCandleCheck({ ours, venue, different }: CandleCheck): void {
    if (different.length === 0) {
      this.metrics.candles_equal.value++;
      return;
    }
    this.metrics.candles_differed.value++;
    this.context.log.warn("the venue's candle differs from its trades", {
      venue: this.venue,
      symbol: this.symbol,
      interval: venue.interval,
      open_time_ms: venue.open_time_ms,
      different: different.map((field) => `${field}: ours ${ours[field]}, venue ${venue[field]}`),
    });
  }
  #noteEvent({ exchange_ms, sent_ms, received_us }: BookDelta | Quote | Trade): void {
    this.#noteReceipt(received_us);
    const at_ms = exchange_ms ?? sent_ms;
    if (at_ms !== undefined) this.metrics.lag.observe(received_us / 1e6 - at_ms / 1e3);
  }
  #noteReceipt(received_us: number): void {
    this.#last_event ??= this.metrics.lastEvent();
    this.#last_event.value = received_us / 1e6;
  }
  #noteTimes(event: BookDelta | BookSnapshot): void {
    this.sent_ms = event.sent_ms;
    this.exchange_ms = event.exchange_ms;
  }
  #publishBook(delta: BookDelta | undefined, received_us: number): void {
    if (this.context.can_refresh && isTopUnknown(this.replica.book)) {
      return this.replica.fault("beyond known depth", received_us);
    }
    this.#whole_next = false;
    this.received_us = received_us;
    this.context.publish({
      kind: "book",
      venue: this.venue,
      symbol: this.symbol,
      book: this.replica.book,
      delta,
      sequence: ++this.sequence,
      last_update_id: this.replica.last_id,
      exchange_ms: this.exchange_ms,
      sent_ms: this.sent_ms,
      received_us,
    });
  }
  #readAudit(): void {
    const { audit, metrics } = this;
    metrics.audit_compared.value = audit.compared;
    metrics.audit_equal.value = audit.equal;
    metrics.audit_differed.value = audit.differed;
  }
  #onDifference(difference: AuditDifference): void {
    this.context.onAuditDifference?.(this.symbol, difference);
    if (!this.replica.live) return;
    if (!difference.exact && this.audit.differed_in_a_row < BRACKETED_DIFFERENCES_FOR_FAULT) return;
    const { ours, venue: theirs, update_id, exact } = difference;
    this.context.log.warn("book differs from the venue's best bid and offer", {
      venue: this.venue,
      symbol: this.symbol,
      update_id,
      exact,
      ours,
      theirs,
    });
    this.replica.fault("audit", this.received_us);
  }
  /**
   * Known depth shrinks as the touch wanders towards where the last snapshot ended. Long before it is used up a fresh
   * snapshot widens it without a pause; should the touch outrun that, nothing is published (`isTopUnknown`).
   */
  #checkBounds(): void {
    this.#since_bound_check = 0;
    if (!this.context.can_refresh) return;
    const { bids, asks } = this.replica.book;
    const known = Math.min(knownDepth(bids), knownDepth(asks));
    if (known >= LOW_KNOWN_LEVELS) return;
    const now_ms = this.context.clock.monotonic_ms();
    const pause_ms = known < SCARCE_KNOWN_LEVELS ? SCARCE_PAUSE_MS : LOW_PAUSE_MS;
    if (now_ms - this.#refreshed_ms >= pause_ms && this.replica.refresh()) this.#refreshed_ms = now_ms;
  }
}

/** Levels of which none is missing; Infinity where the whole side is known. */
function knownDepth(side: BookSide): number {
  return side.bound_key === -Infinity ? Infinity : side.known;
}

/** A best price past the known depth: a better one may be missing, so the book is not right. */
function isTopUnknown({ bids, asks }: BookView): boolean {
  return bids.best_key < bids.bound_key || asks.best_key < asks.bound_key;
}
