/**
 * What is watched while a program runs: that it becomes ready in time, that it answers, that it says it is alive. Each
 * guard only speaks; what follows is decided by the app. All timers end with the run.
 */
import { type Clock, sleep, type Timer } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { AppConfig, ReadyConfig } from "./config_schema.ts";
import type { Notification } from "./notify_socket.ts";
import { address, type Probe, targetText } from "./probe.ts";
import { durationText } from "./quantities.ts";

export interface GuardWorld {
  clock: Clock;
  probe: Probe;
  /** Resolves when a line that the program writes from now on matches. Rejects when its log cannot be read. */
  lineAppears(app: AppConfig, pattern: RegExp, signal: AbortSignal): Promise<void>;
}

export interface GuardEvents {
  online(): void;
  /** The run must end. */
  unfit(why: string): void;
}

const FIRST_PROBE_MS = 50;
const MAX_PROBE_MS = 1_000;
const PROBE_TIMEOUT_MS = 5_000;
const TAKEN_TIMEOUT_MS = 1_000;

export class AppGuards implements Disposable {
  readonly #ended = new AbortController();
  #is_online = false;
  #watchdog: Timer | undefined;

  constructor(readonly config: AppConfig, readonly world: GuardWorld, readonly events: GuardEvents) {}

  /** Begins; for an adopted program that was ready before, with `is_ready`. */
  start(is_ready: boolean): void {
    if (is_ready) this.#online();
    else void this.#waitForReady();
  }
  /** What the program said by sd_notify. */
  hear(message: Notification): void {
    if (message.ready && this.config.ready?.notify) this.#online();
    if (message.watchdog && this.#is_online) this.#rearm();
  }
  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#watchdog?.cancel();
  }

  #online(): void {
    if (this.#is_online || this.#ended.signal.aborted) return;
    this.#is_online = true;
    this.events.online();
    this.#rearm();
    if (this.config.health_check) void this.#checkHealth(this.config.health_check);
  }
  #rearm(): void {
    const { watchdog } = this.config;
    if (watchdog === undefined) return;
    this.#watchdog?.cancel();
    this.#watchdog = this.world.clock.after(
      watchdog,
      () => this.events.unfit(`no WATCHDOG=1 for ${durationText(watchdog)}`),
    );
  }
  async #waitForReady(): Promise<void> {
    const { ready, min_uptime } = this.config;
    const { signal } = this.#ended;
    const { clock } = this.world;
    if (!ready) {
      await sleep(clock, min_uptime, signal);
      this.#online();
      return;
    }
    const late = clock.after(ready.timeout, () => this.#late(ready));
    signal.addEventListener("abort", () => late.cancel(), { once: true });
    try {
      if (ready.line !== undefined) {
        await this.world.lineAppears(this.config, new RegExp(ready.line, "u"), signal);
      } else if (ready.notify) return;
      else await this.#untilAnswered(ready, signal);
      this.#online();
    } catch (error) {
      if (!signal.aborted) this.events.unfit(reasonOf(error));
    }
  }
  async #untilAnswered(ready: ReadyConfig, signal: AbortSignal): Promise<void> {
    for (let wait_ms = FIRST_PROBE_MS; !signal.aborted; wait_ms = Math.min(MAX_PROBE_MS, wait_ms * 1.5)) {
      const fault = await this.world.probe(ready, PROBE_TIMEOUT_MS, this.world.clock);
      if (fault === undefined) return;
      await sleep(this.world.clock, wait_ms, signal);
    }
  }
  #late(ready: ReadyConfig): void {
    if (this.#is_online) return;
    const wanted = ready.line !== undefined
      ? `a line like ${JSON.stringify(ready.line)}`
      : ready.notify
      ? "READY=1"
      : targetText(ready);
    this.events.unfit(`not ready within ${durationText(ready.timeout)}, want ${wanted}`);
  }
  async #checkHealth(check: NonNullable<AppConfig["health_check"]>): Promise<void> {
    const { signal } = this.#ended;
    for (let failures = 0;;) {
      await sleep(this.world.clock, check.interval, signal);
      if (signal.aborted) return;
      const fault = await this.world.probe(check, check.timeout, this.world.clock);
      if (signal.aborted) return;
      failures = fault === undefined ? 0 : failures + 1;
      if (failures < check.retries) continue;
      this.events.unfit(`unhealthy ${failures} times: ${fault}`);
      return;
    }
  }
}

/** Why the port that will tell of readiness cannot be trusted: somebody else answers on it already. */
export async function portTaken({ ready }: AppConfig, world: GuardWorld): Promise<string | undefined> {
  const port = ready?.http === undefined ? ready?.port : portOf(ready.http);
  if (port === undefined) return undefined;
  const fault = await world.probe({ port }, TAKEN_TIMEOUT_MS, world.clock);
  if (fault !== undefined) return undefined;
  const { hostname, port: number } = address(port);
  return `port ${hostname}:${number} is taken by another process, want it free`;
}

function portOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}
