/**
 * A unified diff of two texts for people and for `patch`: one hunk from the first to the last differing line with three
 * lines of context. Linear in the size of the texts; refuses to search for the smallest possible edit.
 */

const CONTEXT_LINES = 3;

/** Empty when the texts are equal. */
export function unifiedDiff(name: string, old_text: string, new_text: string): string {
  if (old_text === new_text) return "";
  const old_lines = linesOf(old_text);
  const new_lines = linesOf(new_text);
  const shorter = Math.min(old_lines.length, new_lines.length);
  let head = 0;
  while (head < shorter && old_lines[head] === new_lines[head]) head++;
  let tail = 0;
  while (tail < shorter - head && old_lines.at(-1 - tail) === new_lines.at(-1 - tail)) tail++;
  const from = Math.max(0, head - CONTEXT_LINES);
  const after = Math.min(tail, CONTEXT_LINES);
  const old_end = old_lines.length - tail;
  const new_end = new_lines.length - tail;
  const range = (end: number) => {
    const count = end + after - from;
    return `${count === 0 ? from : from + 1},${count}`;
  };
  return [
    `--- ${name}\n+++ ${name}\n@@ -${range(old_end)} +${range(new_end)} @@\n`,
    ...old_lines.slice(from, head).map((line) => shown(" ", line)),
    ...old_lines.slice(head, old_end).map((line) => shown("-", line)),
    ...new_lines.slice(head, new_end).map((line) => shown("+", line)),
    ...old_lines.slice(old_end, old_end + after).map((line) => shown(" ", line)),
  ].join("");
}

/** Each with its line end. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
function shown(mark: string, line: string): string {
  return line.endsWith("\n") ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`;
}
