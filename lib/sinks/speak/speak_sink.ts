/**
 * The sink itself: updates and the seconds go to the rules, alerts go to voice and webhook. It takes every update where it
 * is offered and keeps none; what waits is alerts. A voice that is missing is looked for again now and then.
 */
import type { Timer } from "../../base/clock.ts";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import { DELIVERED, type UpdateKind } from "../../flow/delivery_target.ts";
import type { MarketUpdate } from "../../market/update.ts";
import type { Sink, SinkContext } from "../sink.ts";
import type { SpeakConfig } from "../speak.ts";
import type { Alert } from "./alert.ts";
import { AlertMetrics } from "./alert_metrics.ts";
import { Announcer, type Say } from "./announcer.ts";
import { createRules } from "./rule_config.ts";
import { RuleEngine } from "./rule_engine.ts";
import { findSpeaker, type Speaker } from "./speaker.ts";
import { Webhook } from "./webhook.ts";

const TICK_MS = 1_000;
/** A rule that has seen nothing for so long is told of. */
const BLIND_AFTER_MS = 60_000;
const MAX_BLIND_SPOTS = 20;
/** A voice may be installed while we run. */
const SEARCH_PAUSE_MS = 60_000;
const CLOSE_SPEECH_MS = 3_000;
const CLOSE_WEBHOOK_MS = 5_000;

export class SpeakSink implements Sink<never> {
  readonly name: string;
  readonly engine: RuleEngine;
  readonly #metrics: AlertMetrics;
  readonly #announcer: Announcer | undefined;
  readonly #webhook: Webhook | undefined;
  readonly #timers: Timer[] = [];
  readonly #log: RateLimitedLog;
  readonly #started: { wall_ms: number; monotonic_ms: number };
  #speaker: Speaker | undefined;
  #missing: { reason: string; since_ms: number } | undefined;
  #searching: Promise<void> | undefined;

  constructor(readonly config: SpeakConfig, readonly context: SinkContext) {
    const { name, clock, log, metrics, seed } = context;
    this.name = name;
    this.#started = { wall_ms: clock.now_ms(), monotonic_ms: clock.monotonic_ms() };
    this.#metrics = new AlertMetrics(metrics, name);
    this.#log = new RateLimitedLog(log, clock, 600_000);
    const own = { clock, log, metrics: this.#metrics, seed };
    if (config.engine !== "none") {
      const settings = {
        ...config,
        max_age_ms: config.max_age_s * 1_000,
        group_wait_ms: config.group_wait_s * 1_000,
      };
      const say: Say = config.dry_run
        ? () => Promise.resolve()
        : (spoken, signal) => this.#say(spoken, signal);
      this.#announcer = new Announcer(settings, { ...own, now_ms: () => this.#now_ms() }, say);
      if (!config.dry_run) this.#searching = this.#search();
    }
    if (config.webhook) this.#webhook = new Webhook(config.webhook, { ...own, sink: name });
    const owner = {
      raised: (alert: Alert) => this.#raised(alert),
      suppressed: (rule: string) => this.#metrics.suppressed(rule),
    };
    this.engine = new RuleEngine(createRules(config.rules), owner, name);
    this.#timers.push(
      clock.every(TICK_MS, () => this.#tick()),
      clock.after(BLIND_AFTER_MS, () => this.#tellBlindSpots()),
    );
  }

  takes(kind: UpdateKind): boolean {
    return this.engine.kinds.has(kind);
  }
  encode(update: MarketUpdate): typeof DELIVERED | undefined {
    return this.engine.onUpdate(update, this.#now_ms()) > 0 ? DELIVERED : undefined;
  }
  sizeBytes(): number {
    return 0;
  }
  write(): Promise<void> {
    return Promise.resolve();
  }
  notReady(): string | undefined {
    return this.#missing?.reason ?? this.#announcer?.notReady() ?? this.#webhook?.notReady();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#searching;
    await Promise.all([this.#announcer?.close(CLOSE_SPEECH_MS), this.#webhook?.close(CLOSE_WEBHOOK_MS)]);
  }

  /** Wall time at the start, then as the monotonic clock goes: a clock that is set makes no alert late. */
  #now_ms(): number {
    const { wall_ms, monotonic_ms } = this.#started;
    return wall_ms + (this.context.clock.monotonic_ms() - monotonic_ms);
  }
  #tick(): void {
    this.engine.tick(this.context.surroundings, this.#now_ms());
    if (this.engine.unwatched === 0) return;
    this.#log.warn("unwatched", "more instruments than rules can watch", {
      watched: this.engine.instruments,
      updates: this.engine.unwatched,
    });
  }
  #raised(alert: Alert): void {
    this.#metrics.raised(alert.rule);
    this.#announcer?.push(alert);
    this.#webhook?.push(alert);
  }
  async #say(spoken: string, signal: AbortSignal): Promise<void> {
    await this.#searching;
    if (!this.#speaker && this.#now_ms() - this.#missing!.since_ms >= SEARCH_PAUSE_MS) {
      this.#searching = this.#search();
      await this.#searching;
    }
    if (!this.#speaker) throw new Error(this.#missing!.reason);
    await this.#speaker.say(spoken, signal);
  }
  async #search(): Promise<void> {
    const { engine } = this.config;
    const { clock, log } = this.context;
    try {
      this.#speaker = await findSpeaker(engine, this.config, { clock });
      this.#missing = undefined;
      log.info("voice found", { engine: this.#speaker.kind.name });
    } catch (error) {
      this.#missing = { reason: reasonOf(error), since_ms: this.#now_ms() };
      const hint = error instanceof UserError ? error.hint : undefined;
      log.warn("no voice: alerts are not spoken", { reason: reasonOf(error), hint });
    }
  }
  #tellBlindSpots(): void {
    const { surroundings, log } = this.context;
    if (!surroundings) return;
    const spots = this.engine.blindSpots(surroundings.books());
    for (const spot of spots.slice(0, MAX_BLIND_SPOTS)) {
      log.warn("rule sees nothing", { rule: quoted(spot, 200) });
    }
    if (spots.length > MAX_BLIND_SPOTS) {
      log.warn("rules see nothing", { more: spots.length - MAX_BLIND_SPOTS });
    }
  }
}
