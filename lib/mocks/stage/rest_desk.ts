/**
 * The REST side of any venue: weights, refusals and the faults of requests, around what the venue's dialect answers; and
 * `/mock/stats`. A snapshot asked for before the tape has one waits for it, at most `SNAPSHOT_WAIT_MS` (then 503).
 * Bound: `MAX_WAITING` requests may wait or be held late; more are refused with 503.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, sleep } from "../../base/clock.ts";
import type { Answer, RestRequest, RestRules } from "./dialect.ts";
import type { FaultPlan } from "./fault_plan.ts";
import { WeightBudget } from "./weight_budget.ts";

const SNAPSHOT_WAIT_MS = 30_000;
const MAX_WAITING = 500;
/** Answers kept to be given again, one per path and query. */
const MAX_EARLIER = 1_000;
const FAULTY_RETRY_AFTER_S = 1;

export interface RestDeskOptions {
  /** Absent: the venue has no REST side, only the statistics are served. */
  rules?: RestRules;
  /** See Program. */
  whenBook(symbol: string): Promise<void> | undefined;
  faults: FaultPlan;
  clock: Clock;
  signal: AbortSignal;
  stats(): unknown;
}

export class RestDesk {
  requests = 0;
  #waiting = 0;
  #used = 0;
  readonly #budget: WeightBudget | undefined;
  /** The first snapshot per path and query: what a late answer may give again. */
  readonly #earlier = new Map<string, string>();

  constructor(readonly options: RestDeskOptions) {
    const per_minute = options.rules?.weight_per_minute;
    if (per_minute !== undefined) this.#budget = new WeightBudget(per_minute, options.clock);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const answer = await this.#route(request.method ?? "GET", request.url ?? "/");
    if (response.destroyed) return;
    response.writeHead(answer.status, {
      "content-type": "application/json;charset=UTF-8",
      ...answer.headers,
    });
    response.end(answer.body);
  }

  #route(method: string, target: string): Answer | Promise<Answer> {
    const { rules, stats } = this.options;
    const url = URL.parse(target, "http://mock");
    if (url?.pathname === "/mock/stats" && method === "GET") {
      return { status: 200, body: JSON.stringify(stats()) + "\n" };
    }
    this.requests++;
    if (!url || !rules) return { status: 404, body: "{}" };
    if (method !== "GET") return { status: 405, body: rules.refusal(405) };
    const asked = rules.request(url);
    if ("status" in asked) return asked;
    return this.#spend(asked.weight ?? 1) ?? this.#answer(rules, asked, url.pathname + url.search);
  }

  async #answer(rules: RestRules, asked: RestRequest, key: string): Promise<Answer> {
    const symbol = asked.snapshot_of;
    if (symbol === undefined) return this.#ok(asked.answer());
    const { whenBook, faults, clock, signal } = this.options;
    const fault = faults.ofRequest(true);
    if (fault.refuse) return this.#refused(429, FAULTY_RETRY_AFTER_S);
    if (this.#waiting >= MAX_WAITING) return { status: 503, body: rules.refusal(503) };
    this.#waiting++;
    try {
      const earlier = fault.late && fault.old ? this.#earlier.get(key) : undefined;
      const book = whenBook(symbol);
      if (book) await this.#within(SNAPSHOT_WAIT_MS, book);
      if (fault.late && fault.delay_ms > 0) await sleep(clock, fault.delay_ms, signal);
      if (whenBook(symbol)) return { status: 503, body: rules.refusal(503) };
      const body = earlier ?? asked.answer();
      if (!this.#earlier.has(key) && this.#earlier.size < MAX_EARLIER) this.#earlier.set(key, body);
      return this.#ok(body);
    } finally {
      this.#waiting--;
    }
  }

  async #within(limit_ms: number, work: Promise<void>): Promise<void> {
    const { clock, signal } = this.options;
    const over = new AbortController();
    await Promise.race([work, sleep(clock, limit_ms, AbortSignal.any([over.signal, signal]))]);
    over.abort();
  }
  /** Undefined when the weight was granted. */
  #spend(weight: number): Answer | undefined {
    const verdict = this.#budget?.take(weight);
    if (!verdict) return undefined;
    this.#used = verdict.used;
    return verdict.status === 200 ? undefined : this.#refused(verdict.status, verdict.retry_after_s);
  }
  #refused(status: 429 | 418, retry_after_s: number): Answer {
    const rules = this.options.rules!;
    const headers = { "retry-after": String(retry_after_s), ...rules.headers?.(this.#used) };
    return { status, body: rules.refusal(status), headers };
  }
  #ok(body: string): Answer {
    return { status: 200, body, headers: this.options.rules?.headers?.(this.#used) };
  }
}
