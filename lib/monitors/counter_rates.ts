/**
 * Counters that only rise, as rates a second between two looks. A rate is absent at the first look, when the counter is, and
 * when it has been turned back; another epoch (a restart of what is watched) begins anew.
 */
import type { Clock } from "../base/clock.ts";

export class CounterRates<Name extends string = string> {
  #before: { at_ms: number; epoch: string; values: ReadonlyMap<Name, number> } | undefined;
  #grown = new Map<Name, number>();
  #seconds: number | undefined;

  constructor(readonly clock: Clock) {}

  look(epoch: string, values: Readonly<Partial<Record<Name, number | undefined>>>): void {
    const at_ms = this.clock.monotonic_ms();
    const before = this.#before;
    const known = new Map<Name, number>();
    for (const [name, value] of Object.entries<number | undefined>(values)) {
      if (value !== undefined && Number.isFinite(value)) known.set(name as Name, value);
    }
    this.#grown = new Map();
    this.#seconds = undefined;
    if (before?.epoch === epoch && at_ms > before.at_ms) {
      this.#seconds = (at_ms - before.at_ms) / 1_000;
      for (const [name, value] of known) {
        const earlier = before.values.get(name);
        if (earlier !== undefined && value >= earlier) this.#grown.set(name, value - earlier);
      }
    }
    this.#before = { at_ms, epoch, values: known };
  }
  /** How much it rose between the last two looks. */
  grown(name: Name): number | undefined {
    return this.#grown.get(name);
  }
  per_s(name: Name): number | undefined {
    const grown = this.#grown.get(name);
    return grown === undefined || this.#seconds === undefined ? undefined : grown / this.#seconds;
  }
}
