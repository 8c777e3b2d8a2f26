/**
 * The latest book of each symbol under a key with expiry, for consumers that join late. Written by a timer, never on the
 * path of an update, so a symbol costs one SET per interval however fast it ticks. A quiet book is renewed before it
 * expires; a book out of sync is deleted, and if Redis can't be told, it expires. At exit keys are left to expire:
 * another instance may be writing them too.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { clusterSlot } from "../../wire/redis/cluster_slot.ts";
import type { RedisLink } from "../../wire/redis/redis_link.ts";

/** One symbol's key. Bounded by the number of instruments. */
export interface LatestBook {
  readonly key: string;
  readonly slot: number;
  /** The payload that the key should hold; undefined: it should not exist. */
  payload: string | undefined;
  /** The key does not hold what it should. */
  changed: boolean;
  written_ms: number;
}

export interface LatestBooksOptions {
  readonly interval_ms: number;
  readonly ttl_ms: number;
}

export class LatestBooks {
  readonly #books = new Map<string, LatestBook>();
  /** Their symbols are gone: forgotten as soon as the key is deleted. */
  readonly #leaving = new Set<LatestBook>();
  readonly #timer: Timer;
  #writing = false;

  constructor(
    readonly link: RedisLink,
    readonly clock: Clock,
    readonly options: LatestBooksOptions,
    readonly onError: (error: unknown) => void,
  ) {
    this.#timer = clock.every(options.interval_ms, () => void this.write());
  }
  add(key: string): LatestBook {
    const known = this.#books.get(key);
    if (known) {
      this.#leaving.delete(known);
      return known;
    }
    const book: LatestBook = {
      key,
      slot: clusterSlot(key),
      payload: undefined,
      changed: false,
      written_ms: -Infinity,
    };
    this.#books.set(key, book);
    return book;
  }
  /** The key should not exist: the book is out of sync. */
  clear(book: LatestBook): void {
    book.payload = undefined;
    book.changed = true;
  }
  /** The symbol is gone: its key is deleted at the next write, then forgotten. */
  remove(book: LatestBook): void {
    this.clear(book);
    this.#leaving.add(book);
  }

  /** Brings the keys up to date; one write at a time, what changes meanwhile waits for the next. Never rejects. */
  async write(): Promise<void> {
    if (this.#writing || !this.link.ready) return;
    const due = this.#due();
    if (due.length === 0) return;
    this.#writing = true;
    const { ttl_ms } = this.options;
    for (const book of due) book.changed = false;
    const answers = await this.link.send(due, (commands, { key, payload }) => {
      if (payload === undefined) commands.command("DEL", key);
      else commands.command("SET", key, payload, "PX", ttl_ms);
    });
    due.forEach((book, i) => this.#settle(book, answers[i][0]));
    this.#writing = false;
  }
  /** Stops the timer and writes what is still due. */
  async close(): Promise<void> {
    this.#timer.cancel();
    await this.write();
  }

  #due(): LatestBook[] {
    const renew_before_ms = this.clock.monotonic_ms() - this.options.ttl_ms / 2;
    const due: LatestBook[] = [];
    for (const book of this.#books.values()) {
      if (book.changed || (book.payload !== undefined && book.written_ms < renew_before_ms)) due.push(book);
    }
    return due;
  }
  #settle(book: LatestBook, error: Error | null): void {
    if (error === null) {
      book.written_ms = this.clock.monotonic_ms();
      if (this.#leaving.has(book) && !book.changed) {
        this.#leaving.delete(book);
        this.#books.delete(book.key);
      }
      return;
    }
    book.changed = true;
    this.onError(error);
  }
}
