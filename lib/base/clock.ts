/**
 * Time as a parameter. Everything that waits or stamps takes a `Clock`, so tests decide what time it is.
 * This file alone touches the host's clock and timers; tests/tidy_test.ts refuses them elsewhere.
 */
import { setImmediate } from "node:timers";

/** A pending timer; `cancel` is idempotent and safe after it fired. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time, Unix epoch, milliseconds. */
  now_ms(): number;
  /** Wall time, Unix epoch, microseconds with a fraction; a double resolves 0.25 µs until the year 2255. */
  now_us(): number;
  /** Monotonic time from an arbitrary start, milliseconds with a fraction. For durations. */
  monotonic_ms(): number;
  /** Runs `callback` once after `delay_ms`. */
  after(delay_ms: number, callback: () => void): Timer;
  /** Runs `callback` every `period_ms` until cancelled. */
  every(period_ms: number, callback: () => void): Timer;
}

/** Resolves after the event loop has served sockets and timers once: for long work that must not starve them. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits `delay_ms`; resolves early (without error) when `signal` aborts. */
export function sleep(clock: Clock, delay_ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.after(delay_ms, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** `work`, or a rejection naming `what` once `limit_ms` is over. The work itself is not stopped: abort it too. */
export async function withDeadline<T>(
  clock: Clock,
  limit_ms: number,
  what: string,
  work: Promise<T>,
): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.after(limit_ms, () => reject(new Error(`${what}: no answer within ${limit_ms} ms`)));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.cancel();
  }
}

const started_us = performance.timeOrigin * 1000;

/** The host's clock. */
export const systemClock: Clock = {
  now_ms: () => Date.now(),
  now_us: () => started_us + performance.now() * 1000,
  monotonic_ms: () => performance.now(),
  after(delay_ms, callback) {
    const id = setTimeout(callback, delay_ms);
    return { cancel: () => clearTimeout(id) };
  },
  every(period_ms, callback) {
    const id = setInterval(callback, period_ms);
    return { cancel: () => clearInterval(id) };
  },
};

/** A clock that moves only when told: for tests and for deterministic replay. */
export class ManualClock implements Clock {
  #now_ms: number;
  #origin_ms: number;
  #next_id = 1;
  readonly #timers = new Map<number, { due_ms: number; period_ms?: number; callback: () => void }>();

  constructor(start_ms = 1_700_000_000_000) {
    this.#now_ms = start_ms;
    this.#origin_ms = start_ms;
  }
  now_ms(): number {
    return Math.floor(this.#now_ms);
  }
  now_us(): number {
    return this.#now_ms * 1000;
  }
  monotonic_ms(): number {
    return this.#now_ms - this.#origin_ms;
  }
  after(delay_ms: number, callback: () => void): Timer {
    return this.#add(delay_ms, undefined, callback);
  }
  every(period_ms: number, callback: () => void): Timer {
    return this.#add(period_ms, period_ms, callback);
  }
  #add(delay_ms: number, period_ms: number | undefined, callback: () => void): Timer {
    const id = this.#next_id++;
    this.#timers.set(id, { due_ms: this.#now_ms + Math.max(0, delay_ms), period_ms, callback });
    return { cancel: () => void this.#timers.delete(id) };
  }
  /** How many timers wait: a test's leak check. */
  get pending(): number {
    return this.#timers.size;
  }
  /** Moves time on, firing timers in order of due time; the clock reads each one's due time while it runs. */
  advance(by_ms: number): void {
    const end_ms = this.#now_ms + by_ms;
    for (;;) {
      let next: [number, { due_ms: number; period_ms?: number; callback: () => void }] | undefined;
      for (const entry of this.#timers) {
        if (entry[1].due_ms <= end_ms && (!next || entry[1].due_ms < next[1].due_ms)) next = entry;
      }
      if (!next) break;
      const [id, timer] = next;
      this.#now_ms = Math.max(this.#now_ms, timer.due_ms);
      if (timer.period_ms === undefined) this.#timers.delete(id);
      else timer.due_ms += Math.max(timer.period_ms, 1);
      timer.callback();
    }
    this.#now_ms = end_ms;
  }
}
