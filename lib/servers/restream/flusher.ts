/**
 * Writes what the clients gathered during a batch of updates: one write per client, and one joined buffer for all
 * clients whose frames are the same. Clients flush after the hub's batch; where no batch ends, a microtask sees to it.
 */
import type { Frame } from "../../wire/websocket_frame.ts";

export interface Flushable {
  flush(): void;
}

export class Flusher {
  #waiting: Flushable[] = [];
  #scheduled = false;
  readonly joiner = new Joiner();

  /** The caller makes sure that a client is added once between two flushes. */
  add(client: Flushable): void {
    this.#waiting.push(client);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
  flush(): void {
    if (this.#waiting.length === 0) return;
    const clients = this.#waiting;
    this.#waiting = [];
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
