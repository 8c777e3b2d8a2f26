/**
 * Lets each trade of one instrument through once. Overlapping connections (rotation, reconnect) repeat trades; ids tell.
 * A window of recent ids decides, not "greater than the last": a trade that only one connection delivers late still
 * counts, and a venue whose ids restart is believed again at once.
 */
const WINDOW = 1_024;

export type TradeVerdict = "new" | "repeated";

export class TradeOrder {
  readonly #ids = new Float64Array(WINDOW);
  #count = 0;
  #next = 0;
  #highest = -1;
  /** Ids skipped so far, by the venue's +1 numbering. */
  missed = 0;
  /** Trades admitted after a higher id. */
  late = 0;

  /** `consecutive`: the venue numbers this kind of trade +1 per symbol, so a jump is a loss. */
  admit(id: number, consecutive: boolean): TradeVerdict {
    if (id > this.#highest) {
      if (consecutive && this.#highest >= 0) this.missed += id - this.#highest - 1;
      this.#highest = id;
      this.#remember(id);
      return "new";
    }
    const known = Math.min(this.#count, WINDOW);
    let lowest = Infinity;
    for (let i = 0; i < known; i++) {
      if (this.#ids[i] === id) return "repeated";
      if (this.#ids[i] < lowest) lowest = this.#ids[i];
    }
    if (id < lowest) {
      // Older than all we remember. Just before the window: a repeat, unless the window holds all there ever were.
      // Far before: the venue's ids restarted.
      if (lowest - id > 16 * WINDOW) {
        this.reset();
        this.#highest = id;
      } else if (this.#count > WINDOW) return "repeated";
      else this.late++;
    } else this.late++;
    this.#remember(id);
    return "new";
  }
  reset(): void {
    this.#count = this.#next = 0;
    this.#highest = -1;
  }
  #remember(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % WINDOW;
    this.#count++;
  }
}
