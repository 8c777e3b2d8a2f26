/**
 * One symbol's order book kept true to the venue: snapshot splice, sequence checks, gap repair, loss-free refresh.
 * Rules come from the feed (`SequenceRule`); time and transport stay outside. While not `live` nobody may read the book.
 * A gap keeps the old book as a base: when the missing delta arrives late, the chain closes without a snapshot.
 */
import type { BookDelta, BookSnapshot } from "../market/event.ts";
import { OrderBook } from "../market/order_book.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";
import { countDifferences, mergeRefresh } from "./book_refresh.ts";
import { DeltaLog } from "./delta_log.ts";

/** A crossed book that outlasts this many updates is a fault; one may be the venue's own transient. */
const CROSSED_UPDATES_ALLOWED = 1;
/**
 * So many stale deltas in a row, all of a later time than the book by more than `STALE_LEAD_MS`, mean that the venue's
 * ids started over and nothing would ever fit again. A second connection repeats deltas too, but not later ones.
 */
export const STALE_RUN_FOR_FAULT = 64;
export const STALE_LEAD_MS = 5_000;
/** An in-band snapshot of a lower id, yet later by more than clocks of one venue differ: its ids started over. */
const RESTART_LEAD_MS = 1_000;

/** The reason of a snapshot that a live book wants: it can wait. Every other reason is a book out of sync. */
export const REFRESH = "refresh";

export interface OutOfSync {
  /** gap, crossed, audit, disconnected, overflow … */
  reason: string;
  missing_from_id?: number;
  missing_to_id?: number;
}

/** What the owner is told. Calls come synchronously from `onDelta` and `onSnapshot`. */
export interface ReplicaOwner {
  /** A snapshot is wanted; deltas are buffered meanwhile. May be called again when one turns out unusable. */
  needSnapshot(reason: string): void;
  /** The book is right from here; `how` is snapshot or repair. Take it whole. */
  synced(how: "snapshot" | "repair", received_us: number): void;
  unsynced(why: OutOfSync, received_us: number): void;
  /** The venue sent a whole book anew while ours was live: take it whole. */
  replaced(received_us: number): void;
  /** A background refresh was merged; `differences` levels of our book were not as in the fresh one. */
  refreshed(differences: number): void;
}

/** What became of a delta. `suspended`: applied, yet the book is crossed and must not be published. */
export type DeltaOutcome = "applied" | "suspended" | "stale" | "held";

export class BookReplica {
  readonly book = new OrderBook();
  /** Id of the last delta or snapshot inside the book. */
  last_id = 0;
  #live = false;
  /** The book still stands at `last_id` and a late delta may continue it. */
  #has_base = false;
  /** A snapshot is in the book and waits for its first delta. */
  #awaits_first = false;
  #crossed_updates = 0;
  #stale_run = 0;
  /** The venue's time of the newest delta that was not stale. */
  #newest_ms: number | undefined;
  readonly #log: DeltaLog;
  #refreshing = false;
  #held_refresh: BookSnapshot | undefined;

  constructor(readonly rule: SequenceRule, readonly owner: ReplicaOwner, log = new DeltaLog()) {
    this.#log = log;
  }
  /** In sync: the book may be read and published. */
  get live(): boolean {
    return this.#live;
  }
  get refreshing(): boolean {
    return this.#refreshing;
  }
  /** The newest id seen in order: of the last delta that waits, else of the book. */
  get newest_id(): number {
    return this.#live || this.#log.size === 0 ? this.last_id : this.#log.at(this.#log.size - 1).last_id;
  }
  /** Deltas waiting for a snapshot. */
  get buffered(): number {
    return this.#log.size;
  }

  onDelta(delta: BookDelta): DeltaOutcome {
    const outcome = this.#live ? this.#onDeltaLive(delta) : this.#onDeltaOutOfSync(delta);
    if (outcome === "stale") this.#noteStale(delta);
    else {
      this.#stale_run = 0;
      this.#newest_ms = delta.exchange_ms ?? delta.sent_ms;
    }
    return outcome;
  }
  #onDeltaLive(delta: BookDelta): DeltaOutcome {
    const verdict = this.#awaits_first
      ? this.rule.afterSnapshot(delta, this.last_id)
      : this.rule.afterDelta(delta, this.last_id);
    if (verdict === "stale") return "stale";
    if (verdict === "gap") {
      const missing_to_id = delta.previous_id ?? delta.first_id - 1;
      this.#leaveSync(
        { reason: "gap", missing_from_id: this.last_id + 1, missing_to_id },
        delta.received_us,
        true,
      );
      return this.#hold(delta);
    }
    this.#awaits_first = false;
    const outcome = this.#apply(delta);
    if (this.#refreshing && this.#live) this.#logForRefresh(delta);
    return outcome;
  }

  onSnapshot(snapshot: BookSnapshot): void {
    if (this.rule.in_band_snapshots) {
      // Overlapping connections each bring one; the book goes on from the newer state.
      if (this.#live && !this.#isNews(snapshot)) return;
      return this.#adopt(snapshot);
    }
    if (this.#live) {
      if (this.#refreshing) this.#tryRefresh(snapshot);
      return;
    }
    if (this.#awaits_first && this.#standsAs(snapshot)) {
      this.last_id = Math.max(this.last_id, snapshot.last_id);
      return this.#enterSync("snapshot", snapshot.received_us, true);
    }
    this.#splice(snapshot);
  }

  /** Distrusts the book (audit difference, operator's wish): out of sync until a fresh snapshot is spliced. */
  fault(reason: string, received_us: number): void {
    if (this.#live) this.#leaveSync({ reason }, received_us, false);
    else this.#has_base = false;
  }
  /** The stream behind the book stopped; the book stays as a base in case the next delta continues it. */
  disconnected(reason: string, received_us: number): void {
    if (this.#live) return this.#leaveSync({ reason }, received_us, true);
    // What was held belongs to the stream that stopped: the next one may number differently.
    this.#log.clear();
    this.#awaits_first = false;
    this.owner.needSnapshot(reason);
  }
  /** Asks for a snapshot to widen the known depth, while the live book goes on. False when it is not the time. */
  refresh(): boolean {
    if (!this.#live || this.#refreshing || this.rule.in_band_snapshots) return false;
    this.#refreshing = true;
    this.#held_refresh = undefined;
    this.#log.clear();
    this.owner.needSnapshot(REFRESH);
    return true;
  }

  #noteStale(delta: BookDelta): void {
    const time_ms = delta.exchange_ms ?? delta.sent_ms;
    if (time_ms !== undefined && this.#newest_ms !== undefined) {
      if (time_ms - this.#newest_ms <= STALE_LEAD_MS) return;
    }
    if (++this.#stale_run < STALE_RUN_FOR_FAULT) return;
    this.#stale_run = 0;
    if (this.#live) return this.#leaveSync({ reason: "ids_restarted" }, delta.received_us, false);
    this.#has_base = false;
    this.#awaits_first = false;
    this.owner.needSnapshot("ids_restarted");
  }
  /** Lays the delta over the book, and takes away what the venue no longer keeps; the delta then says so too. */
  #change(delta: BookDelta): void {
    this.book.apply(delta.bids, delta.asks);
    if (delta.depth_limit !== undefined) this.book.keepBest(delta.depth_limit, delta.bids, delta.asks);
    this.last_id = delta.last_id;
  }
  /** The venue's checksum over the book fits, or it gave none. */
  #proves(event: BookDelta | BookSnapshot): boolean {
    const { checksum } = this.rule;
    return event.checksum === undefined || checksum === undefined ||
      checksum(this.book, event.precision) === event.checksum;
  }
  #apply(delta: BookDelta): DeltaOutcome {
    this.#change(delta);
    if (!this.#proves(delta)) {
      this.#leaveSync({ reason: "checksum" }, delta.received_us, false);
      return "held";
    }
    if (!this.book.crossed) {
      this.#crossed_updates = 0;
      return "applied";
    }
    if (++this.#crossed_updates > CROSSED_UPDATES_ALLOWED) {
      this.#leaveSync({ reason: "crossed" }, delta.received_us, false);
      return "held";
    }
    return "suspended";
  }

  #onDeltaOutOfSync(delta: BookDelta): DeltaOutcome {
    if (this.#has_base) {
      // A stale one is kept too: should the venue's ids have restarted, the snapshot will need it.
      if (this.rule.afterDelta(delta, this.last_id) === "next") return this.#repair(delta);
    }
    if (!this.#awaits_first) return this.#hold(delta);
    const verdict = this.rule.afterSnapshot(delta, this.last_id);
    if (verdict === "stale") return "stale";
    this.#awaits_first = false;
    if (verdict === "gap") {
      this.owner.needSnapshot("snapshot too old");
      return this.#hold(delta);
    }
    this.#log.clear();
    this.#change(delta);
    this.#enterSync("snapshot", delta.received_us, false, delta);
    return "held";
  }
  /** The missing delta came late: apply it and whatever of the log it unlocks. */
  #repair(delta: BookDelta): DeltaOutcome {
    this.#change(delta);
    let newest = delta;
    let used = 0;
    while (used < this.#log.size) {
      const next = this.#log.at(used);
      const verdict = this.rule.afterDelta(next, this.last_id);
      if (verdict === "gap") break;
      if (verdict === "next") {
        this.#change(next);
        newest = next;
      }
      used++;
    }
    this.#log.dropFirst(used);
    if (this.#log.size === 0) this.#enterSync("repair", delta.received_us, false, newest);
    return "held";
  }
  #hold(delta: BookDelta): DeltaOutcome {
    if (this.#log.push(delta)) return "held";
    this.#log.clear();
    this.#has_base = false;
    this.#awaits_first = false;
    this.#log.push(delta);
    this.owner.needSnapshot("buffer overflow");
    return "held";
  }

  #splice(snapshot: BookSnapshot): void {
    const log = this.#log;
    let first = 0;
    while (first < log.size && this.rule.afterSnapshot(log.at(first), snapshot.last_id) === "stale") first++;
    if (first === log.size) return this.#awaitFirst(snapshot, first > 0);
    if (this.rule.afterSnapshot(log.at(first), snapshot.last_id) === "gap") {
      return this.owner.needSnapshot("snapshot too old");
    }
    const broken = this.#firstBreak(first);
    if (broken >= 0) {
      log.dropFirst(broken);
      return this.owner.needSnapshot("gap in the buffer");
    }
    this.book.replace(snapshot.bids, snapshot.asks, snapshot.depth_limit);
    this.last_id = snapshot.last_id;
    for (let i = first; i < log.size; i++) {
      const delta = log.at(i);
      if (i > first && this.rule.afterDelta(delta, this.last_id) === "stale") continue;
      this.#change(delta);
    }
    const newest = log.at(log.size - 1);
    log.clear();
    this.#enterSync("snapshot", newest.received_us, false, newest);
  }
  /** Index of the first logged delta after `first` that does not chain; −1 when all do. */
  #firstBreak(first: number): number {
    let last_id = this.#log.at(first).last_id;
    for (let i = first + 1; i < this.#log.size; i++) {
      const delta = this.#log.at(i);
      const verdict = this.rule.afterDelta(delta, last_id);
      if (verdict === "gap") return i;
      if (verdict === "next") last_id = delta.last_id;
    }
    return -1;
  }
  /** No delta follows the snapshot yet. If older ones prove that the stream flows, the book is right already. */
  #awaitFirst(snapshot: BookSnapshot, stream_flows: boolean): void {
    this.book.replace(snapshot.bids, snapshot.asks, snapshot.depth_limit);
    this.last_id = snapshot.last_id;
    this.#has_base = false;
    this.#awaits_first = true;
    this.#log.clear();
    if (stream_flows) this.#enterSync("snapshot", snapshot.received_us, true);
  }
  /**
   * A quiet symbol: no delta has come since the snapshot in the book, and a second snapshot, taken later, is the same.
   * So nothing happened in between, and the silence of the stream is the truth.
   */
  #standsAs(snapshot: BookSnapshot): boolean {
    if (this.#log.size > 0) return false;
    const { bids, asks } = this.book;
    const later = new OrderBook();
    later.replace(snapshot.bids, snapshot.asks, snapshot.depth_limit);
    return countDifferences(bids, later.bids, later.bids.bound_key) === 0 &&
      countDifferences(asks, later.asks, later.asks.bound_key) === 0;
  }
  /** An in-band snapshot that says more than the live book: newer, or of ids that started over. */
  #isNews(snapshot: BookSnapshot): boolean {
    if (snapshot.resets || snapshot.last_id > this.last_id) return true;
    const time_ms = snapshot.exchange_ms ?? snapshot.sent_ms;
    if (time_ms === undefined || this.#newest_ms === undefined) return true;
    return snapshot.last_id < this.last_id && time_ms - this.#newest_ms > RESTART_LEAD_MS;
  }
  #adopt(snapshot: BookSnapshot): void {
    this.#log.clear();
    this.book.replace(snapshot.bids, snapshot.asks, snapshot.depth_limit);
    this.last_id = snapshot.last_id;
    this.#newest_ms = snapshot.exchange_ms ?? snapshot.sent_ms;
    this.#stale_run = 0;
    this.#enterSync("snapshot", snapshot.received_us, false, snapshot);
  }

  /** `newest`: the last event inside the book, whose checksum must fit. */
  #enterSync(
    how: "snapshot" | "repair",
    received_us: number,
    at_snapshot = false,
    newest?: BookDelta | BookSnapshot,
  ): void {
    const is_proven = newest === undefined || this.#proves(newest);
    if (this.book.crossed || !is_proven) {
      const why = is_proven ? "crossed after splice" : "checksum";
      // A book that was live is so no more, and its consumers are told.
      if (this.#live) return this.#leaveSync({ reason: why }, received_us, false);
      this.#has_base = false;
      this.#awaits_first = false;
      return this.owner.needSnapshot(why);
    }
    const was_live = this.#live;
    this.#live = true;
    this.#has_base = true;
    this.#awaits_first = at_snapshot;
    this.#crossed_updates = 0;
    if (was_live) this.owner.replaced(received_us);
    else this.owner.synced(how, received_us);
  }
  #leaveSync(why: OutOfSync, received_us: number, keep_base: boolean): void {
    this.#live = false;
    this.#has_base = keep_base;
    this.#awaits_first = false;
    this.#refreshing = false;
    this.#held_refresh = undefined;
    this.#crossed_updates = 0;
    this.#log.clear();
    this.owner.unsynced(why, received_us);
    this.owner.needSnapshot(why.reason);
  }

  #logForRefresh(delta: BookDelta): void {
    if (!this.#log.push(delta)) this.#endRefresh();
    else if (this.#held_refresh) this.#tryRefresh(this.#held_refresh);
  }
  #tryRefresh(snapshot: BookSnapshot): void {
    if (snapshot.last_id > this.last_id) {
      this.#held_refresh = snapshot;
      return;
    }
    const differences = mergeRefresh(this.book, this.last_id, snapshot, this.#log, this.rule);
    this.#held_refresh = undefined;
    if (differences === undefined) return this.owner.needSnapshot(REFRESH);
    this.#endRefresh();
    this.owner.refreshed(differences);
  }
  #endRefresh(): void {
    this.#refreshing = false;
    this.#held_refresh = undefined;
    this.#log.clear();
  }
}
