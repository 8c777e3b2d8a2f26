/**
 * What every bench needs: the best of a few rounds, percentiles, and lines that read the same everywhere.
 * Figures are absolute and, beside them, ratios to a baseline of the same run: machines are shared, ratios count.
 */
import { systemClock } from "../../lib/base/clock.ts";

/** Milliseconds of the fastest of `rounds` after one uncounted warm-up. */
export function fastest_ms(round: () => void, rounds = 3): number {
  let best_ms = Infinity;
  for (let i = 0; i <= rounds; i++) {
    const from_ms = systemClock.monotonic_ms();
    round();
    if (i > 0) best_ms = Math.min(best_ms, systemClock.monotonic_ms() - from_ms);
  }
  return best_ms;
}

/** The value at quantile `q` of `samples`, which are sorted in place. */
export function quantile(samples: Float64Array, q: number): number {
  samples.sort();
  return samples[Math.min(samples.length - 1, Math.floor(q * samples.length))];
}

export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

/** One aligned line: what, figure, ratio, remark. */
export function row(what: string, figure: string, remark = ""): void {
  print(`  ${what.padEnd(58)} ${figure.padStart(24)}  ${remark}`);
}
