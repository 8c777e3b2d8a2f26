/**
 * What each of several redundant connections brought and missed, by the venue's ids: an update that one leg brought and
 * another did not within `SETTLE_MS` is missed by that other leg, whatever the reason. Only ids can tell: events without
 * them are not counted. Bounded: at most `MAX_OPEN` updates of a stream wait for their verdict; older ones get it early.
 */
import type { Clock } from "../../base/clock.ts";
import type { MarketEvent } from "../../market/event.ts";

const SETTLE_MS = 2_000;
const MAX_OPEN = 4_096;

export interface LegCount {
  /** Updates that this leg brought before any other. */
  first: number;
  /** Updates that another leg had brought already. */
  repeated: number;
  /** Updates that only others brought. */
  missed: number;
}

/** The open updates of one stream: id → the legs that brought it, as bits; in order of first arrival. */
interface Open {
  readonly legs: Map<number, number>;
  readonly arrived: { id: number; at_ms: number }[];
  head: number;
  /** Ids up to here have their verdict: a leg that comes later has missed nothing more. */
  settled_id: number;
}

export class LegTally {
  readonly counts: LegCount[];
  readonly #open = new Map<string, Open>();
  readonly #all: number;

  constructor(readonly legs: number, readonly clock: Clock) {
    this.counts = Array.from({ length: legs }, () => ({ first: 0, repeated: 0, missed: 0 }));
    this.#all = 2 ** legs - 1;
  }
  note(event: MarketEvent, leg: number): void {
    const id = idOf(event);
    if (id === undefined) return;
    const key = `${event.kind} ${event.symbol}`;
    let open = this.#open.get(key);
    if (!open) {
      open = { legs: new Map(), arrived: [], head: 0, settled_id: -Infinity };
      this.#open.set(key, open);
    }
    const bit = 1 << leg;
    const known = open.legs.get(id);
    if (known !== undefined) {
      if (known & bit) return;
      open.legs.set(id, known | bit);
      this.counts[leg].repeated++;
      return;
    }
    if (id <= open.settled_id) return;
    open.legs.set(id, bit);
    open.arrived.push({ id, at_ms: this.clock.monotonic_ms() });
    this.counts[leg].first++;
    if (open.arrived.length - open.head > MAX_OPEN) this.#settleOldest(open);
  }
  /** Gives their verdict to updates that are old enough; `all`: to every one, at the end. */
  settle(all = false): void {
    const until_ms = all ? Infinity : this.clock.monotonic_ms() - SETTLE_MS;
    for (const open of this.#open.values()) {
      while (open.head < open.arrived.length && open.arrived[open.head].at_ms <= until_ms) {
        this.#settleOldest(open);
      }
      if (open.head > 1_024) open.arrived.splice(0, open.head), open.head = 0;
    }
  }

  #settleOldest(open: Open): void {
    const { id } = open.arrived[open.head++];
    const brought = open.legs.get(id)!;
    open.legs.delete(id);
    open.settled_id = Math.max(open.settled_id, id);
    if (brought === this.#all) return;
    for (let leg = 0; leg < this.legs; leg++) if (!(brought & (1 << leg))) this.counts[leg].missed++;
  }
}

function idOf(event: MarketEvent): number | undefined {
  if (event.kind === "book_delta") return event.last_id;
  if (event.kind === "trade") return event.trade_id;
  return event.kind === "quote" ? event.update_id : undefined;
}
