/**
 * Commands for Redis as bytes (RESP 2): many in one buffer, handed to a socket by one write. Words go straight into the
 * buffer; a word of ASCII, as nearly all are, is encoded once. One writer a batch: the socket keeps the bytes.
 */
const encoder = new TextEncoder();
const STAR = 42;
const DOLLAR = 36;
const RETURN = 13;
const NEWLINE = 10;
const ZERO = 48;
/** A length line at its longest: `$`, ten digits, `\r\n`. */
const MAX_LINE_BYTES = 13;

export class RespWriter {
  #bytes: Uint8Array;
  #length = 0;
  /** Commands so far. */
  count = 0;

  constructor(capacity = 4_096) {
    this.#bytes = new Uint8Array(capacity);
  }
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
  command(...words: readonly (string | number)[]): this {
    this.#reserve(MAX_LINE_BYTES);
    this.#line(STAR, words.length);
    for (let i = 0; i < words.length; i++) {
      const word = words[i];
      this.#word(typeof word === "string" ? word : String(word));
    }
    this.count++;
    return this;
  }
  /** One command that was encoded before. */
  encoded(command: Uint8Array): this {
    this.#reserve(command.length);
    this.#bytes.set(command, this.#length);
    this.#length += command.length;
    this.count++;
    return this;
  }

  #word(word: string): void {
    // At most three bytes a UTF-16 unit.
    this.#reserve(3 * word.length + 2 * MAX_LINE_BYTES);
    const start = this.#length;
    this.#line(DOLLAR, word.length);
    let { written } = encoder.encodeInto(word, this.#bytes.subarray(this.#length));
    if (written !== word.length) {
      this.#length = start;
      this.#line(DOLLAR, written);
      written = encoder.encodeInto(word, this.#bytes.subarray(this.#length)).written;
    }
    this.#length += written;
    this.#bytes[this.#length++] = RETURN;
    this.#bytes[this.#length++] = NEWLINE;
  }
  #line(kind: number, value: number): void {
    const bytes = this.#bytes;
    bytes[this.#length++] = kind;
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      bytes[at] = ZERO + rest % 10;
      rest = Math.floor(rest / 10);
    }
    this.#length += digits;
    bytes[this.#length++] = RETURN;
    bytes[this.#length++] = NEWLINE;
  }
  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
