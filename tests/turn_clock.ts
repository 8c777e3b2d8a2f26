/**
 * Time that moves by steps, each after enough turns of the event loop for sockets of this process to deliver what was
 * sent: a story of minutes is told in a second, and in the same way on an idle and on a busy machine. Only for stories
 * that happen within one process over loopback; nobody else knows of this time.
 */
import { ManualClock, nextTurn } from "../lib/base/clock.ts";

const STEP_MS = 10;
/** Deno looks at its sockets once in 61 turns; a message over loopback and its answer take two looks. */
const TURNS = 130;

export class TurnClock extends ManualClock {
  #stopped = false;

  /** Moves on until the work is done, and hands its outcome on. */
  async drive<T>(work: Promise<T>): Promise<T> {
    const ended = work.finally(() => this.#stopped = true);
    // Awaited at the end; a failure meanwhile is not unhandled.
    ended.catch(() => {});
    while (!this.#stopped) {
      for (let turn = 0; turn < TURNS && !this.#stopped; turn++) await nextTurn();
      this.advance(STEP_MS);
    }
    return await ended;
  }
}
