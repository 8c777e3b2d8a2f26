/** The time of a recording: what the records say. Timers are the host's, since nobody waits in a market long over. */
import type { Clock, Timer } from "../../base/clock.ts";

export class ReplayClock implements Clock {
  /** Unix epoch, microseconds: set by whoever plays. */
  at_us = 0;

  constructor(readonly host: Clock) {}

  now_ms(): number {
    return Math.floor(this.at_us / 1_000);
  }
  now_us(): number {
    return this.at_us;
  }
  monotonic_ms(): number {
    return this.at_us / 1_000;
  }
  after(delay_ms: number, callback: () => void): Timer {
    return this.host.after(delay_ms, callback);
  }
  every(period_ms: number, callback: () => void): Timer {
    return this.host.every(period_ms, callback);
  }
}
