/**
 * The instruments of one source. Events go in, each to its instrument; updates come out through the context.
 * One symbol's trouble stays with that symbol. Refuses: events of symbols nobody asked for (counted).
 */
import type { MetricFamily, MetricValue } from "../base/metrics.ts";
import type { MarketEvent } from "../market/event.ts";
import type { EventBatch } from "../market/event_batch.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";
import { Instrument, type InstrumentContext } from "./instrument.ts";

/** Symbols learnt from the traffic of a recording; a corrupt one must not grow memory. */
const MAX_LEARNT = 4_096;

export class Books {
  readonly instruments = new Map<string, Instrument>();
  /** Events of symbols that are not ours. */
  foreign = 0;
  #last: Instrument | undefined;
  readonly #expected: MetricFamily<MetricValue>;

  /** `learn`: take any symbol that comes (recordings); else only those added. */
  constructor(
    readonly venue: string,
    /** Undefined: the source brings no books, only trades, quotes and the like. */
    readonly rule: SequenceRule | undefined,
    readonly context: InstrumentContext,
    readonly learn = false,
  ) {
    this.#expected = context.metrics.gauge(
      "feed_data_expected",
      "Each configured symbol: 1, or 0 while its market is closed",
      ["venue", "symbol"],
    );
    context.metrics.onCollect(() => {
      for (const symbol of this.instruments.keys()) {
        this.#expected.with(venue, symbol).value = context.silence?.(symbol) === undefined ? 1 : 0;
      }
    });
  }

  add(symbol: string): Instrument {
    const found = this.instruments.get(symbol);
    if (found) return found;
    const made = new Instrument(this.venue, symbol, this.rule, this.context);
    this.instruments.set(symbol, made);
    return made;
  }
  /** Consumers learn of the removal as a book out of sync, reason "removed". */
  remove(symbol: string): void {
    const gone = this.instruments.get(symbol);
    if (!gone) return;
    this.instruments.delete(symbol);
    this.#last = undefined;
    gone.metrics.forget();
    this.#expected.remove(this.venue, symbol);
    this.context.publish({
      kind: "book_status",
      venue: this.venue,
      symbol,
      in_sync: false,
      reason: "removed",
      received_us: this.context.clock.now_us(),
    });
  }
  process(batch: EventBatch): void {
    const { events } = batch;
    for (let i = 0; i < events.length; i++) this.event(events[i]);
  }
  event(event: MarketEvent): void {
    const instrument = this.#find(event.symbol);
    if (instrument === undefined) {
      this.foreign++;
      return;
    }
    switch (event.kind) {
      case "book_delta":
        return instrument.onDelta(event);
      case "quote":
        return instrument.onQuote(event);
      case "trade":
        return instrument.onTrade(event);
      case "book_snapshot":
        return instrument.onSnapshot(event);
      case "orders":
        return instrument.onOrders(event);
      case "damage":
        return instrument.onDamage();
      default:
        instrument.onOther(event);
    }
  }
  interrupted(symbols: readonly string[], reason: string, at_us = this.context.clock.now_us()): void {
    for (const symbol of symbols) this.instruments.get(symbol)?.interrupted(reason, at_us);
  }
  tradesInterrupted(symbols: readonly string[]): void {
    for (const symbol of symbols) this.instruments.get(symbol)?.tradesInterrupted();
  }
  /** Call a few times a second where candles are built. */
  tick(now_ms: number): void {
    for (const instrument of this.instruments.values()) instrument.tick(now_ms);
  }
  #find(symbol: string): Instrument | undefined {
    // Frames of one symbol come in runs, and symbols are interned: an identity check mostly settles it.
    if (this.#last !== undefined && this.#last.symbol === symbol) return this.#last;
    const found = this.instruments.get(symbol) ??
      (this.learn && this.instruments.size < MAX_LEARNT ? this.add(symbol) : undefined);
    if (found) this.#last = found;
    return found;
  }
}
