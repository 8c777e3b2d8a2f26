/**
 * How much may be under way to a client, and how old is what it reads? The kernel takes megabytes that no count of ours
 * sees, so pings go out among the data, and what lies before an answered ping has been read. What has not been is bounded
 * by what the client reads in `target_ms`, as its answers show: a slow one holds kilobytes of old news, not megabytes, and
 * the rest waits where it can still be conflated. An answer to a later ping counts for those before it (RFC 6455 §5.5.3).
 */
import type { Clock } from "../../../base/clock.ts";

/** Until the first answers, and whatever they say. */
const FIRST_BYTES = 131_072;
const MIN_BYTES = 16_384;
/** So many read quickly show that it reads quickly. */
const TELLING_BYTES = 4_096;
/** Pings follow each other after this share of the window, at most after so many bytes. */
const PINGS_A_WINDOW = 4;
const MAX_PING_EVERY_BYTES = 262_144;
/** Unanswered pings that are remembered. */
const MAX_PINGS = 256;
const PAYLOAD_BYTES = 4;
/** From a server: two bytes before the payload (RFC 6455 §5.2). */
const PING_FRAME_BYTES = 2 + PAYLOAD_BYTES;

interface Ping {
  readonly id: number;
  readonly sent_ms: number;
  /** Sent up to it, from the beginning. */
  readonly sent_bytes: number;
  /** Of these not known to have been read when it was sent. */
  readonly under_way_bytes: number;
}

export class ReadWindow {
  #sent_bytes = 0;
  #read_bytes = 0;
  #pinged_bytes = 0;
  #next_id = 1;
  /** Unanswered, oldest first. */
  #pings: Ping[] = [];
  #lag_ms: number | undefined;
  #max_bytes: number;

  /** @param limit_bytes never more than this under way, however fast the client reads */
  constructor(readonly clock: Clock, readonly target_ms: number, readonly limit_bytes: number) {
    this.#max_bytes = Math.min(FIRST_BYTES, limit_bytes);
  }
  /** So much may be under way now. */
  get max_bytes(): number {
    return this.#max_bytes;
  }
  /** Sent and not known to be read. */
  get under_way_bytes(): number {
    return this.#sent_bytes - this.#read_bytes;
  }
  /** Whether so many more fit, behind others that are about to go; anything does when nothing is under way. */
  admits(bytes: number, ahead_bytes = 0): boolean {
    const under_way_bytes = this.under_way_bytes + ahead_bytes;
    return under_way_bytes === 0 || under_way_bytes + bytes <= this.#max_bytes;
  }
  count(bytes: number): void {
    this.#sent_bytes += bytes;
  }
  /** A ping should follow. */
  get wants_ping(): boolean {
    const every_bytes = Math.min(MAX_PING_EVERY_BYTES, this.#max_bytes / PINGS_A_WINDOW);
    return this.#sent_bytes - this.#pinged_bytes >= every_bytes && this.#pings.length < MAX_PINGS;
  }
  /** Nothing would ever tell that what is under way was read. */
  get is_blind(): boolean {
    return this.#pings.length === 0 && this.under_way_bytes > 0;
  }
  /** The payload of a ping that goes out now, behind all that was counted, and is counted itself. */
  next(): Uint8Array {
    const id = this.#next_id;
    this.#next_id = (id + 1) >>> 0;
    const sent_bytes = this.#pinged_bytes = this.#sent_bytes += PING_FRAME_BYTES;
    const { under_way_bytes } = this;
    // The oldest one's bytes are answered for by those behind it.
    if (this.#pings.length === MAX_PINGS) this.#pings.shift();
    this.#pings.push({ id, sent_ms: this.clock.monotonic_ms(), sent_bytes, under_way_bytes });
    const payload = new Uint8Array(PAYLOAD_BYTES);
    new DataView(payload.buffer).setUint32(0, id);
    return payload;
  }
  /** A pong came: the lag in milliseconds when it answers a ping of ours; one that nobody asked for tells nothing. */
  answered(payload: Uint8Array): number | undefined {
    if (payload.length !== PAYLOAD_BYTES) return undefined;
    const id = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    const at = this.#pings.findIndex((ping) => ping.id === id);
    if (at < 0) return undefined;
    const ping = this.#pings[at];
    this.#pings = this.#pings.slice(at + 1);
    this.#read_bytes = ping.sent_bytes;
    this.#lag_ms = this.clock.monotonic_ms() - ping.sent_ms;
    this.#fit(ping.under_way_bytes, this.#lag_ms);
    return this.#lag_ms;
  }
  /** How long the oldest ping has been under way. */
  get waiting_ms(): number {
    return this.#pings.length === 0 ? 0 : this.clock.monotonic_ms() - this.#pings[0].sent_ms;
  }
  /** The last lag, or the wait that is longer already. */
  get lag_ms(): number | undefined {
    const { waiting_ms } = this;
    if (this.#lag_ms === undefined) return waiting_ms > 0 ? waiting_ms : undefined;
    return Math.max(this.#lag_ms, waiting_ms);
  }

  /** So many bytes were read in this time. A few say nothing of how fast many would be. */
  #fit(bytes: number, lag_ms: number): void {
    const fitting_bytes = bytes * this.target_ms / Math.max(1, lag_ms);
    if (lag_ms <= this.target_ms) {
      if (bytes < TELLING_BYTES) return;
      this.#max_bytes = Math.max(this.#max_bytes, Math.min(fitting_bytes, this.limit_bytes));
    } else if (bytes * 2 >= this.#max_bytes) {
      this.#max_bytes = Math.min(this.limit_bytes, Math.max(MIN_BYTES, fitting_bytes, this.#max_bytes / 2));
    }
  }
}
