/** The tick or lot of so many decimals, as exact text: 2 → "0.01", 0 → "1". */
export function gridStep(decimals: number): string {
  return decimals === 0 ? "1" : `0.${"0".repeat(decimals - 1)}1`;
}
