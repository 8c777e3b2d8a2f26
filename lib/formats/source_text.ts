/**
 * A named text and where things are in it. Offsets are UTF-16 units, as JavaScript counts them; lines and columns start
 * at 1. The line table is built on first use, so a text without problems never pays for it.
 * A line ends at LF, CR LF or CR, as editors count; U+2028 and U+2029 do not end one.
 */

/** A place as people read it; `column` counts UTF-16 units from 1. */
export interface Position {
  line: number;
  column: number;
}

export class SourceText {
  #line_starts: Uint32Array | undefined;

  /** `name` is what errors call the text: a path as the user gave it, or `<stdin>`. */
  constructor(readonly name: string, readonly text: string) {}

  /** Line and column of an offset; an offset outside the text is moved to its nearest end. */
  positionAt(offset: number): Position {
    const starts = this.#lineStarts();
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - starts[low] + 1 };
  }

  /** The text of a line (from 1) without its line end; empty past the last. */
  lineText(line: number): string {
    const starts = this.#lineStarts();
    if (line < 1 || line > starts.length) return "";
    const end = line < starts.length ? starts[line] : this.text.length;
    return this.text.slice(starts[line - 1], end).replace(/[\r\n]+$/, "");
  }

  #lineStarts(): Uint32Array {
    if (this.#line_starts) return this.#line_starts;
    const { text } = this;
    let starts = new Uint32Array(1024);
    let count = 1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code !== 10 && code !== 13) continue;
      if (code === 13 && text.charCodeAt(i + 1) === 10) i++;
      if (count === starts.length) {
        const grown = new Uint32Array(count * 2);
        grown.set(starts);
        starts = grown;
      }
      starts[count++] = i + 1;
    }
    return this.#line_starts = starts.subarray(0, count);
  }
}
