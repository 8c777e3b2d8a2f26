/**
 * What waits for one client: frames in order, bounded in bytes by `queued + next ≤ max`. It keeps the in-flight bytes
 * (handed to the socket, not yet taken by the kernel) in the same account, and remembers with hysteresis whether the
 * client lags. It holds frames that other clients share, so it owns references, not copies. Pure: no socket.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { QueueLimits } from "../config.ts";
import type { ReadWindow } from "./read_window.ts";

/** A client that reads slowly waits for its bytes: behind more of its own windows than these it would read old news. */
const WINDOWS_BEFORE_CONFLATION = 2;

export class ClientQueue {
  #frames: Frame[] = [];
  #head = 0;
  #pending_bytes = 0;
  #in_flight_bytes = 0;
  #over = false;
  #late = false;

  constructor(readonly limits: QueueLimits, readonly window: ReadWindow) {}

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
    if (queued_bytes > this.#conflate_bytes) this.#over = true;
    return true;
  }
  get #conflate_bytes(): number {
    return Math.min(this.limits.conflate_bytes, this.window.max_bytes * WINDOWS_BEFORE_CONFLATION);
  }
  /** Whether a batch that all share may go straight to the socket: nothing of its own waits, and it fits the window. */
  canPass(bytes: number): boolean {
    return this.pending === 0 && this.queued_bytes + bytes <= this.limits.max_queue_bytes &&
      this.#fits(0, bytes);
  }
  /** It waits at or below the step at which anything is conflated, with so many bytes more. */
  keepsUpWith(bytes: number): boolean {
    return this.queued_bytes + bytes <= this.#conflate_bytes;
  }
  /** The batch went to the socket. */
  pass(bytes: number): void {
    this.#in_flight_bytes += bytes;
    this.window.count(bytes);
  }
  /** A ping went to the socket, past what waits. */
  passPing(bytes: number): void {
    this.#in_flight_bytes += bytes;
  }
  /** Whether one more frame may go to the socket now. */
  get sendable(): boolean {
    return this.pending > 0 && this.#fits(0, this.#frames[this.#head].length);
  }
  /**
   * The next frames for the socket, in order, within both windows; at least one when nothing is in flight, however long.
   * They count as in flight until `written`, and as under way until the client has read them.
   */
  take(): Frame[] {
    const from = this.#head;
    let taken_bytes = 0;
    while (this.#head < this.#frames.length) {
      const { length } = this.#frames[this.#head];
      if (!this.#fits(taken_bytes, length)) break;
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
    this.pass(taken_bytes);
    return taken;
  }
  /** Whether a frame fits behind what is taken already. */
  #fits(taken_bytes: number, length: number): boolean {
    const in_flight_bytes = this.#in_flight_bytes + taken_bytes;
    if (in_flight_bytes > 0 && in_flight_bytes + length > this.limits.window_bytes) return false;
    return this.window.admits(length, taken_bytes);
  }
  /** Takes back what `take` gave and was not handed to the socket. */
  giveBack(frames: readonly Frame[]): void {
    let bytes = 0;
    for (const frame of frames) bytes += frame.length;
    this.#frames = [...frames, ...this.frames()];
    this.#head = 0;
    this.#pending_bytes += bytes;
    this.pass(-bytes);
  }
  /** What waits, in order. */
  frames(): Frame[] {
    return this.#frames.slice(this.#head);
  }
  /** The kernel took these bytes. */
  written(bytes: number): void {
    this.#in_flight_bytes -= bytes;
    if (this.queued_bytes <= Math.min(this.limits.resume_bytes, this.window.max_bytes / 2)) {
      this.#over = false;
    }
  }
  /** Forgets what was not handed to the socket. */
  clear(): void {
    this.#frames = [];
    this.#head = 0;
    this.#pending_bytes = 0;
  }
}

const EMPTY: Frame = new Uint8Array(0);
