/** Looks at a steady pace: after a slow one the next comes at its due time, those missed meanwhile are left out. */
import { type Clock, sleep } from "../../base/clock.ts";
import type { Observation, Observer } from "./observer.ts";

export interface Pace {
  readonly clock: Clock;
  readonly interval_ms: number;
  /** Absent: until `signal` aborts. */
  readonly count?: number;
  readonly signal: AbortSignal;
}

/**
 * The first look is not given out unless it failed: rates are measured between two, and a line without them would be half
 * a line.
 */
export async function* looks(observer: Observer, pace: Pace): AsyncIterable<Observation> {
  const { clock, interval_ms, count = Infinity, signal } = pace;
  let due_ms = clock.monotonic_ms();
  let given = 0;
  for (let is_first = true; given < count && !signal.aborted; is_first = false) {
    const observation = await untilAborted(observer.observe(), signal);
    if (observation === undefined) return;
    if (!is_first || !observation.found) {
      given++;
      yield observation;
      if (given >= count) return;
    }
    const now_ms = clock.monotonic_ms();
    due_ms += interval_ms * Math.max(1, Math.ceil((now_ms - due_ms) / interval_ms));
    await sleep(clock, due_ms - now_ms, signal);
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let stop = () => {};
  const stopped = new Promise<undefined>((resolve) => stop = () => resolve(undefined));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return signal.aborted ? undefined : await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
