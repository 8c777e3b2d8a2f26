/**
 * A book stream that brings nothing may be quiet or dead. A second snapshot tells: the same book again means quiet, and
 * the replica then trusts it. Asked with growing pauses, since a market of quiet symbols must not eat the budget.
 */
import type { Clock } from "../../base/clock.ts";

const MAX_PAUSE_MS = 600_000;

interface Quiet {
  at_ms: number;
  pause_ms: number;
  /** Of the last snapshot that came meanwhile. */
  last_id?: number;
}

export class QuietBooks {
  readonly #known = new Map<string, Quiet>();

  constructor(
    readonly clock: Clock,
    /** So long a quiet book is left alone at first. */
    readonly first_pause_ms: number,
    readonly ask: (symbol: string) => void,
  ) {}

  /** `symbols`: the books that bring nothing now. Asks for what is due. */
  look(symbols: ReadonlySet<string>): void {
    const now_ms = this.clock.monotonic_ms();
    for (const symbol of this.#known.keys()) if (!symbols.has(symbol)) this.#known.delete(symbol);
    for (const symbol of symbols) {
      const pause_ms = this.first_pause_ms;
      const known = this.#known.get(symbol) ?? { at_ms: now_ms + pause_ms, pause_ms };
      if (now_ms >= known.at_ms) {
        this.ask(symbol);
        known.pause_ms = Math.min(known.pause_ms * 2, MAX_PAUSE_MS);
        known.at_ms = now_ms + known.pause_ms;
      }
      this.#known.set(symbol, known);
    }
  }
  /** A snapshot came: true when it proves that nothing happened since the one before. */
  isProven(symbol: string, last_id: number): boolean {
    const quiet = this.#known.get(symbol);
    if (quiet === undefined) return false;
    const same = quiet.last_id === last_id;
    quiet.last_id = last_id;
    return same;
  }
}
