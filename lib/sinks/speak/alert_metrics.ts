/**
 * Counters of one speaking sink. Speech: every raised alert ends as said, counted ("and 7 more"), merged or dropped, or
 * still waits. Webhook: as posted or dropped. The tests hold both to these sums.
 */
import type { MetricFamily, Metrics, MetricValue } from "../../base/metrics.ts";

export type Channel = "speech" | "webhook";
export type DropReason = "late" | "full" | "failed" | "interrupted" | "refused" | "shutdown";

export class AlertMetrics {
  readonly #raised: MetricFamily<MetricValue>;
  readonly #suppressed: MetricFamily<MetricValue>;
  readonly #dropped: MetricFamily<MetricValue>;
  readonly said: MetricValue;
  readonly coalesced: MetricValue;
  readonly merged: MetricValue;
  readonly posted: MetricValue;
  readonly words: MetricValue;
  readonly utterances: MetricValue;
  readonly post_failures: MetricValue;

  constructor(metrics: Metrics, readonly sink: string) {
    const one = (name: string, help: string) => metrics.counter(name, help, ["sink"]).with(sink);
    this.#raised = metrics.counter("alerts_raised_total", "Alerts that rules raised", ["sink", "rule"]);
    this.#suppressed = metrics.counter(
      "alerts_suppressed_total",
      "Alerts not raised because the same one was, within repeat_s",
      ["sink", "rule"],
    );
    this.#dropped = metrics.counter(
      "alerts_dropped_total",
      "Alerts neither said nor counted in speech, or not posted: late, queue full, failed, interrupted, refused, shutdown",
      ["sink", "channel", "reason"],
    );
    this.said = one("alerts_spoken_total", "Alerts said with their own sentence");
    this.coalesced = one("alerts_coalesced_total", 'Alerts said as part of "and 7 more"');
    this.merged = one(
      "alerts_merged_total",
      "Waiting alerts whose place a newer one of the same matter took",
    );
    this.posted = one("alerts_posted_total", "Alerts that the webhook has taken");
    this.words = one("speech_words_total", "Words said, as a voice reads them");
    this.utterances = one("speech_utterances_total", "Times the voice was used");
    this.post_failures = one("webhook_failed_posts_total", "Posts without success, each attempt");
  }
  raised(rule: string): void {
    this.#raised.with(this.sink, rule).value++;
  }
  suppressed(rule: string): void {
    this.#suppressed.with(this.sink, rule).value++;
  }
  dropped(channel: Channel, reason: DropReason, count = 1): void {
    this.#dropped.with(this.sink, channel, reason).value += count;
  }
}
