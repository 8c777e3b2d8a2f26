/**
 * Where the market believes the price to be: a log price that wanders with clustered volatility. Two mean-reverting log
 * volatilities, one of minutes and one of hours, make quiet and wild spells; a weak pull back to the reference over days
 * and a hard fence keep a simulation of weeks in a plausible range.
 */
import type { Random } from "../base/random.ts";

/** Of an annualised volatility; simulated markets never close. */
export const seconds_per_year = 31_536_000;
const fast_spell_s = 90;
const slow_spell_s = 5_400;
/** Standard deviations of the two log volatilities. */
const fast_depth = 0.45;
const slow_depth = 0.35;
const reversion_s = 2 * 86_400;
/** The log price stays within ±1.2 of the reference: 0.3 to 3.3 times. */
const fence = 1.2;

export class FairPrice {
  #log = 0;
  #fast = 0;
  #slow = 0;
  readonly #per_root_s: number;

  /** @param volatility annualised, as a fraction */
  constructor(readonly reference_ticks: number, volatility: number, readonly random: Random) {
    this.#per_root_s = volatility / Math.sqrt(seconds_per_year);
  }
  /** Fractional ticks. */
  get ticks(): number {
    return this.reference_ticks * Math.exp(this.#log);
  }
  /** How much wilder than the long-run average the present moment is; 1 is average. */
  get relative_volatility(): number {
    // Subtracting the variances makes the mean square 1, so that `volatility` means what it says in the long run.
    return Math.exp(this.#fast + this.#slow - fast_depth ** 2 - slow_depth ** 2);
  }
  /**
   * Lets time pass.
   * @param volatility_factor of the scenario's phase
   * @param drift_per_s of the log price, on top of the wandering
   */
  step(elapsed_s: number, volatility_factor: number, drift_per_s: number): void {
    const { random } = this;
    this.#fast = reverted(this.#fast, elapsed_s / fast_spell_s, fast_depth, random);
    this.#slow = reverted(this.#slow, elapsed_s / slow_spell_s, slow_depth, random);
    const deviation = this.#per_root_s * volatility_factor * this.relative_volatility * Math.sqrt(elapsed_s);
    const pull = this.#log * Math.min(1, elapsed_s / reversion_s);
    const log = this.#log + drift_per_s * elapsed_s + deviation * random.normal() - pull;
    this.#log = Math.min(fence, Math.max(-fence, log));
  }
}

/** One exact step of an Ornstein–Uhlenbeck process around 0, `spells` mean-reversion times long. */
function reverted(value: number, spells: number, depth: number, random: Random): number {
  const kept = Math.exp(-spells);
  return value * kept + depth * Math.sqrt(1 - kept * kept) * random.normal();
}
