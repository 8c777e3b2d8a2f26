/**
 * One HTTP/2 connection: its calls, its pings, its end. A peer that answers no ping is gone; one without calls is asked
 * to leave (GOAWAY) after a while, much sooner when it has not said who it is.
 */
import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Clock, Timer } from "../../../base/clock.ts";
import type { Call } from "./call.ts";
import type { SocketTap } from "./socket_tap.ts";

export interface ConnectionLimits {
  readonly keepalive_ms: number;
  readonly idle_ms: number;
  readonly auth_timeout_ms: number;
}

export class Connection {
  readonly calls = new Set<Call>();
  readonly #beating: Timer;
  #idle_since_ms: number;
  #awaits_pong = false;
  /** Somebody on it showed who it is, or nobody needs to. */
  known = false;
  readonly on_close: (() => void)[] = [];

  constructor(
    readonly session: Http2Session,
    readonly tap: SocketTap,
    readonly clock: Clock,
    readonly limits: ConnectionLimits,
  ) {
    this.#idle_since_ms = clock.monotonic_ms();
    const period_ms = Math.min(limits.keepalive_ms, limits.auth_timeout_ms);
    let beats_ms = 0;
    this.#beating = clock.every(period_ms, () => {
      beats_ms += period_ms;
      this.#leaveIdle();
      if (beats_ms < limits.keepalive_ms) return;
      beats_ms = 0;
      this.#ping();
    });
    session.on("error", () => this.destroy());
    session.on("close", () => this.#onClose());
    tap.on("close", () => this.destroy());
  }
  get socket(): Socket {
    return this.tap.socket;
  }
  /** A ping is under way. */
  get awaits_pong(): boolean {
    return this.#awaits_pong;
  }
  enter(call: Call): void {
    this.calls.add(call);
  }
  leave(call: Call): void {
    this.calls.delete(call);
    if (this.calls.size === 0) this.#idle_since_ms = this.clock.monotonic_ms();
  }
  /** No new calls; it ends with the last that is open. */
  goAway(): void {
    if (!this.session.destroyed) this.session.close();
  }
  destroy(): void {
    if (!this.session.destroyed) this.session.destroy();
    this.tap.destroy();
    this.#onClose();
  }

  #leaveIdle(): void {
    if (this.calls.size > 0) return;
    const idle_ms = this.clock.monotonic_ms() - this.#idle_since_ms;
    const { idle_ms: limit_ms, auth_timeout_ms } = this.limits;
    if (idle_ms < (this.known ? limit_ms : Math.min(limit_ms, auth_timeout_ms))) return;
    // The second time round it did not leave by itself.
    if (this.session.closed) this.destroy();
    else this.goAway();
  }
  #ping(): void {
    if (this.#awaits_pong) return this.destroy();
    if (this.session.destroyed || this.session.closed) return;
    this.#awaits_pong = true;
    this.session.ping((error: Error | null) => {
      if (!error) this.#awaits_pong = false;
    });
  }
  #onClose(): void {
    this.#beating.cancel();
    for (const told of this.on_close.splice(0)) told();
  }
}
