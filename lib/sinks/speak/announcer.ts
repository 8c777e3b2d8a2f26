/**
 * Says what the queue holds, one utterance at a time, at a rate that a person can listen to: a short wait gathers what
 * belongs together, a budget bounds the words of any minute, and a part of it is kept for critical alerts, which also
 * interrupt others. What a voice fails to say is dropped and counted; it is not said late.
 */
import { Backoff } from "../../base/backoff.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import { Random } from "../../base/random.ts";
import type { Alert } from "./alert.ts";
import type { AlertMetrics, DropReason } from "./alert_metrics.ts";
import { AlertQueue, type Turn } from "./alert_queue.ts";
import { compose, type Utterance } from "./utterance.ts";
import { WordBudget } from "./word_budget.ts";

/** Says a speakable text; rejects with the reason. */
export type Say = (spoken: string, signal: AbortSignal) => Promise<void>;

export interface AnnouncerSettings {
  readonly max_queued: number;
  readonly max_age_ms: number;
  readonly group_wait_ms: number;
  readonly max_words: number;
  readonly max_words_per_minute: number;
  /** Nothing is really said: the log must not claim it. */
  readonly dry_run?: boolean;
}
export interface AnnouncerContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AlertMetrics;
  /** The time of alerts, milliseconds. */
  now_ms(): number;
  readonly seed: string;
}

const RETRY = { first_ms: 1_000, max_ms: 60_000 };

export class Announcer {
  readonly #queue: AlertQueue;
  readonly #budget: WordBudget;
  readonly #backoff: Backoff;
  readonly #log: RateLimitedLog;
  #timer: Timer | undefined;
  /** When the first of those that wait came. */
  #gathering_ms: number | undefined;
  #speaking: { alerts: readonly Alert[]; abort: AbortController; done: Promise<void> } | undefined;
  #failure: string | undefined;
  /** No attempt before: the voice has just failed. */
  #not_before_ms = -Infinity;
  #closed = false;

  constructor(readonly settings: AnnouncerSettings, readonly context: AnnouncerContext, readonly say: Say) {
    const { metrics } = context;
    this.#queue = new AlertQueue(settings.max_queued, settings.max_age_ms, {
      merged: () => void metrics.merged.value++,
      lost: (_alert, why) => this.#drop(1, why),
    });
    this.#budget = new WordBudget(settings.max_words_per_minute);
    this.#backoff = new Backoff(RETRY, new Random(`${context.seed}:voice`));
    this.#log = new RateLimitedLog(context.log, context.clock);
  }
  get queued(): number {
    return this.#queue.size;
  }
  /** Alerts of what is being said. */
  get speaking(): number {
    return this.#speaking?.alerts.length ?? 0;
  }
  /** Why the last utterance failed, until one succeeds. */
  notReady(): string | undefined {
    return this.#failure;
  }
  push(alert: Alert): void {
    if (this.#closed) return this.#drop(1, "shutdown");
    this.#gathering_ms ??= this.context.now_ms();
    this.#queue.push(alert);
    if (alert.priority === "critical") {
      const current = this.#speaking;
      if (current && current.alerts[0].priority !== "critical") current.abort.abort(new Error("interrupted"));
      this.#timer?.cancel();
      this.#timer = undefined;
    }
    if (!this.#timer) this.#pump();
  }
  /** Takes nothing more and lets the voice finish what it is saying, for so long at most. */
  async close(deadline_ms: number): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const left = this.#queue.drain().length;
    if (left > 0) this.#drop(left, "shutdown");
    const speaking = this.#speaking;
    if (!speaking) return;
    const timer = this.context.clock.after(deadline_ms, () => speaking.abort.abort(new Error("shutdown")));
    await speaking.done;
    timer.cancel();
  }

  #pump(): void {
    this.#timer = undefined;
    if (this.#closed || this.#speaking) return;
    const now_ms = this.context.now_ms();
    const turn = this.#queue.peek(now_ms);
    if (!turn) {
      this.#gathering_ms = undefined;
      return;
    }
    const { max_words, max_words_per_minute, group_wait_ms } = this.settings;
    const is_critical = turn.alerts[0].priority === "critical";
    const utterance = compose(turn.alerts, turn.lost, max_words);
    // room for one critical utterance is always kept
    const reserve = is_critical || max_words_per_minute < 2 * max_words ? 0 : max_words;
    const wait_ms = Math.max(
      is_critical ? 0 : (this.#gathering_ms ?? now_ms) + group_wait_ms - now_ms,
      this.#budget.wait_ms(utterance.words + reserve, now_ms),
      this.#not_before_ms - now_ms,
    );
    if (wait_ms > 0) {
      this.#timer = this.context.clock.after(wait_ms, () => this.#pump());
      return;
    }
    this.#queue.remove(turn);
    // what still waits has been gathered for long enough
    const abort = new AbortController();
    const done = this.#speak(utterance, turn, abort.signal).finally(() => {
      this.#speaking = undefined;
      this.#pump();
    });
    this.#speaking = { alerts: turn.alerts, abort, done };
  }
  async #speak(utterance: Utterance, { alerts }: Turn, signal: AbortSignal): Promise<void> {
    const { metrics, log, now_ms } = this.context;
    const { spoken, words, said, more } = utterance;
    const { rule, priority } = alerts[0];
    this.#budget.spend(words, now_ms());
    metrics.utterances.value++;
    try {
      await this.say(spoken, signal);
    } catch (error) {
      if (signal.aborted) return this.#drop(alerts.length, this.#closed ? "shutdown" : "interrupted");
      this.#drop(alerts.length, "failed");
      this.#failure = reasonOf(error);
      this.#not_before_ms = now_ms() + this.#backoff.next_ms();
      this.#log.warn("say", "alerts not spoken", { reason: this.#failure, alerts: alerts.length, spoken });
      return;
    }
    this.#failure = undefined;
    this.#backoff.reset();
    metrics.words.value += words;
    metrics.said.value += said;
    metrics.coalesced.value += alerts.length - said;
    log.info(this.settings.dry_run ? "would be spoken" : "spoken", {
      spoken,
      rule,
      priority,
      alerts: said,
      more,
      words,
    });
  }
  #drop(count: number, why: DropReason): void {
    this.context.metrics.dropped("speech", why, count);
    this.#log.warn(`drop ${why}`, "alerts not spoken", { why, count, queued: this.#queue.size });
  }
}
