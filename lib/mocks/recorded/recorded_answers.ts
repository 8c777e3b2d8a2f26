/**
 * REST answers of a recording: each is given at its place, to whoever asks for it about then. A request that comes early
 * waits for the place, a place waits for its request; later the latest answer stands. Bound: `MAX_KEPT` paths, and
 * requests that wait are answered when time is over.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import type { AnswerHead } from "../../formats/recording/record.ts";

const MAX_KEPT = 20_000;

export interface GivenAnswer {
  status: number;
  body: Uint8Array;
}
interface Asked {
  key: string;
  answer(given: GivenAnswer): void;
  timer: Timer;
}

export class RecordedAnswers {
  given = 0;
  readonly #asked: Asked[] = [];
  readonly #latest = new Map<string, GivenAnswer>();
  #wanted: { key: string; asked(): void } | undefined;
  #is_over = false;

  constructor(readonly clock: Clock, readonly patience_ms: number) {}

  /** The recording has come to this answer. Resolves when it was asked for, or time is over. */
  reached({ url, status }: AnswerHead, body: Uint8Array): Promise<void> | undefined {
    const key = keyOf(url);
    const given = { status, body };
    if (this.#latest.size < MAX_KEPT || this.#latest.has(key)) this.#latest.set(key, given);
    if (this.#give(key, given)) return undefined;
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#wanted = undefined;
        resolve();
      };
      const timer = this.clock.after(this.patience_ms, done);
      this.#wanted = { key, asked: done };
    });
  }
  /** A client asks: what stands at the place that is reached now or next, else the latest. */
  ask(path: string): Promise<GivenAnswer> {
    const key = keyOf(path);
    return new Promise((resolve) => {
      const answer = (given: GivenAnswer) => {
        asked.timer.cancel();
        const at = this.#asked.indexOf(asked);
        if (at >= 0) this.#asked.splice(at, 1);
        if (given.status === 200) this.given++;
        resolve(given);
      };
      const latest = () => this.#latest.get(key) ?? { status: 404, body: new Uint8Array(0) };
      const asked: Asked = {
        key,
        answer,
        timer: this.clock.after(this.#is_over ? 0 : this.patience_ms, () => answer(latest())),
      };
      this.#asked.push(asked);
      if (this.#wanted?.key === key) {
        const { asked: told } = this.#wanted;
        answer(latest());
        told();
      }
    });
  }
  /** No more comes: the latest answers stand. */
  over(): void {
    this.#is_over = true;
    for (const { key, answer } of [...this.#asked]) {
      answer(this.#latest.get(key) ?? { status: 404, body: new Uint8Array(0) });
    }
  }
  close(): void {
    this.over();
    this.#wanted?.asked();
  }
  #give(key: string, given: GivenAnswer): boolean {
    const asked = this.#asked.find((one) => one.key === key);
    asked?.answer(given);
    return asked !== undefined;
  }
}

/** Path and query, its parts in order. */
function keyOf(url: string): string {
  const { pathname, searchParams } = URL.parse(url, "http://venue") ?? new URL("http://venue");
  searchParams.sort();
  return `${pathname}?${searchParams}`;
}
