/**
 * When frames go out: at the end of the hub's batch while there is time, and gathered for at most `MAX_WINDOW_MS` once
 * writing takes a large part of it, since fewer and larger writes are what a busy core needs. Clients served alone go
 * first, then cohorts. Where no batch ends (an answer to a request), a microtask sees to it.
 */
import type { Clock, Timer } from "../../../base/clock.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";

export interface Flushable {
  flush(): void;
}

/** Under load updates wait at most this long for company. */
const MAX_WINDOW_MS = 1;
/** Share of the time spent writing from which on frames are gathered. */
const BUSY_SHARE = 0.4;
/** How much one more reading weighs. */
const SMOOTHING = 0.1;

export class Flusher {
  #clients: Flushable[] = [];
  #cohorts: Flushable[] = [];
  #scheduled = false;
  #timer: Timer | undefined;
  #began_ms = -Infinity;
  #busy_share = 0;
  readonly joiner = new Joiner();

  constructor(readonly clock: Clock) {}

  /** The caller makes sure that a client is added once between two flushes. */
  add(client: Flushable): void {
    this.#clients.push(client);
    this.#schedule();
  }
  addCohort(cohort: Flushable): void {
    this.#cohorts.push(cohort);
    this.#schedule();
  }
  /** A batch ended. */
  batchEnded(): void {
    if (this.#clients.length === 0 && this.#cohorts.length === 0) return;
    if (this.#timer !== undefined) return;
    const wait_ms = this.#began_ms + MAX_WINDOW_MS - this.clock.monotonic_ms();
    if (this.#busy_share < BUSY_SHARE || wait_ms <= 0) return this.flush();
    this.#timer = this.clock.after(MAX_WINDOW_MS, () => {
      this.#timer = undefined;
      this.flush();
    });
  }
  flush(): void {
    const began_ms = this.clock.monotonic_ms();
    const since_ms = began_ms - this.#began_ms;
    this.#began_ms = began_ms;
    this.#flushClients();
    const cohorts = this.#cohorts;
    this.#cohorts = [];
    for (const cohort of cohorts) cohort.flush();
    const spent_ms = this.clock.monotonic_ms() - began_ms;
    // Two flushes at one time tell nothing of the time between.
    if (since_ms <= 0) return;
    this.#busy_share += (Math.min(1, spent_ms / since_ms) - this.#busy_share) * SMOOTHING;
  }
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.#clients.length > 0) this.#flushClients();
      this.batchEnded();
    });
  }
  #flushClients(): void {
    const clients = this.#clients;
    this.#clients = [];
    for (const client of clients) client.flush();
    this.joiner.forget();
  }
}
/** Joins frames into one buffer; asked again for the same frames it gives the same buffer. */
export class Joiner {
  #frames: readonly Frame[] = [];
  #joined: Frame | undefined;

  join(frames: readonly Frame[]): Frame {
    if (frames.length === 1) return frames[0];
    const last = this.#frames;
    if (this.#joined && last.length === frames.length && frames.every((frame, i) => frame === last[i])) {
      return this.#joined;
    }
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    const joined = new Uint8Array(bytes);
    let at = 0;
    for (const frame of frames) {
      joined.set(frame, at);
      at += frame.length;
    }
    this.#frames = frames;
    this.#joined = joined;
    return joined;
  }
  forget(): void {
    this.#frames = [];
    this.#joined = undefined;
  }
}
