/**
 * Who goes after whom in a Cluster: of each slot one flight at a time is on its way, the next waits for its end. A node
 * that refuses a command (the slot left) may take the one behind it (the slot came back), so what is not yet refused may
 * never be followed by something that might be taken. What waits behind a refusal comes back with it, untried.
 */
import { CLUSTER_SLOTS } from "./cluster_slot.ts";
import type { RedisItem } from "./redis_link.ts";

export interface Flight {
  /** Those to wait for. */
  readonly before: ReadonlySet<Flight>;
  /** Resolves at `end`. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  /** Slots of which something was refused that its sender will send again. */
  refused: ReadonlySet<number>;
}

const NONE: ReadonlySet<never> = new Set<never>();

export class SlotFlights {
  /** The last of each slot, under way or refused. */
  readonly #last = new Array<Flight | undefined>(CLUSTER_SLOTS).fill(undefined);

  /** Takes its place in the order at once, also where it has to wait. */
  begin(items: readonly RedisItem[], indices: readonly number[]): Flight {
    const { promise, resolve } = Promise.withResolvers<void>();
    let before: Set<Flight> | undefined;
    const flight: Flight = { before: NONE, ended: promise, end: resolve, refused: NONE };
    for (const i of indices) {
      const { slot, channel } = items[i];
      if (channel === undefined) continue;
      const last = this.#last[slot];
      if (last === flight) continue;
      if (last !== undefined) (before ??= new Set()).add(last);
      this.#last[slot] = flight;
    }
    return before ? Object.assign(flight, { before }) : flight;
  }
  /** `refused`: slots of which it did not bring everything to its end. */
  end(flight: Flight, items: readonly RedisItem[], indices: readonly number[], refused: Set<number>): void {
    flight.refused = refused;
    for (const i of indices) {
      const { slot } = items[i];
      if (this.#last[slot] === flight && !refused.has(slot)) this.#last[slot] = undefined;
    }
    flight.end();
  }
  /** Whoever sent it knows of the refusals: what comes now comes in order. */
  forget(flight: Flight): void {
    for (const slot of flight.refused) if (this.#last[slot] === flight) this.#last[slot] = undefined;
  }
}
