/**
 * At most so many words in any minute: what was said is remembered for a minute, and the next utterance waits until there
 * is room for it. Pure: time is told.
 */
const MINUTE_MS = 60_000;

export class WordBudget {
  /** Oldest first; bounded by `max_words`, since each entry has at least one word. */
  #said: { at_ms: number; words: number }[] = [];
  #sum = 0;

  constructor(readonly max_words: number) {}

  /** How long to wait until so many words may be said; 0: now. */
  wait_ms(words: number, now_ms: number): number {
    this.#forget(now_ms);
    let sum = this.#sum;
    let wait_ms = 0;
    for (const one of this.#said) {
      if (sum + words <= this.max_words) break;
      sum -= one.words;
      wait_ms = one.at_ms + MINUTE_MS - now_ms;
    }
    return wait_ms;
  }
  spend(words: number, now_ms: number): void {
    this.#said.push({ at_ms: now_ms, words });
    this.#sum += words;
  }
  #forget(now_ms: number): void {
    while (this.#said.length > 0 && this.#said[0].at_ms + MINUTE_MS <= now_ms) {
      this.#sum -= this.#said.shift()!.words;
    }
  }
}
