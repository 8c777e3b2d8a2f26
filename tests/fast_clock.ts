/**
 * The host's clock, hastened: delays of seconds pass in tens of milliseconds while sockets stay real. For long stories
 * told quickly; nothing may hang on a timer being on time, since a busy machine is late by `rate` times as much.
 */
import { type Clock, systemClock, type Timer } from "../lib/base/clock.ts";

export class FastClock implements Clock {
  readonly #start_ms = systemClock.monotonic_ms();
  readonly #epoch_ms = systemClock.now_ms();

  /** @param rate seconds of this clock in a second of the host's */
  constructor(readonly rate: number) {}

  monotonic_ms(): number {
    return (systemClock.monotonic_ms() - this.#start_ms) * this.rate;
  }
  now_us(): number {
    return (this.#epoch_ms + this.monotonic_ms()) * 1000;
  }
  now_ms(): number {
    return Math.floor(this.#epoch_ms + this.monotonic_ms());
  }
  after(delay_ms: number, callback: () => void): Timer {
    return systemClock.after(delay_ms / this.rate, callback);
  }
  every(period_ms: number, callback: () => void): Timer {
    return systemClock.every(Math.max(1, period_ms / this.rate), callback);
  }
}
