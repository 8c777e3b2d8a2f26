/**
 * Pings at a steady pace on a connection of their own, sent whether or not earlier ones are answered, so a stall counts
 * once for every ping that was due in it and not once in all. A ping that can't be sent waits for the connection and
 * counts from when it was due. What our own event loop comes late with is no wait of the server's: a ping that is sent late
 * counts from when it was sent, one whose answer was read late counts for nothing, and both are told.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { RespWriter } from "../../wire/redis/resp_writer.ts";
import type { RedisConnection } from "../../wire/redis/redis_connection.ts";
import { ReplyError } from "../../wire/redis/resp_reader.ts";
import { type LatencyHistograms, LatencyWindows } from "../latency_windows.ts";

/** Pings waited for: at 100 a second ten minutes of standstill. Later ones are not sent, but counted. */
const MAX_PENDING = 60_000;

/** Timers are late by that much on an idle machine. */
const TIMER_SLACK_MS = 2;
/** Of a wait that may be our own before it counts for nothing. */
const MAX_OWN_SHARE = 0.1;

interface Ping {
  readonly due_ms: number;
}

export interface LatencyLook extends LatencyHistograms {
  /** Pings not answered yet, and the longest of these waits. */
  readonly pending: number;
  readonly pending_us: number;
  /** Pings that tell nothing: not sent because too many waited or we came too late, or answered and read too late by us. */
  readonly not_measured: number;
  /** How late we ourselves came at worst since the last look. */
  readonly own_delay_us: number;
}

export class LatencyProbe {
  readonly #windows = new LatencyWindows();
  readonly #pending = new Set<Ping>();
  /** Those of the pending ones that no connection has taken. */
  #unsent: Ping[] = [];
  #not_measured = 0;
  #own_delay_ms = 0;
  #sent = 0;
  #last_tick_ms: number;
  #last_late_ms = 0;
  readonly #timer: Timer;

  constructor(
    readonly connection: Pick<RedisConnection, "ready" | "exec">,
    readonly clock: Clock,
    readonly period_ms: number,
  ) {
    this.#last_tick_ms = clock.monotonic_ms();
    this.#timer = clock.every(period_ms, () => this.#tick());
  }
  /** Pings sent so far: commands that are ours. */
  get sent(): number {
    return this.#sent;
  }
  /** To be called when the connection is usable again. */
  resume(): void {
    const waiting = this.#unsent;
    this.#unsent = [];
    if (waiting.length > 0) void this.#send(waiting);
  }
  look(): LatencyLook {
    const now_ms = this.clock.monotonic_ms();
    // On its way is not waiting: only what is longer than a period and than any answer took is worth telling.
    const usual_us = Math.max(this.period_ms * 1_000, this.#windows.last_max_us);
    const waits_us = [...this.#pending].map(({ due_ms }) => (now_ms - due_ms) * 1_000)
      .filter((us) => us > usual_us);
    const look = {
      ...this.#windows.take(now_ms, waits_us),
      pending: waits_us.length,
      pending_us: Math.max(0, ...waits_us.slice(0, 1)),
      not_measured: this.#not_measured,
      own_delay_us: this.#own_delay_ms * 1_000,
    };
    this.#not_measured = 0;
    this.#own_delay_ms = 0;
    return look;
  }
  close(): void {
    this.#timer.cancel();
  }

  #tick(): void {
    const now_ms = this.clock.monotonic_ms();
    const late_ms = Math.max(0, now_ms - this.#last_tick_ms - this.period_ms);
    this.#last_tick_ms = now_ms;
    this.#last_late_ms = late_ms;
    this.#own_delay_ms = Math.max(this.#own_delay_ms, late_ms);
    this.#not_measured += Math.floor(late_ms / this.period_ms);
    if (this.#pending.size >= MAX_PENDING) {
      this.#not_measured++;
      return;
    }
    const ping = { due_ms: now_ms };
    this.#pending.add(ping);
    if (this.connection.ready) void this.#send([ping]);
    else this.#unsent.push(ping);
  }
  /** One PING for all of them: had they been sent when they were due, they would all be answered now. */
  async #send(pings: Ping[]): Promise<void> {
    this.#sent++;
    const [[error]] = await this.connection.exec(new RespWriter(64).command("PING"));
    if (error !== null && !(error instanceof ReplyError)) {
      // The next connection takes them (`resume`).
      this.#unsent.push(...pings);
      return;
    }
    const now_ms = this.clock.monotonic_ms();
    // A tick that is overdue, or that just came late, shows that the answer may have lain here for as long: our own wait.
    const overdue_ms = now_ms - this.#last_tick_ms - this.period_ms;
    for (const ping of pings) {
      this.#pending.delete(ping);
      const wait_ms = now_ms - ping.due_ms;
      const own_ms = Math.max(overdue_ms, ping.due_ms < this.#last_tick_ms ? this.#last_late_ms : 0);
      if (own_ms > TIMER_SLACK_MS && own_ms > MAX_OWN_SHARE * wait_ms) this.#not_measured++;
      else this.#windows.record(wait_ms * 1_000, now_ms);
    }
  }
}
