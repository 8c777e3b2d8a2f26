/**
 * Publishing ids, by which the broker drops what a reference has published before: 42 bits of the venue's time in ms,
 * then the low 22 bits of the venue's own sequence. The same fact has the same id in every producer and after every
 * restart, and ids go on rising when a venue starts its sequence anew. Kept as two 32-bit halves: no bigint on the way.
 */

const SEQUENCE_SPAN = 2 ** 22;
const MS_PER_HIGH = 2 ** 10;
const LOW_SPAN = 2 ** 32;

/** An id as its upper and lower 32 bits. */
export interface PublishingId {
  readonly high: number;
  readonly low: number;
}

export function isAbove(id: PublishingId, other: PublishingId): boolean {
  return id.high > other.high || (id.high === other.high && id.low > other.low);
}

export function next({ high, low }: PublishingId): PublishingId {
  return low + 1 < LOW_SPAN ? { high, low: low + 1 } : { high: high + 1, low: 0 };
}

/** `time_ms`: the venue's own time; without one the sequence alone is the id. */
export function publishingId(time_ms: number | undefined, sequence: number): PublishingId {
  if (time_ms === undefined || !(time_ms > 0)) {
    return { high: Math.floor(sequence / LOW_SPAN), low: sequence % LOW_SPAN };
  }
  const ms = Math.floor(time_ms);
  return {
    high: Math.floor(ms / MS_PER_HIGH),
    low: (ms % MS_PER_HIGH) * SEQUENCE_SPAN + sequence % SEQUENCE_SPAN,
  };
}

const BEFORE_ALL: PublishingId = { high: -1, low: 0 };

/** Ids of facts of which each must be kept once: trades. */
export class FactIds {
  #last = BEFORE_ALL;

  /** Undefined when the id does not rise: under this reference the broker would drop it unseen. */
  next(time_ms: number | undefined, sequence: number): PublishingId | undefined {
    const id = publishingId(time_ms, sequence);
    if (!isAbove(id, this.#last)) return undefined;
    return this.#last = id;
  }
}

/** Ids of states of which the newest counts: books, quotes. An older state never follows a newer one. */
export class StateIds {
  #last = BEFORE_ALL;
  #version = NaN;

  /**
   * Always an id. A state that the venue does not order after the last one (no sequence, a clock that went back) comes
   * right after it. The same `version` again is the same state under the same id.
   */
  next(time_ms: number | undefined, sequence: number, version = NaN): PublishingId {
    if (version === this.#version) return this.#last;
    const id = publishingId(time_ms, sequence);
    this.#version = version;
    return this.#last = isAbove(id, this.#last) ? id : next(this.#last);
  }
}
