/**
 * REST snapshots of one host: one request per symbol at a time, a weight budget a minute, backoff with jitter, and the
 * venue's own words obeyed: 429 waits as told, 418 and 403 stop everything. Symbols wait in order of asking.
 */
import { Backoff } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MetricFamily, MetricValue } from "../../base/metrics.ts";
import type { Random } from "../../base/random.ts";
import type { TappedAnswer } from "../../flow/frame_tap.ts";
import type { SnapshotSize, SnapshotSpec } from "../../feeds/feed.ts";
import { type RestAnswer, restRequest } from "./rest_request.ts";

const MAX_CONCURRENT = 4;
/** Other programs on the address need some of the venue's budget too. Counted over a sliding minute, as venues do. */
const BUDGET_SHARE = 0.8;
const BUDGET_WINDOW_MS = 60_000;
/** Share of the budget that only books out of sync may use. */
const URGENT_RESERVE = 0.25;
/** Without Retry-After: a 429 pauses this long, a ban (418) and a firewall (403) longer. */
const SLOW_DOWN_MS = 5_000;
const BANNED_MS = 120_000;
const MAX_RETRY_AFTER_MS = 3 * 86_400_000;
const RETRY = { first_ms: 200, max_ms: 10_000 };

export interface SnapshotQueueOptions {
  rest_url: string;
  spec: SnapshotSpec;
  clock: Clock;
  log: Log;
  random: Random;
  /** `snapshot_requests_total{venue,result}` with the venue already known. */
  results: MetricFamily<MetricValue>;
  venue: string;
  signal: AbortSignal;
  /** The stream of the symbol flows: a snapshot taken now can be spliced. */
  ready(symbol: string): boolean;
  arrived(symbol: string, body: Uint8Array, received_us: number, depth_limit: number): void;
  /** Told of every answer, before what it brings about. */
  answered?(answer: TappedAnswer, received_us: number): void;
}

interface Wanted {
  symbol: string;
  /** The book is out of sync; else it is live and only wants to know deeper. */
  urgent: boolean;
  not_before_ms: number;
  backoff: Backoff;
  in_flight: boolean;
}

export class SnapshotQueue {
  readonly #wanted = new Map<string, Wanted>();
  /** Kept between requests, so that a symbol that asks again and again is slowed down. */
  readonly #backoffs = new Map<string, { backoff: Backoff; last_ms: number }>();
  #in_flight = 0;
  #paused_until_ms = -Infinity;
  /** Weight spent within the last minute, oldest first; the budget bounds its length. */
  readonly #spent: { at_ms: number; weight: number }[] = [];

  constructor(readonly options: SnapshotQueueOptions) {}
  get waiting(): number {
    return this.#wanted.size;
  }
  /**
   * Idempotent while one is on its way. Urgent ones go first and may be shallow; the others are always the deepest and
   * leave a reserve of the budget, since a live book can wait.
   */
  request(symbol: string, urgent: boolean): void {
    const waiting = this.#wanted.get(symbol);
    if (waiting) {
      waiting.urgent ||= urgent;
      return;
    }
    const now_ms = this.options.clock.monotonic_ms();
    const known = this.#backoffs.get(symbol);
    const backoff = known?.backoff ?? new Backoff(RETRY, this.options.random);
    // Two requests in quick succession mean that the first did not do: slow down, the venue's budget is shared.
    const again_soon = known !== undefined && now_ms - known.last_ms < RETRY.max_ms;
    if (!again_soon) backoff.reset();
    const not_before_ms = again_soon ? now_ms + backoff.next_ms() : now_ms;
    this.#wanted.set(symbol, { symbol, urgent, not_before_ms, backoff, in_flight: false });
    this.pump();
  }
  forget(symbol: string): void {
    this.#wanted.delete(symbol);
    this.#backoffs.delete(symbol);
  }
  /** Starts what may start now; call on a tick and when a stream begins to flow. */
  pump(): void {
    const { clock, signal, ready, spec } = this.options;
    if (this.#wanted.size === 0) return;
    const now_ms = clock.monotonic_ms();
    if (signal.aborted || now_ms < this.#paused_until_ms) return;
    const startable: Wanted[] = [];
    // Those whose stream does not flow yet will want their share of the budget in a moment.
    let urgent = 0;
    for (const wanted of this.#wanted.values()) {
      if (wanted.urgent && !wanted.in_flight) urgent++;
      if (!wanted.in_flight && now_ms >= wanted.not_before_ms && ready(wanted.symbol)) startable.push(wanted);
    }
    let budget = this.#budget(now_ms);
    startable.sort((one, other) => Number(other.urgent) - Number(one.urgent));
    for (const wanted of startable) {
      const size = wanted.urgent ? sizeFor(spec.sizes, budget, urgent--) : this.#deepSize(budget);
      if (this.#in_flight >= MAX_CONCURRENT || size === undefined) return;
      budget -= size.weight;
      this.#spent.push({ at_ms: now_ms, weight: size.weight });
      this.#in_flight++;
      wanted.in_flight = true;
      this.#backoffs.set(wanted.symbol, { backoff: wanted.backoff, last_ms: now_ms });
      this.#fetch(wanted, size).finally(() => {
        this.#in_flight--;
        this.pump();
      });
    }
  }

  async #fetch(wanted: Wanted, size: SnapshotSize): Promise<void> {
    const { rest_url, spec, clock, signal, arrived } = this.options;
    const { symbol } = wanted;
    try {
      const { depth_limit } = size;
      const url = rest_url + spec.path(symbol, depth_limit);
      const answer = await restRequest(url, clock, signal);
      const received_us = clock.now_us();
      const { status, body } = answer;
      const used = status === 200 && !signal.aborted && this.#wanted.get(symbol) === wanted;
      this.options.answered?.(
        { purpose: "snapshot", url, status, body, symbol, depth_limit, used },
        received_us,
      );
      if (status !== 200) return this.#refused(wanted, answer);
      this.#count("ok");
      // Forgotten meanwhile, perhaps asked for anew: this answer is nobody's.
      if (this.#wanted.get(symbol) !== wanted) return;
      this.#wanted.delete(symbol);
      if (!signal.aborted) arrived(symbol, body, received_us, depth_limit);
    } catch (error) {
      if (signal.aborted) return;
      this.#count("error");
      this.#again(wanted, reasonOf(error));
    }
  }
  #refused(wanted: Wanted, { status, body, retry_after }: RestAnswer): void {
    const { clock, log } = this.options;
    const text = new TextDecoder().decode(body.subarray(0, 800)).slice(0, 200);
    this.#count(String(status));
    if (status === 429 || status === 418 || status === 403) {
      const fallback_ms = status === 429 ? SLOW_DOWN_MS : BANNED_MS;
      const told_ms = Number(retry_after ?? NaN) * 1000;
      const pause_ms = told_ms >= 0 ? Math.min(told_ms, MAX_RETRY_AFTER_MS) : fallback_ms;
      this.#paused_until_ms = Math.max(this.#paused_until_ms, clock.monotonic_ms() + pause_ms);
      log.error("the venue refuses snapshots", { status, pause_ms, text });
    }
    this.#again(wanted, `HTTP ${status} ${text}`);
  }
  #again(wanted: Wanted, reason: string): void {
    const delay_ms = wanted.backoff.next_ms();
    wanted.in_flight = false;
    wanted.not_before_ms = this.options.clock.monotonic_ms() + delay_ms;
    this.options.log.warn("snapshot request failed", {
      symbol: wanted.symbol,
      reason,
      retry_in_ms: Math.round(delay_ms),
    });
  }
  #count(result: string): void {
    this.options.results.with(this.options.venue, result).value++;
  }
  #deepSize(budget: number): SnapshotSize | undefined {
    const { sizes: [deepest], weight_per_minute } = this.options.spec;
    return budget - deepest.weight >= weight_per_minute * URGENT_RESERVE ? deepest : undefined;
  }
  /** Weight that may be spent now. */
  #budget(now_ms: number): number {
    const spent = this.#spent;
    while (spent.length > 0 && now_ms - spent[0].at_ms >= BUDGET_WINDOW_MS) spent.shift();
    return this.options.spec.weight_per_minute * BUDGET_SHARE -
      spent.reduce((sum, one) => sum + one.weight, 0);
  }
}

/** The deepest snapshot with which all that wait fit into the budget, else the smallest if it fits at all. */
function sizeFor(sizes: readonly SnapshotSize[], budget: number, waiting: number): SnapshotSize | undefined {
  const fitting = sizes.find(({ weight }) => weight * waiting <= budget);
  if (fitting) return fitting;
  const smallest = sizes[sizes.length - 1];
  return smallest.weight <= budget ? smallest : undefined;
}
