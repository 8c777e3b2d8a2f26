/**
 * When the same thing may be said again. Events have a pause between two of them; a state is said when it has lasted, once
 * more every so often, and when it ends. Pure: time is told.
 */

export class Pause {
  #last_ms = -Infinity;
  constructor(readonly repeat_ms: number) {}
  /** True at most once per pause. */
  passes(now_ms: number): boolean {
    if (now_ms - this.#last_ms < this.repeat_ms) return false;
    this.#last_ms = now_ms;
    return true;
  }
}

/** A state that begins and ends all the time is said at most this often, however short `repeat_s` is not. */
const FLAPPING_PAUSE_MS = 30_000;

export type Turn = "begun" | "lasts" | "ended";

export class LastingState {
  /** Since when it has held; undefined while it does not. */
  since_ms: number | undefined;
  #said_ms = -Infinity;
  #is_said = false;

  /** `repeat_ms` 0: said once per episode. */
  constructor(readonly after_ms: number, readonly repeat_ms: number) {}

  /** What to say now, and how long it has lasted. */
  step(holds: boolean, now_ms: number): { turn: Turn; lasted_ms: number } | undefined {
    if (!holds) {
      const lasted_ms = now_ms - (this.since_ms ?? now_ms);
      const was_said = this.#is_said;
      this.since_ms = undefined;
      this.#is_said = false;
      return was_said ? { turn: "ended", lasted_ms } : undefined;
    }
    this.since_ms ??= now_ms;
    const lasted_ms = now_ms - this.since_ms;
    if (lasted_ms < this.after_ms) return undefined;
    if (!this.#is_said) {
      if (now_ms - this.#said_ms < FLAPPING_PAUSE_MS) return undefined;
      return this.#say("begun", now_ms, lasted_ms);
    }
    if (this.repeat_ms === 0 || now_ms - this.#said_ms < this.repeat_ms) return undefined;
    return this.#say("lasts", now_ms, lasted_ms);
  }
  /** As if it had never been: nobody knows how it ended. */
  forget(): void {
    this.since_ms = undefined;
    this.#is_said = false;
  }
  #say(turn: Turn, now_ms: number, lasted_ms: number) {
    this.#said_ms = now_ms;
    this.#is_said = true;
    return { turn, lasted_ms };
  }
}
