/**
 * How full memory is, as a level that does not flap: up at once, down only when the use is well under the mark and the
 * level has been held a while. A level that is entered again soon after it was left is an oscillation: it is counted,
 * and the next hold is twice as long. Pure.
 */
import type { GuardLevel } from "../memory_guard.ts";

/** Share of the budget at which each level is entered. */
export const ENTER_AT: readonly number[] = [0, 0.70, 0.80, 0.90, 0.95];
/** A level is left this far below its mark. */
const GAP = 0.05;
const HOLD_MS = 1_000;
const MAX_HOLD_MS = 30_000;
/** Entered again within this time counts as an oscillation. */
const SOON_MS = 10_000;
const CALM_MS = 60_000;

interface Mark {
  entered_ms: number;
  left_ms: number;
  hold_ms: number;
}

export class GuardLevels {
  #level: GuardLevel = 0;
  readonly #marks: Mark[] = ENTER_AT.map(() => ({ entered_ms: 0, left_ms: -Infinity, hold_ms: HOLD_MS }));
  oscillations = 0;

  get level(): GuardLevel {
    return this.#level;
  }
  /** `share` of the budget in use at monotonic `now_ms` → the level in force. */
  note(share: number, now_ms: number): GuardLevel {
    while (this.#level < 4 && share >= ENTER_AT[this.#level + 1]) this.#enter(this.#level + 1, now_ms);
    while (this.#level > 0) {
      const mark = this.#marks[this.#level];
      if (share >= ENTER_AT[this.#level] - GAP || now_ms - mark.entered_ms < mark.hold_ms) break;
      mark.left_ms = now_ms;
      this.#level = this.#level - 1 as GuardLevel;
    }
    return this.#level;
  }
  #enter(level: number, now_ms: number): void {
    const mark = this.#marks[level];
    const away_ms = now_ms - mark.left_ms;
    if (away_ms < SOON_MS) {
      this.oscillations++;
      // Sources must not wait that long.
      if (level < 4) mark.hold_ms = Math.min(mark.hold_ms * 2, MAX_HOLD_MS);
    } else if (away_ms > CALM_MS) mark.hold_ms = HOLD_MS;
    mark.entered_ms = now_ms;
    this.#level = level as GuardLevel;
  }
}
