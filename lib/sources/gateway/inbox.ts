/**
 * What came from the other gateway and waits for the books: batches of events, and between them what was interrupted,
 * in the order in which it happened. It says when it is full; what then still comes is what one read of the socket held.
 */
import { EventBatch } from "../../market/event_batch.ts";

const BATCH_EVENTS = 256;
/** Events and levels that wait: some tens of megabytes. */
const MAX_EVENTS = 65_536;
const MAX_LEVELS = 1_048_576;

export interface Interruption {
  /** The streams stopped: books are not to be trusted. Else only their trades are incomplete. */
  readonly of: "all" | "trades";
  readonly symbols: readonly string[];
  readonly reason: string;
}

export class Inbox {
  #items: (EventBatch | Interruption)[] = [];
  readonly #spare: EventBatch[] = [];
  #events = 0;
  #levels = 0;
  #wake: (() => void) | undefined;

  get is_full(): boolean {
    return this.#events > MAX_EVENTS || this.#levels > MAX_LEVELS;
  }
  /** The batch to put the next event into, `levels` of a book with it. */
  room(levels: number): EventBatch {
    this.#events++;
    this.#levels += levels;
    const last = this.#items.at(-1);
    if (last instanceof EventBatch && last.size < BATCH_EVENTS) return last;
    const batch = this.#spare.pop() ?? new EventBatch();
    this.#items.push(batch);
    this.wake();
    return batch;
  }
  interrupt(interruption: Interruption): void {
    this.#events++;
    this.#items.push(interruption);
    this.wake();
  }
  /** All there is, once there is something or `wake` was called. Batches come back by `reuse`. */
  async take(): Promise<readonly (EventBatch | Interruption)[]> {
    if (this.#items.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    const items = this.#items;
    this.#items = [];
    this.#events = 0;
    this.#levels = 0;
    return items;
  }
  reuse(batch: EventBatch): void {
    batch.clear();
    // A backlog needed many; two are usual.
    if (this.#spare.length < 4) this.#spare.push(batch);
  }
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
