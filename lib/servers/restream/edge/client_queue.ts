/**
 * What waits for one client: frames in order, bounded in bytes by `queued + next ≤ max`. It keeps the in-flight bytes
 * (handed to the socket, not yet taken by the kernel) in the same account, and remembers with hysteresis whether the
 * client lags. It holds frames that other clients share, so it owns references, not copies. Pure: no socket, no clock.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { QueueLimits } from "../config.ts";

export class ClientQueue {
  #frames: Frame[] = [];
  #head = 0;
  #pending_bytes = 0;
  #in_flight_bytes = 0;
  #over = false;
  #late = false;

  constructor(readonly limits: QueueLimits) {}

  /** Frames not yet handed to the socket. */
  get pending(): number {
    return this.#frames.length - this.#head;
  }
  get pending_bytes(): number {
    return this.#pending_bytes;
  }
  get queued_bytes(): number {
    return this.#pending_bytes + this.#in_flight_bytes;
  }
  /** Over the conflation step and not yet back down, or late by the in-band measure. */
  get lagging(): boolean {
    return this.#over || this.#late;
  }
  /** The in-band measure: an answer to a ping is overdue, whatever the byte counts say. */
  set late(late: boolean) {
    this.#late = late;
  }
  /** False when it would break the bound: nothing was queued then. */
  push(frame: Frame): boolean {
    const queued_bytes = this.queued_bytes + frame.length;
    if (queued_bytes > this.limits.max_queue_bytes) return false;
    this.#frames.push(frame);
    this.#pending_bytes += frame.length;
    if (queued_bytes > this.limits.conflate_bytes) this.#over = true;
    return true;
  }
  /** Whether a batch that all share may go straight to the socket: nothing of its own waits, and it fits the window. */
  canPass(bytes: number): boolean {
    if (this.pending > 0) return false;
    const in_flight_bytes = this.#in_flight_bytes + bytes;
    return in_flight_bytes <= this.limits.window_bytes ||
      (this.#in_flight_bytes === 0 && in_flight_bytes <= this.limits.max_queue_bytes);
  }
  /** The batch went to the socket. */
  pass(bytes: number): void {
    this.#in_flight_bytes += bytes;
  }
  /** Whether one more frame may go to the socket now. */
  get sendable(): boolean {
    if (this.pending === 0) return false;
    if (this.#in_flight_bytes === 0) return true;
    return this.#in_flight_bytes + this.#frames[this.#head].length <= this.limits.window_bytes;
  }
  /**
   * The next frames for the socket, in order, within the window; at least one when nothing is in flight, however long.
   * They count as in flight until `written`.
   */
  take(): Frame[] {
    const room_bytes = this.limits.window_bytes - this.#in_flight_bytes;
    const from = this.#head;
    let taken_bytes = 0;
    while (this.#head < this.#frames.length) {
      const { length } = this.#frames[this.#head];
      const first = this.#in_flight_bytes === 0 && this.#head === from;
      if (!first && taken_bytes + length > room_bytes) break;
      taken_bytes += length;
      this.#head++;
    }
    const taken = this.#frames.slice(from, this.#head);
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    } else if (this.#head >= 1_024 && this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    } else {
      // Shared frames must not be kept alive by a slot already sent.
      for (let i = from; i < this.#head; i++) this.#frames[i] = EMPTY;
    }
    this.#pending_bytes -= taken_bytes;
    this.#in_flight_bytes += taken_bytes;
    return taken;
  }
  /** Takes back what `take` gave and was not handed to the socket. */
  giveBack(frames: readonly Frame[]): void {
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    this.#frames = [...frames, ...this.frames()];
    this.#head = 0;
    this.#pending_bytes += bytes;
    this.#in_flight_bytes -= bytes;
  }
  /** What waits, in order. */
  frames(): Frame[] {
    return this.#frames.slice(this.#head);
  }
  /** The kernel took these bytes. */
  written(bytes: number): void {
    this.#in_flight_bytes -= bytes;
    if (this.queued_bytes <= this.limits.resume_bytes) this.#over = false;
  }
  /** Forgets what was not handed to the socket. */
  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#pending_bytes = 0;
  }
}

const EMPTY: Frame = new Uint8Array(0);
