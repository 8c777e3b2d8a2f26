/**
 * The token list of one document: kinds and start offsets in two typed arrays, five bytes a token. Tokens tile the text
 * without a gap (white space and comments are tokens too), so concatenating them gives the same text back.
 */

export const TokenKind = {
  whitespace: 1,
  line_end: 2,
  line_comment: 3,
  block_comment: 4,
  brace_open: 5,
  brace_close: 6,
  bracket_open: 7,
  bracket_close: 8,
  colon: 9,
  comma: 10,
  string: 11,
  numeral: 12,
  /** An unquoted word: true, false, null, Infinity, NaN or a key; the parser decides. */
  identifier: 13,
  /** Zero-length, always last. */
  end: 14,
} as const;
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

export class TokenList {
  #kinds: Uint8Array;
  #starts: Uint32Array;
  #count = 0;

  constructor(readonly text: string) {
    // A typical config has a token per four to six characters; the arrays grow when it has more.
    const guess = Math.max(64, text.length >> 2);
    this.#kinds = new Uint8Array(guess);
    this.#starts = new Uint32Array(guess);
  }
  /** Tokens, the end token included. */
  get count(): number {
    return this.#count;
  }
  push(kind: TokenKind, start: number): void {
    if (this.#count === this.#kinds.length) this.#grow();
    this.#kinds[this.#count] = kind;
    this.#starts[this.#count++] = start;
  }
  kindAt(index: number): TokenKind {
    return this.#kinds[index] as TokenKind;
  }
  startOf(index: number): number {
    return this.#starts[index];
  }
  endOf(index: number): number {
    return index + 1 < this.#count ? this.#starts[index + 1] : this.text.length;
  }
  textOf(index: number): string {
    return this.text.slice(this.startOf(index), this.endOf(index));
  }
  /** White space, line end or comment. */
  isTrivia(index: number): boolean {
    return this.#kinds[index] <= TokenKind.block_comment;
  }
  #grow(): void {
    const kinds = new Uint8Array(this.#count * 2);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    const starts = new Uint32Array(this.#count * 2);
    starts.set(this.#starts);
    this.#starts = starts;
  }
}
