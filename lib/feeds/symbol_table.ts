/**
 * Bytes of a symbol → the one string for it, without making a string per frame. Closed: only the symbols given are
 * known. Open (captures): new ones are learnt up to a bound, since a corrupt frame must not grow memory.
 */
const MAX_LEARNT = 4_096;
const MAX_SYMBOL_BYTES = 64;
const BACKSLASH = 92;
const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

interface Entry {
  bytes: Uint8Array;
  symbol: string;
}

export class SymbolTable {
  readonly #buckets = new Map<number, Entry[]>();
  readonly #open: boolean;
  #size = 0;

  constructor(symbols?: Iterable<string>) {
    this.#open = symbols === undefined;
    for (const symbol of symbols ?? []) this.add(symbol);
  }
  add(symbol: string): void {
    const bytes = encoder.encode(symbol);
    if (this.#find(bytes, 0, bytes.length, hash(bytes, 0, bytes.length)) === undefined) {
      this.#insert(bytes, symbol);
    }
  }
  remove(symbol: string): void {
    for (const bucket of this.#buckets.values()) {
      const at = bucket.findIndex((entry) => entry.symbol === symbol);
      if (at >= 0) {
        bucket.splice(at, 1);
        this.#size--;
      }
    }
  }
  /** The same for a symbol that is a string already: part of a stream's name. */
  find(text: string): string | undefined {
    const bytes = encoder.encode(text);
    return this.lookup(bytes, 0, bytes.length);
  }
  /** The symbol in `frame[start, end)`, the inside of a JSON string; undefined when it is not one of ours. */
  lookup(frame: Uint8Array, start: number, end: number): string | undefined {
    if (end - start > MAX_SYMBOL_BYTES || end <= start) return undefined;
    const found = this.#find(frame, start, end, hash(frame, start, end));
    if (found !== undefined) return found;
    const first_escape = frame.indexOf(BACKSLASH, start);
    if (first_escape >= 0 && first_escape < end) return this.#lookupEscaped(frame.subarray(start, end));
    return this.#open ? this.#learn(frame.slice(start, end)) : undefined;
  }
  #learn(bytes: Uint8Array): string | undefined {
    if (this.#size >= MAX_LEARNT) return undefined;
    try {
      const symbol = decoder.decode(bytes);
      this.#insert(bytes, symbol);
      return symbol;
    } catch {
      return undefined;
    }
  }
  /** A venue may write any character as an escape; the table holds plain ones. */
  #lookupEscaped(inside: Uint8Array): string | undefined {
    try {
      const bytes = encoder.encode(JSON.parse(`"${decoder.decode(inside)}"`));
      const found = this.#find(bytes, 0, bytes.length, hash(bytes, 0, bytes.length));
      return found ?? (this.#open && bytes.length > 0 ? this.#learn(bytes) : undefined);
    } catch {
      return undefined;
    }
  }
  #find(frame: Uint8Array, start: number, end: number, key: number): string | undefined {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return undefined;
    next: for (let i = 0; i < bucket.length; i++) {
      const { bytes } = bucket[i];
      if (bytes.length !== end - start) continue;
      for (let j = 0; j < bytes.length; j++) if (bytes[j] !== frame[start + j]) continue next;
      return bucket[i].symbol;
    }
    return undefined;
  }
  #insert(bytes: Uint8Array, symbol: string): void {
    const key = hash(bytes, 0, bytes.length);
    const bucket = this.#buckets.get(key);
    if (bucket) bucket.push({ bytes, symbol });
    else this.#buckets.set(key, [{ bytes, symbol }]);
    this.#size++;
  }
}

/** FNV-1a, 31 bits so that it stays a small integer. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i], 0x01000193);
  return value & 0x3fffffff;
}
