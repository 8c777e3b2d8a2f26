/**
 * Which lines of two texts are the same: common head and tail, then lines that are unique in both (patience), then the
 * shortest edit (Myers) in what is left between. Work is bounded: a gap that would need more edits than that is told as
 * wholly different, so the answer is always right but not always the smallest.
 */

/** Pairs of equal lines, rising in both: index in `a`, index in `b`. */
export type LinePair = readonly [a: number, b: number];

const MAX_EDITS = 400;
const MAX_DEPTH = 64;

export function matchLines(a: readonly string[], b: readonly string[]): LinePair[] {
  const pairs: LinePair[] = [];
  matchRange(a, b, { from_a: 0, to_a: a.length, from_b: 0, to_b: b.length }, pairs, 0);
  return pairs;
}

interface Range {
  from_a: number;
  to_a: number;
  from_b: number;
  to_b: number;
}

function matchRange(
  a: readonly string[],
  b: readonly string[],
  range: Range,
  pairs: LinePair[],
  depth: number,
): void {
  let { from_a, to_a, from_b, to_b } = range;
  while (from_a < to_a && from_b < to_b && a[from_a] === b[from_b]) pairs.push([from_a++, from_b++]);
  let same_tail = 0;
  while (from_a < to_a && from_b < to_b && a[to_a - 1] === b[to_b - 1]) {
    to_a--;
    to_b--;
    same_tail++;
  }
  if (from_a < to_a && from_b < to_b && depth < MAX_DEPTH) {
    const anchors = uniqueInBoth(a, b, { from_a, to_a, from_b, to_b });
    if (anchors.length === 0) shortestEdit(a, b, { from_a, to_a, from_b, to_b }, pairs);
    for (const [next_a, next_b] of anchors.length === 0 ? [] : [...anchors, [to_a, to_b] as const]) {
      matchRange(a, b, { from_a, to_a: next_a, from_b, to_b: next_b }, pairs, depth + 1);
      if (next_a < to_a) pairs.push([next_a, next_b]);
      [from_a, from_b] = [next_a + 1, next_b + 1];
    }
  }
  for (let i = 0; i < same_tail; i++) pairs.push([to_a + i, to_b + i]);
}

/** Lines that stand once in either range, as the longest row that rises in both. */
function uniqueInBoth(a: readonly string[], b: readonly string[], range: Range): LinePair[] {
  const places = new Map<string, { a: number; b: number }>();
  for (let i = range.from_a; i < range.to_a; i++) {
    const known = places.get(a[i]);
    places.set(a[i], { a: known ? -1 : i, b: -2 });
  }
  for (let i = range.from_b; i < range.to_b; i++) {
    const known = places.get(b[i]);
    if (known) known.b = known.b === -2 ? i : -1;
  }
  const candidates = Array.from(places.values()).filter((place) => place.a >= 0 && place.b >= 0);
  // Longest rising row by patience: the last card of each pile, each card pointing back to the pile before.
  const piles: number[] = [];
  const before = new Int32Array(candidates.length);
  candidates.forEach((card, i) => {
    let low = 0;
    let high = piles.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (candidates[piles[middle]].b < card.b) low = middle + 1;
      else high = middle;
    }
    before[i] = low > 0 ? piles[low - 1] : -1;
    piles[low] = i;
  });
  const row: LinePair[] = [];
  for (let i = piles.length > 0 ? piles[piles.length - 1] : -1; i >= 0; i = before[i]) {
    row.push([candidates[i].a, candidates[i].b]);
  }
  return row.reverse();
}

/** E. W. Myers, "An O(ND) Difference Algorithm", the greedy form; nothing when it takes more than MAX_EDITS. */
function shortestEdit(a: readonly string[], b: readonly string[], range: Range, pairs: LinePair[]): void {
  const { from_a, from_b } = range;
  const [rows, columns] = [range.to_a - from_a, range.to_b - from_b];
  const limit = Math.min(MAX_EDITS, rows + columns);
  const furthest = new Int32Array(2 * limit + 3);
  const history: Int32Array[] = [];
  for (let edits = 0; edits <= limit; edits++) {
    history.push(furthest.slice());
    for (let k = -edits; k <= edits; k += 2) {
      let x = stepDown(furthest, k, edits, limit) ? furthest[limit + k + 2] : furthest[limit + k] + 1;
      while (x < rows && x - k < columns && a[from_a + x] === b[from_b + x - k]) x++;
      furthest[limit + k + 1] = x;
      if (x < rows || x - k < columns) continue;
      pairs.push(...traced(history, rows, columns, limit).map(([i, j]) => [from_a + i, from_b + j] as const));
      return;
    }
  }
}

/** Whether the best way to diagonal `k` comes from the one above (a line of b more) rather than from below. */
function stepDown(furthest: Int32Array, k: number, edits: number, limit: number): boolean {
  return k === -edits || (k !== edits && furthest[limit + k] < furthest[limit + k + 2]);
}

function traced(history: readonly Int32Array[], rows: number, columns: number, limit: number): LinePair[] {
  const found: LinePair[] = [];
  let [x, y] = [rows, columns];
  for (let edits = history.length - 1; edits >= 0; edits--) {
    const furthest = history[edits];
    const k = x - y;
    const previous = stepDown(furthest, k, edits, limit) ? k + 1 : k - 1;
    const start = edits === 0 ? 0 : furthest[limit + previous + 1];
    const start_y = edits === 0 ? 0 : start - previous;
    while (x > start && y > start_y && x > 0 && y > 0) found.push([--x, --y]);
    [x, y] = [start, start_y];
  }
  return found.reverse();
}
