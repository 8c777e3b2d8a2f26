/** Sums and the like of numbers that may be absent: what is not known is left out, and of nothing there is nothing. */

export function total(values: readonly (number | undefined)[] = []): number | undefined {
  return values.reduce((sum, value) => value === undefined ? sum : (sum ?? 0) + value, undefined);
}

export function greatest(values: readonly (number | undefined)[] = []): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((most, value) => Math.max(most, value));
}

/** Of a counter between two looks; one that went back began anew. */
export function increase(now: number | undefined, before: number | undefined): number | undefined {
  if (now === undefined || before === undefined) return undefined;
  return now >= before ? now - before : now;
}

export function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value * by;
}
