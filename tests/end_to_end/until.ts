/** Waiting for a state of another process: asked again and again, with a bound that only catches what never comes. */
import { sleep, systemClock } from "../../lib/base/clock.ts";

const EVERY_MS = 10;

/** Resolves with the first value of `probe` that is neither undefined nor false. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  limit_ms = 20_000,
  explain: () => unknown = () => undefined,
): Promise<T> {
  const give_up_ms = systemClock.monotonic_ms() + limit_ms;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (systemClock.monotonic_ms() > give_up_ms) {
      const why = explain();
      throw new Error(`wait for ${what}: not within ${limit_ms} ms${why === undefined ? "" : `: ${why}`}`);
    }
    await sleep(systemClock, EVERY_MS);
  }
}

/** Milliseconds that `work` took, rounded, beside its result. */
export async function timed<T>(work: () => Promise<T>): Promise<{ result: T; elapsed_ms: number }> {
  const start_ms = systemClock.monotonic_ms();
  const result = await work();
  return { result, elapsed_ms: Math.round(systemClock.monotonic_ms() - start_ms) };
}
