/**
 * Whose is a REST snapshot that names no symbol, as captures hold them? That one's whose ids are nearest: ids of different
 * symbols lie far apart, and a snapshot lies within a few deltas of its own symbol's newest.
 */
import type { BookSnapshot, MarketEvent } from "../market/event.ts";

/** As many symbols as are learnt from a capture. */
const MAX_SYMBOLS = 4_096;

export class SnapshotOwner {
  readonly #newest = new Map<string, number>();

  note(event: MarketEvent): void {
    if (event.kind !== "book_delta") return;
    if (this.#newest.size < MAX_SYMBOLS || this.#newest.has(event.symbol)) {
      this.#newest.set(event.symbol, event.last_id);
    }
  }
  /** Undefined before the first delta of any symbol. */
  of(snapshot: BookSnapshot): string | undefined {
    let nearest = Infinity;
    let owner: string | undefined;
    for (const [symbol, id] of this.#newest) {
      const distance = Math.abs(id - snapshot.last_id);
      if (distance >= nearest) continue;
      nearest = distance;
      owner = symbol;
    }
    return owner;
  }
}

/** Captures hold answers among the frames: this is how Binance's begin. */
export function looksLikeSnapshot(frame: Uint8Array): boolean {
  return new TextDecoder().decode(frame.subarray(0, 64)).includes('"lastUpdateId"');
}
