/**
 * Sums of decimals without a lost digit: 0.1 + 0.2 is 0.3. A mantissa of any size and its number of decimals; only the
 * result is rounded, once, to the nearest double.
 */
import { formatDecimal, plainDecimal } from "./decimal.ts";

export interface ExactDecimal {
  readonly mantissa: bigint;
  readonly decimals: number;
}

/** A double or a decimal text as exact parts. */
export function exactDecimal(value: number | string): ExactDecimal {
  const text = typeof value === "number" ? formatDecimal(value) : plainDecimal(value);
  const point = text.indexOf(".");
  if (point < 0) return { mantissa: BigInt(text), decimals: 0 };
  return {
    mantissa: BigInt(text.slice(0, point) + text.slice(point + 1)),
    decimals: text.length - point - 1,
  };
}

export function exactProduct(one: ExactDecimal, other: ExactDecimal): ExactDecimal {
  return { mantissa: one.mantissa * other.mantissa, decimals: one.decimals + other.decimals };
}

export class ExactSum {
  #mantissa = 0n;
  #decimals = 0;

  add({ mantissa, decimals }: ExactDecimal): void {
    if (decimals > this.#decimals) {
      this.#mantissa *= 10n ** BigInt(decimals - this.#decimals);
      this.#decimals = decimals;
    }
    this.#mantissa += decimals === this.#decimals
      ? mantissa
      : mantissa * 10n ** BigInt(this.#decimals - decimals);
  }
  /** The nearest double. */
  get value(): number {
    return Number(`${this.#mantissa}e-${this.#decimals}`);
  }
}
