/** Lines as bytes in one reused buffer: the append of a batch is one write. */

const NEWLINE = 10;
/** UTF-8 needs at most so many bytes for a UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;
const encoder = new TextEncoder();

export class LineBuffer {
  #bytes = new Uint8Array(64 * 1024);

  /** The lines, each with its line end; `ends` are the offsets behind each. Valid until the next call. */
  fill(lines: readonly string[]): { bytes: Uint8Array; ends: number[] } {
    const ends: number[] = [];
    let length = 0;
    for (const line of lines) {
      this.#reserve(length, line.length * MAX_BYTES_PER_UNIT + 1);
      length += encoder.encodeInto(line, this.#bytes.subarray(length)).written;
      this.#bytes[length++] = NEWLINE;
      ends.push(length);
    }
    return { bytes: this.#bytes.subarray(0, length), ends };
  }
  #reserve(length: number, count: number): void {
    if (length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(length + count, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, length));
    this.#bytes = grown;
  }
}
