/**
 * MEXC tells changes as a fraction of the price (0.0135), we as percent (1.35). The product is rounded to the 15 digits
 * that both are exact in. Undefined for what is no number.
 */
export function percentOf(fraction: number): number | undefined {
  return Number.isFinite(fraction) ? Number((fraction * 100).toPrecision(15)) : undefined;
}
