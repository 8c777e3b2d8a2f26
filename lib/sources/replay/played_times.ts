/**
 * When the frames of the present batch were played: recorded receive time → the host's clock. Updates come in the order
 * of their frames, so the search goes on where it ended. Bound: one batch; cleared with it.
 */
import type { Clock } from "../../base/clock.ts";

export class PlayedTimes {
  #received_us = new Float64Array(1_024);
  #played_us = new Float64Array(1_024);
  #count = 0;
  #next = 0;

  constructor(readonly clock: Clock) {}

  note(received_us: number): void {
    if (this.#count === this.#received_us.length) this.#grow();
    this.#received_us[this.#count] = received_us;
    this.#played_us[this.#count++] = this.clock.now_us();
  }
  /** Undefined for what no frame of this batch brought. */
  find(received_us: number): number | undefined {
    for (let looked = 0; looked < this.#count; looked++) {
      if (this.#received_us[this.#next] === received_us) return this.#played_us[this.#next];
      this.#next = (this.#next + 1) % this.#count;
    }
    return undefined;
  }
  clear(): void {
    this.#count = this.#next = 0;
  }
  #grow(): void {
    const [received_us, played_us] = [this.#received_us, this.#played_us].map((one) => {
      const grown = new Float64Array(one.length * 2);
      grown.set(one);
      return grown;
    });
    this.#received_us = received_us;
    this.#played_us = played_us;
  }
}
