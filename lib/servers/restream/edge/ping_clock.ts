/**
 * How old is what a client reads? The kernel hides megabytes, so a ping is sent behind the data whenever enough of it went
 * out, and the time to its answer is the lag, buffers on both sides included. Pings are numbered; one at a time is
 * measured, and an answer to a later one counts too (RFC 6455 §5.5.3 allows to answer the latest only).
 */
import type { Clock } from "../../../base/clock.ts";

/** Beside heartbeats a ping follows after so many bytes: few of them, and none on a quiet connection. */
const PING_EVERY_BYTES = 65_536;
const PAYLOAD_BYTES = 4;

export class PingClock {
  #bytes = 0;
  #next_id = 1;
  #measured: { id: number; sent_ms: number } | undefined;
  #lag_ms: number | undefined;

  constructor(readonly clock: Clock) {}

  /** Counts bytes sent; true when a ping should follow. */
  isDue(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#bytes >= PING_EVERY_BYTES && this.#measured === undefined;
  }
  /** The payload of the ping that goes out now. */
  next(): Uint8Array {
    const id = this.#next_id;
    this.#next_id = (id + 1) >>> 0;
    this.#bytes = 0;
    this.#measured ??= { id, sent_ms: this.clock.monotonic_ms() };
    const payload = new Uint8Array(PAYLOAD_BYTES);
    new DataView(payload.buffer).setUint32(0, id);
    return payload;
  }
  /** A pong came: the lag in milliseconds when it answers the measured ping; a pong nobody asked for tells nothing. */
  answered(payload: Uint8Array): number | undefined {
    if (this.#measured === undefined || payload.length !== PAYLOAD_BYTES) return undefined;
    const id = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    if (id < this.#measured.id || id >= this.#next_id) return undefined;
    this.#lag_ms = this.clock.monotonic_ms() - this.#measured.sent_ms;
    this.#measured = undefined;
    return this.#lag_ms;
  }
  /** How long the measured ping has been under way. */
  get waiting_ms(): number {
    return this.#measured === undefined ? 0 : this.clock.monotonic_ms() - this.#measured.sent_ms;
  }
  /** The last lag, or the wait that is longer already. */
  get lag_ms(): number | undefined {
    const { waiting_ms } = this;
    if (this.#lag_ms === undefined) return waiting_ms > 0 ? waiting_ms : undefined;
    return Math.max(this.#lag_ms, waiting_ms);
  }
}
