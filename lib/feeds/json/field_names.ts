/**
 * The fields that a reader wants of one kind of object, found in one pass over the object's keys (`JsonTape.fields`). A
 * key's length and three of its bytes pick the one name that it may be; only that one is compared.
 */
const SLOTS = 256;
/** One bit each in the note of those said twice. */
const MAX_NAMES = 31;
const MAX_FACTOR = 4_096;

export class FieldNames {
  /** Where the values of the last object stand, in the order of the names; −1: not there, or said twice. */
  readonly at: Int32Array;
  /** Slot → 1 + index of the name that may be there; 0: none. */
  readonly #slots = new Uint8Array(SLOTS);
  readonly #factor: number;

  constructor(readonly names: readonly string[]) {
    if (names.length > MAX_NAMES) {
      throw new Error(`find fields: ${names.length} names, want at most ${MAX_NAMES}`);
    }
    this.at = new Int32Array(names.length);
    this.#factor = this.#perfectFactor();
    names.forEach((name, index) => this.#slots[this.#slotOf(name, this.#factor)] = index + 1);
  }
  /** Index of the one name that a key of these bytes may be; −1: none. */
  candidate(length: number, first: number, middle: number, last: number): number {
    return this.#slots[slot(this.#factor, length, first, middle, last)] - 1;
  }

  /** A factor by which no two names share a slot. */
  #perfectFactor(): number {
    for (let factor = 1; factor < MAX_FACTOR; factor++) {
      if (new Set(this.names.map((name) => this.#slotOf(name, factor))).size === this.names.length) {
        return factor;
      }
    }
    throw new Error(`tell fields apart: ${this.names.join(", ")} are too much alike`);
  }
  #slotOf(name: string, factor: number): number {
    const { length } = name;
    return slot(
      factor,
      length,
      name.charCodeAt(0),
      name.charCodeAt(length >> 1),
      name.charCodeAt(length - 1),
    );
  }
}

function slot(factor: number, length: number, first: number, middle: number, last: number): number {
  return (Math.imul(length + (first << 5) + (middle << 10) + (last << 15), factor * 2 + 1) >>> 9) &
    (SLOTS - 1);
}
