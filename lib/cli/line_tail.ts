/**
 * What every `mdg tail` does with the messages it gets: prints them one JSON a line, stops at a count or after a time,
 * and never lets a slow reader of stdout fill the memory: what overflows is dropped, counted and told.
 */
import type { Timer } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import type { ExitCode, World } from "./command.ts";

/** Lines that wait for stdout. */
const MAX_LINES = 100_000;
/** Lines written at once. */
const MAX_CHUNK = 1_000;

/** The flags that go with it. */
export const LINE_TAIL_FLAGS = {
  count: {
    type: "number",
    value: "N",
    short: "n",
    integer: true,
    min: 1,
    doc: "stop after so many messages",
  },
  timeout: {
    type: "number",
    value: "SECONDS",
    min: 0.01,
    max: 86_400,
    doc: "stop after this time; with --count it fails when they have not come by then",
  },
} as const;

export class LineTail {
  /** Aborts when there is enough, when time is up, or when the command is to stop. */
  readonly signal: AbortSignal;
  readonly #enough = new AbortController();
  readonly #lines: string[] = [];
  #pushed = 0;
  #dropped = 0;
  #printing: Promise<void> | undefined;
  readonly #timer: Timer | undefined;

  constructor(readonly world: World, readonly limits: { count?: number; timeout?: number }) {
    this.signal = AbortSignal.any([world.signal, this.#enough.signal]);
    if (limits.timeout === undefined) return;
    this.#timer = world.clock.after(limits.timeout * 1_000, () => this.#enough.abort());
  }
  /** Lines that wait for stdout; a source that can wait does so above zero. */
  get waiting(): number {
    return this.#lines.length;
  }
  /** One message: `head` says where it came from, `payload` is printed as it is where it is JSON, else as a string. */
  push(head: Record<string, unknown>, payload: string): void {
    if (this.signal.aborted) return;
    if (this.#lines.length >= MAX_LINES) this.#dropped++;
    else this.#lines.push(`${JSON.stringify(head).slice(0, -1)},"payload":${oneLine(payload)}}\n`);
    this.#printing ??= this.#print();
    if (++this.#pushed === this.limits.count) this.#enough.abort();
  }
  /** Resolves when stdout has taken what waits. */
  async drained(): Promise<void> {
    await this.#printing;
  }
  /** Writes the rest. @throws UserError when a count was wanted and not reached in time */
  async end(): Promise<ExitCode> {
    this.#timer?.cancel();
    await this.#printing;
    if (this.#dropped > 0) this.world.stderr(`dropped ${this.#dropped} messages: stdout was too slow\n`);
    const { count, timeout } = this.limits;
    if (count !== undefined && this.#pushed < count && !this.world.signal.aborted) {
      throw new UserError(`wait for ${count} messages: ${this.#pushed} came within ${timeout} s`);
    }
    return 0;
  }
  async #print(): Promise<void> {
    while (this.#lines.length > 0) await this.world.stdout(this.#lines.splice(0, MAX_CHUNK).join(""));
    this.#printing = undefined;
  }
}

function oneLine(payload: string): string {
  try {
    JSON.parse(payload);
  } catch {
    return JSON.stringify(payload);
  }
  // As it is, or long numbers would lose digits; a line end in JSON is white space, never inside a string.
  return payload.replaceAll(/[\r\n]+/g, " ");
}
