/**
 * A unified diff of two texts for people and for `patch`: hunks with three lines of context, neighbours joined.
 */
import { type LinePair, matchLines } from "./line_diff.ts";

const CONTEXT_LINES = 3;

/** Empty when the texts are equal. */
export function unifiedDiff(name: string, old_text: string, new_text: string): string {
  if (old_text === new_text) return "";
  const [old_lines, new_lines] = [linesOf(old_text), linesOf(new_text)];
  const parts = [`--- ${name}\n+++ ${name}\n`];
  for (
    const changes of hunks(changesOf(matchLines(old_lines, new_lines), old_lines.length, new_lines.length))
  ) {
    parts.push(hunkText(changes, old_lines, new_lines));
  }
  return parts.join("");
}

/** Lines `old_from` to `old_to` became `new_from` to `new_to` (ends excluded). */
interface Change {
  old_from: number;
  old_to: number;
  new_from: number;
  new_to: number;
}

function changesOf(pairs: readonly LinePair[], old_count: number, new_count: number): Change[] {
  const changes: Change[] = [];
  let [old_from, new_from] = [0, 0];
  for (const [old_to, new_to] of [...pairs, [old_count, new_count] as const]) {
    if (old_to > old_from || new_to > new_from) changes.push({ old_from, old_to, new_from, new_to });
    [old_from, new_from] = [old_to + 1, new_to + 1];
  }
  return changes;
}

/** Changes whose contexts touch stand in one hunk. */
function hunks(changes: readonly Change[]): Change[][] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const last = groups.at(-1)?.at(-1);
    if (last && change.old_from - last.old_to <= 2 * CONTEXT_LINES) groups[groups.length - 1].push(change);
    else groups.push([change]);
  }
  return groups;
}

function hunkText(
  changes: readonly Change[],
  old_lines: readonly string[],
  new_lines: readonly string[],
): string {
  const [first, last] = [changes[0], changes[changes.length - 1]];
  const before = Math.min(CONTEXT_LINES, first.old_from);
  const after = Math.min(CONTEXT_LINES, old_lines.length - last.old_to);
  const range = (from: number, to: number) => {
    const count = to + after - from + before;
    return `${from - before + (count === 0 ? 0 : 1)},${count}`;
  };
  const text = [`@@ -${range(first.old_from, last.old_to)} +${range(first.new_from, last.new_to)} @@\n`];
  let at = first.old_from - before;
  for (const { old_from, old_to, new_from, new_to } of changes) {
    for (; at < old_from; at++) text.push(shown(" ", old_lines[at]));
    for (; at < old_to; at++) text.push(shown("-", old_lines[at]));
    for (let i = new_from; i < new_to; i++) text.push(shown("+", new_lines[i]));
  }
  for (; at < last.old_to + after; at++) text.push(shown(" ", old_lines[at]));
  return text.join("");
}

/** Each with its line end. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
function shown(mark: string, line: string): string {
  return line.endsWith("\n") ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`;
}
