/**
 * The data side of one client connection: frames leave in bursts through the raw socket, and the frame faults happen
 * here. Bounds: `queued_bytes` is what the socket has not taken; the venue stops playing (at full speed) or cuts the
 * client (at a market's own pace) before it grows. Frames held by a delay: 200 or 1 s or 1 MiB; by a swap: one per stream.
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { type CorruptionWords, spoil } from "./corruption.ts";
import type { FaultPlan } from "./fault_plan.ts";
import { frameBytes, type WireFrame } from "./wire_frame.ts";

const MAX_DELAY_MS = 1_000;
const MAX_DELAYED_BYTES = 1024 * 1024;

export interface OutletOptions {
  socket: Duplex;
  clock: Clock;
  faults: FaultPlan;
  slot: number;
  words: CorruptionWords;
  /** Destroys the connection. */
  disconnect(): void;
}

export class Outlet {
  /** Handed to the socket and not yet taken by the kernel. */
  queued_bytes = 0;
  frames_sent = 0;
  /** Stalled: open and silent. */
  stalled = false;
  #closed = false;
  #burst: Buffer[] = [];
  #delayed: { frames: Buffer[]; bytes: number; until_position: number; timer: Timer } | undefined;
  readonly #swapped = new Map<string, Buffer>();
  #low: { below_bytes: number; resolve: () => void }[] = [];

  constructor(readonly options: OutletOptions) {}

  deliver(stream: string, frame: WireFrame, position: number): void {
    if (this.#closed || this.stalled) return;
    if (this.#delayed && position >= this.#delayed.until_position) this.#release();
    const { faults, slot, disconnect } = this.options;
    const drawn = faults.ofFrame(position, slot, stream);
    switch (drawn?.fault) {
      case undefined:
        return this.#emit(stream, frame);
      case "disconnect":
        return disconnect();
      case "stall":
        this.stalled = true;
        return;
      case "drop":
        return;
      case "corrupt":
        return this.#corrupt(stream, frame, drawn.random);
      case "delay":
        this.#delay(position + drawn.random.integer(20, 200));
        return this.#emit(stream, frame);
      case "reorder":
        if (this.#swapped.has(stream)) this.#emit(stream, frame);
        else this.#swapped.set(stream, frame.bytes());
        return;
      case "duplicate":
        this.#emit(stream, frame);
        return this.#emit(stream, frame);
    }
  }
  /** A frame beside the streams; keeps its place behind what was delivered before. */
  notice(bytes: Buffer): void {
    if (this.#closed || this.stalled) return;
    this.#queue(bytes);
    this.flush();
  }
  /** Hands the burst to the socket. */
  flush(): void {
    if (this.#burst.length === 0 || this.#closed) return;
    const bytes = this.#burst.length === 1 ? this.#burst[0] : Buffer.concat(this.#burst);
    this.#burst = [];
    this.queued_bytes += bytes.length;
    this.options.socket.write(bytes, () => {
      this.queued_bytes -= bytes.length;
      this.#low = this.#low.filter((one) => {
        if (this.queued_bytes >= one.below_bytes) return true;
        one.resolve();
        return false;
      });
    });
  }
  /** Resolves when less than this is queued, or the connection is gone. */
  whenBelow(below_bytes: number): Promise<void> {
    if (this.#closed || this.queued_bytes < below_bytes) return Promise.resolve();
    return new Promise((resolve) => this.#low.push({ below_bytes, resolve }));
  }
  /** The faulty part is over: what was held goes out, a stalled connection speaks again. */
  calm(): void {
    this.stalled = false;
    this.#release();
    for (const bytes of this.#swapped.values()) this.#push(bytes);
    this.#swapped.clear();
    this.flush();
  }
  /** Forgets what a stream held back. */
  forget(stream: string): void {
    this.#swapped.delete(stream);
  }
  close(): void {
    this.#closed = true;
    this.#delayed?.timer.cancel();
    this.#delayed = undefined;
    this.#swapped.clear();
    this.#burst = [];
    for (const one of this.#low.splice(0)) one.resolve();
  }

  #emit(stream: string, frame: WireFrame): void {
    this.#push(frame.bytes());
    const earlier = this.#swapped.get(stream);
    if (!earlier) return;
    this.#swapped.delete(stream);
    this.#push(earlier);
  }
  #corrupt(stream: string, frame: WireFrame, random: Random): void {
    const spoilt = spoil(frame, random, this.options.words);
    this.#push(frameBytes(spoilt.payload, typeof frame.payload === "string"));
    if (!spoilt.replaces) this.#emit(stream, frame);
  }
  #delay(until_position: number): void {
    if (this.#delayed) return;
    const timer = this.options.clock.after(MAX_DELAY_MS, () => {
      this.#release();
      this.flush();
    });
    this.#delayed = { frames: [], bytes: 0, until_position, timer };
  }
  #release(): void {
    const delayed = this.#delayed;
    if (!delayed) return;
    this.#delayed = undefined;
    delayed.timer.cancel();
    for (const bytes of delayed.frames) this.#burst.push(bytes);
  }
  #push(bytes: Buffer): void {
    this.frames_sent++;
    this.#queue(bytes);
  }
  #queue(bytes: Buffer): void {
    if (!this.#delayed) {
      this.#burst.push(bytes);
      return;
    }
    this.#delayed.frames.push(bytes);
    this.#delayed.bytes += bytes.length;
    if (this.#delayed.bytes > MAX_DELAYED_BYTES) this.#release();
  }
}
