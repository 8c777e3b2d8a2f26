/**
 * Rows as text in the format of PostgreSQL's COPY: columns by tab, one row a line, `\N` for NULL. It is also what the
 * spool keeps and what the SQLite Worker reads, so a row is printed once wherever it goes.
 * https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
 */

export const NULL = "\\N";
const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };
const LETTERS: Readonly<Record<string, string>> = { "\\": "\\", t: "\t", n: "\n", r: "\r" };

/** A text as a column. A NUL character, which no database takes, becomes the replacement character. */
export function escapeText(text: string): string {
  const plain = text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text;
  return SPECIAL.test(plain) ? plain.replace(/[\\\t\n\r]/g, (letter) => ESCAPES[letter]) : plain;
}

/** The text of a column that is not NULL. */
export function unescapeText(column: string): string {
  return column.includes("\\")
    ? column.replace(/\\([\\tnr])/g, (_, letter: string) => LETTERS[letter])
    : column;
}

/** The days ("2024-08-08") of the rows in a text whose rows begin with their time. */
export function daysOf(rows: string): Set<string> {
  const days = new Set<string>();
  let last = "";
  for (let at = 0; at < rows.length;) {
    // Rows of one day come in runs: compare in place, cut only at a change.
    if (last === "" || !rows.startsWith(last, at)) days.add(last = rows.slice(at, at + 10));
    const end = rows.indexOf("\n", at);
    if (end < 0) break;
    at = end + 1;
  }
  return days;
}
