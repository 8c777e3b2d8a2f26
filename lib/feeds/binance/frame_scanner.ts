/**
 * One pass over a Binance frame, combined (`{"stream":…,"data":{…}}`) or raw (`{…}`): remembers where each field's value
 * stands and reads level arrays on the way. Fields are looked up by their one-letter key, as Binance names them.
 * The whole frame must be well formed before anything of it is used. Refuses: building objects.
 */
import { EXACT_MANTISSA_LIMIT, POWERS_OF_TEN, readDecimal } from "../../base/decimal.ts";
import type { LevelList } from "../../market/level_list.ts";
import { readLevels, scanLevels } from "../level_scanner.ts";
import { smallInteger } from "../small_integer.ts";

const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const COLON = 58;
const AT = 64;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN = 123;
const CLOSE = 125;
const MAX_DEPTH = 16;
const decoder = new TextDecoder("utf-8", { fatal: true });
const lenient_decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Slots beside the one-letter keys (which use their character code). */
export const PU = 0;
export const STREAM = 1;
export const LAST_UPDATE_ID = 2;
export const ST = 3;

export class FrameScanner {
  #frame: Uint8Array = new Uint8Array(0);
  #end = 0;
  #generation = 0;
  readonly #seen = new Int32Array(128);
  readonly #start = new Int32Array(128);
  readonly #stop = new Int32Array(128);
  /** The `data` object of a combined frame was met: fields beside it are the envelope's, not the event's. */
  #has_data = false;
  #bids!: LevelList;
  #asks!: LevelList;
  has_bids = false;
  has_asks = false;
  /** A key that only control messages carry was seen at top level: result, error, code, id, msg. */
  is_control = false;
  is_array = false;

  /** False when the frame is not one well-formed JSON object (or array, which sets `is_array`). */
  scan(frame: Uint8Array, bids: LevelList, asks: LevelList): boolean {
    this.#frame = frame;
    this.#end = frame.length;
    this.#bids = bids;
    this.#asks = asks;
    this.#has_data =
      this.is_control =
      this.is_array =
        false;
    this.#forgetFields();
    let at = this.#space(0);
    if (frame[at] === OPEN_ARRAY) {
      this.is_array = true;
      at = this.#skip(at, 0);
    } else {
      at = this.#object(at, 0);
    }
    return at >= 0 && this.#space(at) === this.#end;
  }
  has(slot: number): boolean {
    return this.#seen[slot] === this.#generation;
  }
  /** The value is there and was a string. */
  isString(slot: number): boolean {
    return this.#seen[slot] === this.#generation && this.#frame[this.#start[slot] - 1] === QUOTE;
  }
  /** Position of a value, for comparisons in place; a string's quotes are not included. */
  startOf(slot: number): number {
    return this.#start[slot];
  }
  stopOf(slot: number): number {
    return this.#stop[slot];
  }
  /** A string or number value as text; bytes that are no UTF-8 become U+FFFD, escapes stay as they are. */
  text(slot: number): string {
    return lenient_decoder.decode(this.#frame.subarray(this.#start[slot], this.#stop[slot]));
  }
  /** True when the value's bytes are exactly this ASCII text. */
  equals(slot: number, text: string): boolean {
    const start = this.#start[slot];
    if (this.#seen[slot] !== this.#generation || this.#stop[slot] - start !== text.length) return false;
    for (let i = 0; i < text.length; i++) if (this.#frame[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }
  /** A non-negative integer below 2^53, or NaN when absent or anything else. */
  integer(slot: number): number {
    if (this.#seen[slot] !== this.#generation) return NaN;
    const start = this.#start[slot];
    const stop = this.#stop[slot];
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
  /**
   * Whether the stream name says another depth than the diff: partial (`btcusdt@depth20@100ms`) or RPI
   * (`btcusdt@rpiDepth@500ms`). They have the shape and the `e` of a diff; only the name tells.
   */
  isOtherDepth(): boolean {
    if (this.#seen[STREAM] !== this.#generation) return false;
    const stop = this.#stop[STREAM];
    const at = this.#frame.indexOf(AT, this.#start[STREAM]);
    if (at < 0 || at + 6 > stop || !this.#keyIs(at + 1, 5, "depth")) return true;
    return at + 6 < stop && this.#frame[at + 6] !== AT;
  }
  /** `exact_text` of the last `decimal` call, set when the double alone would not give the text back. */
  exact_text: string | undefined;
  /** A finite decimal, or NaN when absent or anything else. */
  decimal(slot: number): number {
    this.exact_text = undefined;
    if (this.#seen[slot] !== this.#generation) return NaN;
    const frame = this.#frame;
    const stop = this.#stop[slot];
    let p = this.#start[slot];
    let mantissa = 0;
    let digits = 0;
    let decimals = -1;
    for (; p < stop; p++) {
      const code = frame[p];
      if (code >= 48 && code <= 57) {
        mantissa = mantissa * 10 + (code - 48);
        digits++;
        if (decimals >= 0) decimals++;
      } else if (code === POINT && decimals < 0 && digits > 0) decimals = 0;
      else break;
    }
    if (p === stop && digits > 0 && mantissa < EXACT_MANTISSA_LIMIT && decimals <= 22) {
      return decimals > 0 ? mantissa / POWERS_OF_TEN[decimals] : mantissa;
    }
    const read = stop - this.#start[slot] <= 64 ? readDecimal(this.text(slot)) : undefined;
    this.exact_text = read?.text;
    return read ? read.value : NaN;
  }

  /** At `{`. Returns the position after `}`, −1 when malformed. `depth` 0 is the frame itself, 1 the `data` object. */
  #object(at: number, depth: number): number {
    const frame = this.#frame;
    if (frame[at] !== OPEN) return -1;
    at = this.#space(at + 1);
    if (frame[at] === CLOSE) return at + 1;
    for (;;) {
      if (frame[at] !== QUOTE) return -1;
      const key = at + 1;
      const key_end = this.#string(at) - 1;
      if (key_end < 0) return -1;
      at = key_end + 1;
      // Venues send no white space: the call is for those who do.
      if (frame[at] !== COLON && frame[at = this.#space(at)] !== COLON) return -1;
      at++;
      if (frame[at] <= SPACE) at = this.#space(at);
      at = this.#value(at, key, key_end, depth);
      if (at < 0) return -1;
      if (frame[at] <= SPACE) at = this.#space(at);
      if (frame[at] !== COMMA) return frame[at] === CLOSE ? at + 1 : -1;
      at++;
      if (frame[at] <= SPACE) at = this.#space(at);
    }
  }
  /** The value of the key in [key, key_end): kept in its slot, read as levels, entered (`data`) or skipped. */
  #value(at: number, key: number, key_end: number, depth: number): number {
    const frame = this.#frame;
    const length = key_end - key;
    const first = frame[key];
    if (frame[at] === OPEN_ARRAY) {
      if ((first === 98 && length === 1) || this.#keyIs(key, length, "bids")) {
        if (this.#has_data && depth === 0) return this.#skip(at, 1);
        if (this.has_bids) return -1;
        const next = this.#levels(at, this.#bids);
        this.has_bids = next >= 0;
        return next;
      }
      if ((first === 97 && length === 1) || this.#keyIs(key, length, "asks")) {
        if (this.#has_data && depth === 0) return this.#skip(at, 1);
        if (this.has_asks) return -1;
        const next = this.#levels(at, this.#asks);
        this.has_asks = next >= 0;
        return next;
      }
    }
    if (depth === 0 && length === 4 && frame[at] === OPEN && this.#keyIs(key, length, "data")) {
      if (this.#has_data) return -1;
      this.#enterData();
      return this.#object(at, 1);
    }
    const slot = length === 1 && first < 128 ? first : this.#longSlot(key, length, depth);
    const next = this.#skip(at, depth + 1);
    if (slot >= 0 && next >= 0 && !(this.#has_data && depth === 0 && slot !== STREAM)) {
      // Said twice, one of the two is wrong: which one is not for us to guess.
      if (this.#seen[slot] === this.#generation) return -1;
      const quoted = frame[at] === QUOTE ? 1 : 0;
      this.#seen[slot] = this.#generation;
      this.#start[slot] = at + quoted;
      this.#stop[slot] = next - quoted;
    }
    return next;
  }
  #forgetFields(): void {
    if (++this.#generation === 0x7fffffff) {
      this.#seen.fill(0);
      this.#generation = 1;
    }
    this.has_bids = this.has_asks = false;
  }
  /** What stood before `data` was the envelope's; only the stream name is kept of it. */
  #enterData(): void {
    const named = this.#seen[STREAM] === this.#generation;
    this.#forgetFields();
    if (named) this.#seen[STREAM] = this.#generation;
    this.#has_data = true;
  }
  #longSlot(key: number, length: number, depth: number): number {
    if (this.#keyIs(key, length, "pu")) return PU;
    if (this.#keyIs(key, length, "st")) return ST;
    if (this.#keyIs(key, length, "stream")) return STREAM;
    if (this.#keyIs(key, length, "lastUpdateId")) return LAST_UPDATE_ID;
    if (
      depth === 0 && (this.#keyIs(key, length, "result") || this.#keyIs(key, length, "error") ||
        this.#keyIs(key, length, "code") || this.#keyIs(key, length, "id") || this.#keyIs(key, length, "msg"))
    ) this.is_control = true;
    return -1;
  }
  #keyIs(key: number, length: number, name: string): boolean {
    if (length !== name.length) return false;
    for (let i = 0; i < length; i++) if (this.#frame[key + i] !== name.charCodeAt(i)) return false;
    return true;
  }
  #levels(at: number, list: LevelList): number {
    const next = scanLevels(this.#frame, at, this.#end, list);
    if (next >= 0) return next;
    const stop = this.#skip(at, 1);
    if (stop < 0) return -1;
    try {
      const parsed: unknown = JSON.parse(decoder.decode(this.#frame.subarray(at, stop)));
      return readLevels(parsed, list) ? stop : -1;
    } catch {
      return -1;
    }
  }
  /** Past one value of any kind, checking its form. */
  #skip(at: number, depth: number): number {
    const frame = this.#frame;
    const code = frame[at];
    if (code === QUOTE) return this.#string(at);
    if (code === MINUS || (code >= 48 && code <= 57)) return this.#number(at);
    if (code === OPEN || code === OPEN_ARRAY) return depth < MAX_DEPTH ? this.#skipNested(at, depth) : -1;
    if (this.#keyIs(at, 4, "true") || this.#keyIs(at, 4, "null")) return at + 4;
    return this.#keyIs(at, 5, "false") ? at + 5 : -1;
  }
  #skipNested(at: number, depth: number): number {
    const frame = this.#frame;
    const is_object = frame[at] === OPEN;
    const close = is_object ? CLOSE : CLOSE_ARRAY;
    at = this.#space(at + 1);
    if (frame[at] === close) return at + 1;
    for (;;) {
      if (is_object) {
        if (frame[at] !== QUOTE) return -1;
        at = this.#string(at);
        if (at < 0) return -1;
        at = this.#space(at);
        if (frame[at] !== COLON) return -1;
        at = this.#space(at + 1);
      }
      at = this.#skip(at, depth + 1);
      if (at < 0) return -1;
      at = this.#space(at);
      if (frame[at] === COMMA) at = this.#space(at + 1);
      else return frame[at] === close ? at + 1 : -1;
    }
  }
  #number(at: number): number {
    const frame = this.#frame;
    if (frame[at] === MINUS) at++;
    const first = at;
    at = digits(frame, at);
    if (at === first || (frame[first] === 48 && at - first > 1)) return -1;
    if (frame[at] === POINT) {
      const fraction = at + 1;
      at = digits(frame, fraction);
      if (at === fraction) return -1;
    }
    if ((frame[at] | 32) === 101) {
      at++;
      if (frame[at] === MINUS || frame[at] === 43) at++;
      const exponent = at;
      at = digits(frame, at);
      if (at === exponent) return -1;
    }
    return at;
  }
  /** At the opening quote; past the closing one. */
  #string(at: number): number {
    const frame = this.#frame;
    const end = this.#end;
    for (let p = at + 1; p < end; p++) {
      const code = frame[p];
      if (code === QUOTE) return p + 1;
      if (code === BACKSLASH) {
        if (frame[++p] === 117) {
          for (const stop = p + 4; p < stop;) if (!isHex(frame[++p])) return -1;
        } else if (!isEscaped(frame[p])) return -1;
      } else if (code < 32) return -1;
    }
    return -1;
  }
  #space(at: number): number {
    const frame = this.#frame;
    while (frame[at] === 32 || frame[at] === 10 || frame[at] === 13 || frame[at] === 9) at++;
    return at;
  }
}

function digits(frame: Uint8Array, at: number): number {
  while (frame[at] >= 48 && frame[at] <= 57) at++;
  return at;
}

/** One of `"\\/bfnrt`, the letters that may follow a backslash besides `u`. */
function isEscaped(code: number): boolean {
  return code === QUOTE || code === BACKSLASH || code === 47 || code === 98 || code === 102 || code === 110 ||
    code === 114 || code === 116;
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 102);
}
