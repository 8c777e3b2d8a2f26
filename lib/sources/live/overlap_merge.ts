/**
 * Puts what two connections bring of one stream back into the venue's order. One of them is always ahead: a frame that
 * came too early is held, for at most `PATIENCE_MS`, until the other connection brings what lies before it; so a book
 * never sees a gap that only one of them has. Repeats pass: books and trades let each id through once.
 * Refuses: waiting longer, or holding more than a bound — then the gap is real and told.
 */
import type { Clock } from "../../base/clock.ts";
import { DeltaLog } from "../../flow/delta_log.ts";
import type { BookDelta, BookSnapshot, MarketEvent, Trade } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";

/** Two paths to one venue differ by milliseconds; a frame that no connection brings within this is lost. */
export const PATIENCE_MS = 250;
const MAX_HELD_DELTAS = 1_024;
const MAX_HELD_LEVELS = 200_000;
const MAX_HELD_TRADES = 1_024;

/** What is known of one symbol's streams: the last id passed on, and what waits for something before it. */
interface Chain {
  last_delta_id: number | undefined;
  deltas: DeltaLog | undefined;
  last_trade_id: number | undefined;
  /** In order of id. */
  trades: Trade[];
  /** When the oldest began to wait; Infinity: nothing waits. */
  since_ms: number;
}

export class OverlapMerge {
  readonly #chains = new Map<string, Chain>();
  /** Frames that were held and then fell into place. */
  reordered = 0;

  constructor(readonly rule: SequenceRule | undefined, readonly clock: Clock) {}

  /** Looks at the events from `start` on: those that came too early leave the batch, those they unlock follow. */
  merge(batch: EventBatch, start: number): void {
    const { events } = batch;
    let kept = start;
    const end = events.length;
    for (let i = start; i < end; i++) {
      const event = events[i];
      if (!this.#admits(event)) continue;
      events[kept++] = event;
    }
    const symbol = end > start ? events[start].symbol : undefined;
    events.length = kept;
    if (symbol !== undefined) this.#release(batch, symbol);
  }
  /** Gives out, in order, whatever has waited too long; call on a tick. True when there was something. */
  expire(batch: EventBatch): boolean {
    const before = batch.size;
    const now_ms = this.clock.monotonic_ms();
    for (const chain of this.#chains.values()) {
      if (now_ms - chain.since_ms >= PATIENCE_MS) this.#giveOut(batch, chain);
    }
    return batch.size > before;
  }
  /** The symbol's streams begin anew: what was held belongs to the past. */
  forget(symbol: string): void {
    this.#chains.delete(symbol);
  }
  /** Nothing overlaps any more, or something begins to: what waits goes out first. */
  reset(batch: EventBatch): void {
    for (const chain of this.#chains.values()) this.#giveOut(batch, chain);
    this.#chains.clear();
  }

  #admits(event: MarketEvent): boolean {
    if (event.kind === "book_delta") return this.#admitsDelta(event);
    if (event.kind === "trade") return this.#admitsTrade(event);
    if (event.kind === "book_snapshot" && this.rule?.in_band_snapshots) this.#noteSnapshot(event);
    return true;
  }
  #admitsDelta(delta: BookDelta): boolean {
    if (this.rule === undefined) return true;
    const chain = this.#chain(delta.symbol);
    if (chain.last_delta_id === undefined) {
      chain.last_delta_id = delta.last_id;
      return true;
    }
    const verdict = this.rule.afterDelta(delta, chain.last_delta_id);
    if (verdict === "next") chain.last_delta_id = delta.last_id;
    if (verdict !== "gap") return true;
    const log = chain.deltas ??= new DeltaLog({
      max_deltas: MAX_HELD_DELTAS,
      max_levels: MAX_HELD_LEVELS,
    });
    for (let i = 0; i < log.size; i++) if (log.at(i).last_id === delta.last_id) return false;
    // Too much to hold: pass it on, and let the book find the gap.
    if (!log.push(delta)) return true;
    this.#waits(chain);
    return false;
  }
  /** Only aggregates are numbered +1 per symbol; of other ids nobody knows what lies between. */
  #admitsTrade(trade: Trade): boolean {
    const { trade_id } = trade;
    if (trade_id === undefined || trade.first_fill_id === undefined) return true;
    const chain = this.#chain(trade.symbol);
    if (chain.last_trade_id === undefined || trade_id === chain.last_trade_id + 1) {
      chain.last_trade_id = trade_id;
      return true;
    }
    if (trade_id <= chain.last_trade_id) return true;
    const { trades } = chain;
    let at = trades.length;
    while (at > 0 && trades[at - 1].trade_id! > trade_id) at--;
    if (at > 0 && trades[at - 1].trade_id === trade_id) return false;
    if (trades.length >= MAX_HELD_TRADES) return true;
    trades.splice(at, 0, trade);
    this.#waits(chain);
    return false;
  }
  #noteSnapshot(snapshot: BookSnapshot): void {
    const chain = this.#chain(snapshot.symbol);
    const { last_delta_id } = chain;
    if (snapshot.resets || last_delta_id === undefined || snapshot.last_id > last_delta_id) {
      chain.last_delta_id = snapshot.last_id;
    }
  }
  #chain(symbol: string): Chain {
    let chain = this.#chains.get(symbol);
    if (!chain) {
      chain = {
        last_delta_id: undefined,
        deltas: undefined,
        last_trade_id: undefined,
        trades: [],
        since_ms: Infinity,
      };
      this.#chains.set(symbol, chain);
    }
    return chain;
  }
  #waits(chain: Chain): void {
    if (chain.since_ms === Infinity) chain.since_ms = this.clock.monotonic_ms();
  }
  /** What was held and now continues the chain. */
  #release(batch: EventBatch, symbol: string): void {
    const chain = this.#chains.get(symbol);
    if (chain === undefined || chain.since_ms === Infinity) return;
    this.#releaseDeltas(batch, chain);
    const { trades } = chain;
    while (trades.length > 0 && trades[0].trade_id! <= chain.last_trade_id! + 1) {
      chain.last_trade_id = Math.max(chain.last_trade_id!, trades[0].trade_id!);
      batch.push(trades.shift()!);
      this.reordered++;
    }
    if (trades.length === 0 && !chain.deltas?.size) chain.since_ms = Infinity;
  }
  #releaseDeltas(batch: EventBatch, chain: Chain): void {
    const log = chain.deltas;
    if (log === undefined || chain.last_delta_id === undefined) return;
    for (let moved = true; moved && log.size > 0;) {
      moved = false;
      for (let i = 0; i < log.size; i++) {
        const delta = log.at(i);
        const verdict = this.rule!.afterDelta(delta, chain.last_delta_id);
        if (verdict === "gap") continue;
        if (verdict === "next") {
          chain.last_delta_id = delta.last_id;
          copyInto(batch, delta);
          this.reordered++;
        }
        log.drop(i);
        moved = true;
        break;
      }
    }
  }
  #giveOut(batch: EventBatch, chain: Chain): void {
    const { deltas, trades } = chain;
    if (deltas !== undefined) {
      for (let i = 0; i < deltas.size; i++) copyInto(batch, deltas.at(i));
      if (deltas.size > 0) chain.last_delta_id = deltas.at(deltas.size - 1).last_id;
      deltas.clear();
    }
    for (const trade of trades) batch.push(trade);
    if (trades.length > 0) chain.last_trade_id = trades.at(-1)!.trade_id;
    chain.trades = [];
    chain.since_ms = Infinity;
  }
}

function copyInto(batch: EventBatch, delta: BookDelta): void {
  const copy = batch.freeDelta();
  const { bids, asks } = copy;
  Object.assign(copy, delta, { bids, asks });
  bids.copyFrom(delta.bids);
  asks.copyFrom(delta.asks);
  batch.pushDelta(copy);
}
