/**
 * What systemd is told of the supervisor: that it is up, what it is doing, that its event loop turns (watchdog). Silent
 * where nobody asked (no NOTIFY_SOCKET).
 */
import type { Clock, Timer } from "../base/clock.ts";
import { notifyServiceManager } from "../os/service_manager.ts";

export class SystemdLink implements Disposable {
  readonly #socket: string | undefined;
  #watchdog: Timer | undefined;
  #last_status = "";

  constructor(env: Readonly<Record<string, string | undefined>>, clock: Clock) {
    this.#socket = env.NOTIFY_SOCKET || undefined;
    const is_ours = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === Deno.pid;
    const period_ms = Number(env.WATCHDOG_USEC) / 1_000;
    if (!this.#socket || !is_ours || !(period_ms > 0)) return;
    // twice as often as it must be, as sd_watchdog_enabled(3) advises
    this.#watchdog = clock.every(period_ms / 2, () => this.#say("WATCHDOG=1"));
  }
  ready(): void {
    this.#say(`READY=1\nMAINPID=${Deno.pid}`);
  }
  reloading(): void {
    this.#say("RELOADING=1");
  }
  stopping(): void {
    this.#say("STOPPING=1");
  }
  /** Nothing when it is what was said last. */
  status(text: string): void {
    if (text !== this.#last_status) this.#say(`STATUS=${text}`);
    this.#last_status = text;
  }
  [Symbol.dispose](): void {
    this.#watchdog?.cancel();
  }

  #say(message: string): void {
    if (this.#socket) notifyServiceManager(this.#socket, message);
  }
}
