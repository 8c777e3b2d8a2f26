/**
 * When a record is due: its place in the recording, at a speed, from where and when the playing began. Pausing and
 * changing the speed begin anew from the present place.
 */
import type { Clock } from "./clock.ts";

/** What is due within this is played at once: a timer is no finer. */
const GRAIN_MS = 0.5;

export class Pace {
  #from_us: number | undefined;
  #from_ms = 0;
  /** The most that a record was played after it was due, milliseconds. */
  worst_lateness_ms = 0;

  /** `speed`: market seconds a second; Infinity: as fast as it goes. */
  constructor(readonly clock: Clock, public speed: number) {}

  /** Milliseconds until it is due; 0: now. */
  wait_ms(at_us: number): number {
    if (this.speed === Infinity) return 0;
    const now_ms = this.clock.monotonic_ms();
    if (this.#from_us === undefined) {
      this.#from_us = at_us;
      this.#from_ms = now_ms;
      return 0;
    }
    const wait_ms = this.#from_ms + (at_us - this.#from_us) / 1_000 / this.speed - now_ms;
    if (-wait_ms > this.worst_lateness_ms) this.worst_lateness_ms = -wait_ms;
    return wait_ms > GRAIN_MS ? wait_ms : 0;
  }
  /** The next record is due when it comes. */
  restart(): void {
    this.#from_us = undefined;
  }
}
