/**
 * "Did you mean": the known word nearest to a mistyped one, by edit distance with transpositions (optimal string
 * alignment). Case and the difference between "-" and "_" cost nothing. Undefined when nothing is near: a wild guess is
 * worse than none.
 */
export function nearestWord(given: string, known: readonly string[]): string | undefined {
  if (given.length > 64) return undefined;
  const wanted = folded(given);
  let best: string | undefined;
  let best_distance = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const word of known) {
    const distance = editDistance(wanted, folded(word));
    if (distance < best_distance) {
      best = word;
      best_distance = distance;
    }
  }
  return best;
}

function folded(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

function editDistance(a: string, b: string): number {
  let before_last: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = last;
    last = row;
  }
  return last[b.length];
}
