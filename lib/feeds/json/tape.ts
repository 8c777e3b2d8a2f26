/**
 * One pass over a JSON frame that checks its form and notes where every value stands, as numbers in flat arrays: no
 * string, no object. Mappers then read what they need straight from the bytes. Node 0 is the whole; the children of an
 * array follow it one after another, those of an object as key, value, key, value. Node −1 stands for "not there".
 * Refuses: guessing. A key said twice is as good as none, since one of the two is wrong.
 */
import { EXACT_MANTISSA_LIMIT, POWERS_OF_TEN, readDecimal } from "../../base/decimal.ts";
import { smallInteger } from "../small_integer.ts";
import type { FieldNames } from "./field_names.ts";

const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const LOWER_E = 101;
const COLON = 58;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN = 123;
const CLOSE = 125;
const MAX_DEPTH = 16;
/** Values in one frame: a hostile one must not cost memory without end. */
const MAX_NODES = 4_000_000;
/** Room beyond this is given back before the next frame: one huge snapshot must not be paid for ever after. */
const KEPT_NODES = 262_144;
const LONGEST_DECIMAL = 64;
const SHORT_TEXT = 48;
const lenient_decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Kinds of nodes. */
export const STRING = 1;
export const NUMBER = 2;
export const OBJECT = 3;
export const ARRAY = 4;
const LITERAL = 5;

export class JsonTape {
  #frame: Uint8Array = new Uint8Array(0);
  #end = 0;
  #count = 0;
  #kinds = new Uint8Array(1_024);
  #starts = new Int32Array(1_024);
  #stops = new Int32Array(1_024);
  #nexts = new Int32Array(1_024);

  /** False when the frame is not one well-formed JSON value. The frame must not change while the tape is read. */
  scan(frame: Uint8Array): boolean {
    this.#frame = frame;
    this.#end = frame.length;
    this.#count = 0;
    if (this.#kinds.length > KEPT_NODES) this.#resize(KEPT_NODES);
    const at = this.#value(this.#space(0), 0);
    return at >= 0 && this.#space(at) === this.#end;
  }
  kind(node: number): number {
    return node < 0 ? 0 : this.#kinds[node];
  }
  /** The node after this one and all inside it: the next sibling, or the end of the parent. */
  next(node: number): number {
    return this.#nexts[node];
  }
  /** The value of a key; −1 when `node` is no object, has no such key, or has it twice. */
  field(node: number, name: string): number {
    if (this.kind(node) !== OBJECT) return -1;
    const frame = this.#frame;
    const starts = this.#starts;
    const stops = this.#stops;
    const nexts = this.#nexts;
    const length = name.length;
    const first = name.charCodeAt(0);
    let found = -1;
    for (let key = node + 1, end = nexts[node]; key < end; key = nexts[key + 1]) {
      const start = starts[key];
      // Most keys differ in length or in their first letter.
      if (stops[key] - start !== length || frame[start] !== first || !this.#matches(start, name)) continue;
      if (found >= 0) return -1;
      found = key + 1;
    }
    return found;
  }
  /** Finds all of these fields in one pass: `names.at` then tells where. False when `node` is no object. */
  fields(node: number, names: FieldNames): boolean {
    const { at } = names;
    at.fill(-1);
    if (this.kind(node) !== OBJECT) return false;
    const frame = this.#frame;
    const starts = this.#starts;
    const stops = this.#stops;
    const nexts = this.#nexts;
    let twice = 0;
    for (let key = node + 1, end = nexts[node]; key < end; key = nexts[key + 1]) {
      const start = starts[key];
      const length = stops[key] - start;
      if (length === 0) continue;
      const index = names.candidate(
        length,
        frame[start],
        frame[start + (length >> 1)],
        frame[start + length - 1],
      );
      if (index < 0 || names.names[index].length !== length || !this.#matches(start, names.names[index])) {
        continue;
      }
      if (at[index] >= 0) twice |= 1 << index;
      at[index] = key + 1;
    }
    if (twice !== 0) { for (let i = 0; i < at.length; i++) if (twice & (1 << i)) at[i] = -1; }
    return true;
  }
  /** The only element of an array; −1 when there are more or none. */
  soleElement(node: number): number {
    return this.kind(node) === ARRAY && this.#nexts[node] > node + 1 &&
        this.#nexts[node + 1] === this.#nexts[node]
      ? node + 1
      : -1;
  }
  /** A string (or key) that is exactly this ASCII text. */
  is(node: number, text: string): boolean {
    if (this.kind(node) !== STRING || this.#stops[node] - this.#starts[node] !== text.length) return false;
    return this.#matches(this.#starts[node], text);
  }
  /** A string that begins with this ASCII text. */
  startsWith(node: number, text: string): boolean {
    if (this.kind(node) !== STRING || this.#stops[node] - this.#starts[node] < text.length) return false;
    return this.#matches(this.#starts[node], text);
  }
  /** Two values of the same bytes. */
  same(node: number, other: number): boolean {
    if (node < 0 || other < 0) return false;
    const start = this.#starts[node];
    const shift = this.#starts[other] - start;
    const stop = this.#stops[node];
    if (this.#stops[other] - stop !== shift) return false;
    const frame = this.#frame;
    // Where texts differ, they mostly do at their ends.
    for (let p = stop - 1; p >= start; p--) if (frame[p] !== frame[p + shift]) return false;
    return true;
  }
  isTrue(node: number): boolean {
    return this.kind(node) === LITERAL && this.#frame[this.#starts[node]] === 116;
  }
  isFalse(node: number): boolean {
    return this.kind(node) === LITERAL && this.#frame[this.#starts[node]] === 102;
  }
  isNull(node: number): boolean {
    return this.kind(node) === LITERAL && this.#frame[this.#starts[node]] === 110;
  }
  /** Where a value's bytes stand; a string's quotes are not included. */
  start(node: number): number {
    return this.#starts[node];
  }
  stop(node: number): number {
    return this.#stops[node];
  }
  /** A string or number as text; bytes that are no UTF-8 become U+FFFD, escapes stay as they are. "" for anything else. */
  text(node: number): string {
    const kind = this.kind(node);
    if (kind !== STRING && kind !== NUMBER) return "";
    const frame = this.#frame;
    const start = this.#starts[node];
    const stop = this.#stops[node];
    if (stop - start > SHORT_TEXT) return lenient_decoder.decode(frame.subarray(start, stop));
    // Names and ids are short and plain; calling a decoder for each would cost more than the rest of the frame.
    let text = "";
    for (let p = start; p < stop; p++) {
      if (frame[p] > 127) return lenient_decoder.decode(frame.subarray(start, stop));
      text += String.fromCharCode(frame[p]);
    }
    return text;
  }
  /** The digits of a string from `offset` up to the first other character, as a number; NaN where there are none. */
  integerAt(node: number, offset: number): number {
    if (this.kind(node) !== STRING) return NaN;
    const first = this.#starts[node] + offset;
    let p = first;
    let value = 0;
    for (const stop = Math.min(this.#stops[node], first + 15); p < stop; p++) {
      const digit = this.#frame[p] - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    return p > first ? value : NaN;
  }
  /** A non-negative integer below 2^53, said as number or string; NaN for anything else. */
  integer(node: number): number {
    const kind = this.kind(node);
    if (kind !== STRING && kind !== NUMBER) return NaN;
    const start = this.#starts[node];
    const stop = this.#stops[node];
    if (start >= stop || stop - start > 16) return NaN;
    // Two halves that each fit 32 bits: integer arithmetic, where one sum would turn into floating point.
    const split = stop - start > 9 ? stop - 9 : start;
    const low = smallInteger(this.#frame, split, stop);
    if (split === start) return low >= 0 ? low : NaN;
    const high = smallInteger(this.#frame, start, split);
    if (low < 0 || high < 0) return NaN;
    const value = high * 1_000_000_000 + low;
    return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
  }
  /** `exact_text` and `decimals` of the last `decimal` call; the text only when the double would not give it back. */
  exact_text: string | undefined;
  decimals = 0;
  /** A finite decimal, said as number or string; NaN for anything else. */
  decimal(node: number): number {
    this.exact_text = undefined;
    const kind = this.kind(node);
    if (kind !== STRING && kind !== NUMBER) return NaN;
    const frame = this.#frame;
    const stop = this.#stops[node];
    let p = this.#starts[node];
    let mantissa = 0;
    let code = 0;
    const first = p;
    while (p < stop && (code = frame[p]) >= ZERO && code <= 57) {
      mantissa = mantissa * 10 + (code - ZERO);
      p++;
    }
    if (p > first) {
      if (p === stop) {
        if (mantissa < EXACT_MANTISSA_LIMIT) {
          this.decimals = 0;
          return mantissa;
        }
      } else if (code === POINT) {
        const fraction = ++p;
        while (p < stop && (code = frame[p]) >= ZERO && code <= 57) {
          mantissa = mantissa * 10 + (code - ZERO);
          p++;
        }
        const decimals = p - fraction;
        if (p === stop && decimals <= 22 && mantissa < EXACT_MANTISSA_LIMIT) {
          this.decimals = decimals;
          return mantissa / POWERS_OF_TEN[decimals];
        }
        if ((code | 32) === 101) return this.#scaledDecimal(node, p + 1, mantissa, decimals);
      } else if ((code | 32) === 101) return this.#scaledDecimal(node, p + 1, mantissa, 0);
    }
    return this.#longDecimal(node);
  }
  /** `mantissa` × 10^-`decimals` × 10^(the exponent at `at`). One exact power of ten rounds once; the rest goes the long way. */
  #scaledDecimal(node: number, at: number, mantissa: number, decimals: number): number {
    const sign = this.#frame[at];
    const first = sign === MINUS || sign === PLUS ? at + 1 : at;
    const digits = this.#stops[node] - first;
    const exponent = digits >= 1 && digits <= 3 ? smallInteger(this.#frame, first, this.#stops[node]) : -1;
    let places = decimals + (sign === MINUS ? exponent : -exponent);
    if (!(exponent >= 0 && mantissa > 0 && mantissa < EXACT_MANTISSA_LIMIT)) return this.#longDecimal(node);
    for (; places > 0 && mantissa % 10 === 0; places--) mantissa /= 10;
    if (places > 22 || places < -22) return this.#longDecimal(node);
    this.decimals = Math.max(0, places);
    return places < 0 ? mantissa * POWERS_OF_TEN[-places] : mantissa / POWERS_OF_TEN[places];
  }
  #longDecimal(node: number): number {
    if (this.#stops[node] - this.#starts[node] > LONGEST_DECIMAL) return NaN;
    const read = readDecimal(this.text(node));
    if (read === undefined) return NaN;
    this.exact_text = read.text;
    this.decimals = Math.min(read.decimals, 22);
    return read.value;
  }
  /** Digits after the point of a decimal text, trailing zeros not counted. Only right after `decimal(node)`. */
  significantDecimals(node: number): number {
    const frame = this.#frame;
    let used = this.decimals;
    let last = this.#stops[node] - 1;
    if (used === 0 || frame[last] !== ZERO) return used;
    // The zero of "1e-10" is none of the number's own.
    for (let p = last - 1, start = this.#starts[node]; p > start; p--) {
      if ((frame[p] | 32) === LOWER_E) return used;
    }
    for (; used > 0 && frame[last] === ZERO; last--) used--;
    return used;
  }

  #matches(at: number, text: string): boolean {
    const frame = this.#frame;
    for (let i = 0; i < text.length; i++) if (frame[at + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** At the first byte of a value. Returns the position after it, −1 when malformed. */
  #value(at: number, depth: number): number {
    const code = this.#frame[at];
    if (code === QUOTE) return this.#string(at);
    if (code === OPEN || code === OPEN_ARRAY) return depth < MAX_DEPTH ? this.#nested(at, depth + 1) : -1;
    if (code === MINUS || (code >= ZERO && code <= 57)) return this.#number(at);
    return this.#literal(at);
  }
  /** At `{` or `[`. */
  #nested(at: number, depth: number): number {
    const frame = this.#frame;
    const is_object = frame[at] === OPEN;
    const close = is_object ? CLOSE : CLOSE_ARRAY;
    const node = this.#add(is_object ? OBJECT : ARRAY, at, at);
    if (node < 0) return -1;
    at++;
    if (frame[at] <= 32) at = this.#space(at);
    if (frame[at] === close) return this.#close(node, at + 1);
    for (;;) {
      if (is_object) {
        if (frame[at] !== QUOTE) return -1;
        at = this.#string(at);
        if (at < 0) return -1;
        // Venues send no white space: the calls are for those who do.
        if (frame[at] !== COLON && frame[at = this.#space(at)] !== COLON) return -1;
        at++;
        if (frame[at] <= 32) at = this.#space(at);
      }
      at = this.#value(at, depth);
      if (at < 0) return -1;
      if (frame[at] <= 32) at = this.#space(at);
      if (frame[at] !== COMMA) return frame[at] === close ? this.#close(node, at + 1) : -1;
      at++;
      if (frame[at] <= 32) at = this.#space(at);
    }
  }
  #close(node: number, at: number): number {
    this.#stops[node] = at;
    this.#nexts[node] = this.#count;
    return at;
  }
  /** At the opening quote; past the closing one. */
  #string(at: number): number {
    const frame = this.#frame;
    const end = this.#end;
    for (let p = at + 1; p < end; p++) {
      const code = frame[p];
      if (code === QUOTE) return this.#add(STRING, at + 1, p) < 0 ? -1 : p + 1;
      if (code === BACKSLASH) {
        if (frame[++p] === 117) {
          for (const stop = p + 4; p < stop;) if (!isHex(frame[++p])) return -1;
        } else if (!isEscaped(frame[p])) return -1;
      } else if (code < 32) return -1;
    }
    return -1;
  }
  #number(at: number): number {
    const frame = this.#frame;
    const start = at;
    if (frame[at] === MINUS) at++;
    const first = at;
    at = this.#digits(at);
    if (at === first || (frame[first] === ZERO && at - first > 1)) return -1;
    if (frame[at] === POINT) {
      const fraction = at + 1;
      at = this.#digits(fraction);
      if (at === fraction) return -1;
    }
    if ((frame[at] | 32) === 101) {
      at++;
      if (frame[at] === MINUS || frame[at] === PLUS) at++;
      const exponent = at;
      at = this.#digits(at);
      if (at === exponent) return -1;
    }
    return this.#add(NUMBER, start, at) < 0 ? -1 : at;
  }
  #literal(at: number): number {
    for (const word of LITERALS) {
      if (!this.#matches(at, word)) continue;
      return this.#add(LITERAL, at, at + word.length) < 0 ? -1 : at + word.length;
    }
    return -1;
  }
  #digits(at: number): number {
    const frame = this.#frame;
    while (frame[at] >= ZERO && frame[at] <= 57) at++;
    return at;
  }
  #space(at: number): number {
    const frame = this.#frame;
    while (frame[at] === 32 || frame[at] === 10 || frame[at] === 13 || frame[at] === 9) at++;
    return at;
  }
  /** A new node, complete unless something is put inside; −1 when there are too many. */
  #add(kind: number, start: number, stop: number): number {
    const node = this.#count;
    if (node === this.#kinds.length) {
      if (node >= MAX_NODES) return -1;
      this.#resize(Math.min(node * 2, MAX_NODES));
    }
    this.#kinds[node] = kind;
    this.#starts[node] = start;
    this.#stops[node] = stop;
    this.#nexts[node] = node + 1;
    this.#count = node + 1;
    return node;
  }
  #resize(length: number): void {
    const kept = Math.min(this.#count, length);
    const kinds = new Uint8Array(length);
    kinds.set(this.#kinds.subarray(0, kept));
    this.#kinds = kinds;
    const grown = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const made = new Int32Array(length);
      made.set(old.subarray(0, kept));
      return made;
    };
    this.#starts = grown(this.#starts);
    this.#stops = grown(this.#stops);
    this.#nexts = grown(this.#nexts);
  }
}

const LITERALS = ["true", "false", "null"];

/** One of `"\\/bfnrt`, the letters that may follow a backslash besides `u`. */
function isEscaped(code: number): boolean {
  return code === QUOTE || code === BACKSLASH || code === 47 || code === 98 || code === 102 || code === 110 ||
    code === 114 || code === 116;
}

function isHex(code: number): boolean {
  return (code >= ZERO && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 102);
}
