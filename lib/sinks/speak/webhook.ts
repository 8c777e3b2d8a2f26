/**
 * Posts alerts to an address, in order, one post at a time, as many in one as have come meanwhile. Each attempt has a
 * deadline, attempts are bounded, the queue too; what is lost is counted and told in the next post. Neither the secret nor
 * the address, which often is one, is ever logged. Refuses to follow redirects: they would carry the secret elsewhere.
 */
import { Backoff } from "../../base/backoff.ts";
import { BoundedQueue } from "../../base/bounded_queue.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import { Random } from "../../base/random.ts";
import type { Alert } from "./alert.ts";
import type { AlertMetrics, DropReason } from "./alert_metrics.ts";

export interface WebhookSettings {
  readonly url: string;
  readonly secret?: string;
  readonly header: string;
  readonly text_key: string;
  readonly deadline_ms: number;
  readonly attempts: number;
  readonly max_queued: number;
}
export interface WebhookContext {
  readonly sink: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AlertMetrics;
  readonly seed: string;
}

const MAX_ALERTS_PER_POST = 100;
/** Chat services refuse longer messages. */
const MAX_TEXT = 1_900;
const RETRY = { first_ms: 500, max_ms: 30_000 };
const MAX_RETRY_AFTER_MS = 60_000;

type Outcome = { taken: true } | { retry: string; after_ms?: number } | { refused: string };
type Waiting = { readonly alert: Alert; readonly at: string };

export class Webhook {
  readonly #queue: BoundedQueue<Waiting>;
  readonly #log: RateLimitedLog;
  readonly #random: Random;
  readonly #stop = new AbortController();
  /** Alerts lost since the last post that was taken. */
  #lost = 0;
  #in_flight = 0;
  #failure: string | undefined;
  #posting: Promise<void> | undefined;
  #closed = false;

  constructor(readonly settings: WebhookSettings, readonly context: WebhookContext) {
    this.#queue = new BoundedQueue(settings.max_queued, "drop_oldest");
    this.#log = new RateLimitedLog(context.log, context.clock);
    this.#random = new Random(`${context.seed}:webhook`);
  }
  get queued(): number {
    return this.#queue.size + this.#in_flight;
  }
  /** Why alerts wait here; undefined when none does, or nothing has failed. */
  notReady(): string | undefined {
    return this.#failure;
  }
  push(alert: Alert): void {
    if (this.#closed) return this.#drop("shutdown", 1);
    const at = new Date(this.context.clock.now_ms()).toISOString();
    if (!this.#queue.push({ alert, at })) this.#drop("full", 1);
    this.#posting ??= this.#postAll().finally(() => this.#posting = undefined);
  }
  /** Takes nothing more and posts what waits, within the deadline. */
  async close(deadline_ms: number): Promise<void> {
    this.#closed = true;
    const timer = this.context.clock.after(deadline_ms, () => this.#stop.abort(new Error("shutdown")));
    await this.#posting;
    timer.cancel();
    this.#stop.abort();
  }

  async #postAll(): Promise<void> {
    // a turn of the loop gathers what one update raised
    await Promise.resolve();
    while (this.#queue.size > 0) {
      if (this.#stop.signal.aborted) {
        this.#drop("shutdown", this.#queue.size);
        this.#queue.clear();
        return;
      }
      const batch: Waiting[] = [];
      while (batch.length < MAX_ALERTS_PER_POST && this.#queue.size > 0) batch.push(this.#queue.shift()!);
      this.#in_flight = batch.length;
      await this.#deliver(batch);
      this.#in_flight = 0;
    }
  }
  async #deliver(batch: readonly Waiting[]): Promise<void> {
    const { clock, metrics } = this.context;
    const { attempts } = this.settings;
    const lost = this.#lost;
    const body = this.#bodyOf(batch, lost);
    const backoff = new Backoff(RETRY, this.#random);
    for (let attempt = 1;; attempt++) {
      const outcome = await this.#post(body);
      if ("taken" in outcome) {
        this.#failure = undefined;
        this.#lost -= lost;
        metrics.posted.value += batch.length;
        return;
      }
      metrics.post_failures.value++;
      const { signal } = this.#stop;
      const is_last = "refused" in outcome || attempt >= attempts || signal.aborted;
      const reason = "refused" in outcome ? outcome.refused : outcome.retry;
      this.#log.warn(is_last ? "give up" : "post", "webhook did not take alerts", {
        reason,
        attempt,
        alerts: batch.length,
        gives_up: is_last,
      });
      if (is_last) {
        this.#failure = undefined;
        return this.#drop(
          signal.aborted ? "shutdown" : "refused" in outcome ? "refused" : "failed",
          batch.length,
        );
      }
      this.#failure = `webhook: ${reason}`;
      const after_ms = "after_ms" in outcome ? outcome.after_ms ?? 0 : 0;
      await sleep(clock, Math.max(backoff.next_ms(), after_ms), signal);
    }
  }
  async #post(body: string): Promise<Outcome> {
    const { url, secret, header, deadline_ms } = this.settings;
    const late = new AbortController();
    const timer = this.context.clock.after(deadline_ms, () => late.abort(new Error("deadline")));
    try {
      const response = await fetch(url, {
        method: "POST",
        redirect: "manual",
        headers: {
          "content-type": "application/json",
          ...secret === undefined ? {} : { [header]: secret },
        },
        body,
        signal: AbortSignal.any([late.signal, this.#stop.signal]),
      });
      // it has answered: what its words are, or that they break off, changes nothing
      await response.body?.cancel().catch(() => {});
      return judged(response);
    } catch (error) {
      if (late.signal.aborted) return { retry: `no answer within ${deadline_ms} ms` };
      if (this.#stop.signal.aborted) return { retry: "shutdown" };
      return { retry: this.#withoutAddress(reasonOf(error)) };
    } finally {
      timer.cancel();
    }
  }
  #bodyOf(batch: readonly Waiting[], lost: number): string {
    const { sink } = this.context;
    const lines = batch.map(({ alert }) => alert.text).join("\n");
    const text = lines.length > MAX_TEXT ? `${lines.slice(0, MAX_TEXT)}…` : lines;
    const alerts = batch.map(({ alert: { rule, priority, venue, symbol, text, values, resolved }, at }) => ({
      at,
      rule,
      priority,
      venue,
      symbol,
      text,
      resolved: resolved ?? false,
      values,
    }));
    return JSON.stringify({ [this.settings.text_key]: text, sink, alerts, lost });
  }
  #drop(why: DropReason, count: number): void {
    this.#lost += count;
    this.context.metrics.dropped("webhook", why, count);
    this.#log.warn(`drop ${why}`, "alerts not posted", { why, count });
  }
  /** Errors of fetch quote the address they could not reach. */
  #withoutAddress(reason: string): string {
    const { origin } = new URL(this.settings.url);
    return reason.replaceAll(/\b[a-z][a-z0-9+.-]*:\/\/[^\s)"']+/gi, origin);
  }
}

function judged(response: Response): Outcome {
  const { status } = response;
  if (status >= 200 && status < 300) return { taken: true };
  if (status >= 300 && status < 400) {
    return { refused: `status ${status}: a redirect, want the final address` };
  }
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? NaN);
    const after_ms = seconds > 0 ? Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS) : undefined;
    return { retry: `status ${status}`, after_ms };
  }
  return { refused: `status ${status}` };
}
