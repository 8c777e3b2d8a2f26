/** Venues offer book streams of a few depths: the smallest that holds what is wanted, else the deepest. */
export function offeredDepth(offered: readonly number[], wanted: number | undefined): number {
  if (wanted === undefined) return offered[0];
  return offered.find((depth) => depth >= wanted) ?? offered[offered.length - 1];
}
