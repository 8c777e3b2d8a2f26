/**
 * One subscriber that wants the newest state: at most one message in its interval, nothing while its client is slow, and
 * always the last state in the end. What it has not been sent is one bit here, never a queue: the state is encoded, once
 * for all, when it goes out. What a rate limit would skip, this owes.
 */
import type { Clock, Timer } from "../../../base/clock.ts";
import type { MetricValue } from "../../../base/metrics.ts";
import type { GrpcClient } from "../client.ts";
import type { Call } from "../transport/call.ts";

/** A client whose bytes per second are used up asks again no sooner. */
const MIN_THROTTLE_MS = 10;

/** The state to tell, as it is now; undefined: nothing can be told, a word comes when that changes. */
export type NewestFrame = (is_first: boolean) => Uint8Array | undefined;

export class NewestStream {
  #owes = false;
  #is_first = true;
  #last_ms = -Infinity;
  #timer: Timer | undefined;
  #ended = false;
  readonly #again = () => this.#tell();

  constructor(
    readonly call: Call,
    readonly client: GrpcClient,
    readonly clock: Clock,
    /** Least time between two messages; 0: as they come. */
    readonly interval_ms: number,
    readonly frame: NewestFrame,
    readonly conflated: MetricValue,
  ) {
    call.onReady = this.#again;
  }
  /** There is a newer state. */
  changed(): void {
    if (this.#owes) {
      this.conflated.value++;
      this.client.skipped_messages++;
    }
    this.#owes = true;
    this.#tell();
  }
  /** What was told is no longer true; the next message is a snapshot. */
  restart(): void {
    this.#owes = false;
    this.#is_first = true;
  }
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.client.forget(this.#again);
  }

  #tell(): void {
    if (!this.#owes || this.#ended || this.#timer !== undefined || !this.call.ready) return;
    const wait_ms = this.interval_ms > 0 ? this.#last_ms + this.interval_ms - this.clock.monotonic_ms() : 0;
    if (wait_ms > 0) return this.#wait(wait_ms);
    if (!this.client.has_room) return this.client.starve(this.#again);
    const frame = this.frame(this.#is_first);
    if (frame === undefined) return;
    const { lease } = this.client;
    if (!lease.takeBytes(frame.length)) return this.#wait(Math.max(MIN_THROTTLE_MS, lease.retry_after_ms()));
    if (!this.call.send(frame)) return this.client.starve(this.#again);
    this.#owes = false;
    this.#is_first = false;
    if (this.interval_ms > 0) this.#last_ms = this.clock.monotonic_ms();
  }
  #wait(wait_ms: number): void {
    this.#timer = this.clock.after(Math.ceil(wait_ms), () => {
      this.#timer = undefined;
      this.#tell();
    });
  }
}
