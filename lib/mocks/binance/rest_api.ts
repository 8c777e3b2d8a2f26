/**
 * The venue's REST side: depth, exchangeInfo, ping, time, with weights, limits and errors; and `/mock/stats`.
 * A depth request that comes before the tape's snapshot waits for it, at most `SNAPSHOT_WAIT_MS` (then 503).
 * Bound: `MAX_WAITING` requests may wait or be held late; more are refused with 503.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, sleep } from "../../base/clock.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { FaultPlan } from "./fault_plan.ts";
import type { SymbolGrid } from "./tape.ts";
import type { TextBook } from "./text_book.ts";
import { WeightBudget } from "./weight_budget.ts";

const SNAPSHOT_WAIT_MS = 30_000;
const MAX_WAITING = 500;
/** Answers kept to be given again, one per symbol and limit. */
const MAX_EARLIER = 1_000;
const FAULTY_RETRY_AFTER_S = 1;

interface Answer {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

export interface RestOptions {
  dialect: BinanceDialect;
  books: ReadonlyMap<string, TextBook>;
  symbols: ReadonlyMap<string, SymbolGrid>;
  faults: FaultPlan;
  clock: Clock;
  signal: AbortSignal;
  stats(): unknown;
}

export class RestApi {
  requests = 0;
  #waiting = 0;
  #used = 0;
  readonly #budget: WeightBudget;
  /** The first answer per symbol and limit: what a late answer may give again. */
  readonly #earlier = new Map<string, string>();

  constructor(readonly options: RestOptions) {
    this.#budget = new WeightBudget(options.dialect.rest.weight_per_minute, options.clock);
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
    const { dialect, clock, stats } = this.options;
    const url = URL.parse(target, "http://mock");
    if (!url) return failure(400, -1100, "Illegal request target.");
    if (method !== "GET") return failure(405, -1000, "Only GET is served.");
    if (url.pathname === "/mock/stats") return { status: 200, body: JSON.stringify(stats()) + "\n" };
    this.requests++;
    switch (url.pathname) {
      case `${dialect.rest.base}/depth`:
        return this.#depth(url.searchParams);
      case `${dialect.rest.base}/exchangeInfo`:
        return this.#spend(dialect.rest.exchange_info_weight) ?? this.#exchangeInfo();
      case `${dialect.rest.base}/ping`:
        return this.#spend(1) ?? this.#ok("{}");
      case `${dialect.rest.base}/time`:
        return this.#spend(1) ?? this.#ok(JSON.stringify({ serverTime: clock.now_ms() }));
      default:
        return {
          status: 404,
          body: JSON.stringify({ code: -5000, msg: `Path ${url.pathname}, Method GET is invalid` }),
        };
    }
  }

  async #depth(query: URLSearchParams): Promise<Answer> {
    const { books, faults, clock, signal } = this.options;
    const symbol = query.get("symbol") ?? "";
    if (symbol === "") {
      return failure(400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
    }
    const book = books.get(symbol);
    if (!book) return failure(400, -1121, "Invalid symbol.");
    const limit = this.#limit(query.get("limit"));
    if (typeof limit !== "number") return limit;
    const refusal = this.#spend(this.#weightOf(limit));
    if (refusal) return refusal;
    const fault = faults.ofRequest(true);
    if (fault.refuse) return tooMany(429, FAULTY_RETRY_AFTER_S, this.#used);
    if (this.#waiting >= MAX_WAITING) return failure(503, -1008, "Server is currently overloaded.");
    this.#waiting++;
    try {
      const key = `${symbol}:${limit}`;
      const earlier = fault.late && fault.old ? this.#earlier.get(key) : undefined;
      if (!book.synced) await this.#snapshotOf(book);
      if (fault.late && fault.delay_ms > 0) await sleep(clock, fault.delay_ms, signal);
      if (!book.synced) return failure(503, -1001, "Internal error; unable to process your request.");
      const body = earlier ?? book.depthAnswer(limit);
      if (!this.#earlier.has(key) && this.#earlier.size < MAX_EARLIER) this.#earlier.set(key, body);
      return this.#ok(body);
    } finally {
      this.#waiting--;
    }
  }

  async #snapshotOf(book: TextBook): Promise<void> {
    const { clock, signal } = this.options;
    const over = new AbortController();
    const limit = sleep(clock, SNAPSHOT_WAIT_MS, AbortSignal.any([over.signal, signal]));
    await Promise.race([book.whenSynced(), limit]);
    over.abort();
  }

  #exchangeInfo(): Answer {
    const { dialect, symbols, clock } = this.options;
    return this.#ok(JSON.stringify({
      timezone: "UTC",
      serverTime: clock.now_ms(),
      rateLimits: [{
        rateLimitType: "REQUEST_WEIGHT",
        interval: "MINUTE",
        intervalNum: 1,
        limit: dialect.rest.weight_per_minute,
      }],
      symbols: [...symbols].map(([symbol, grid]) => dialect.rest.symbolInfo(symbol, grid)),
    }));
  }

  #limit(text: string | null): number | Answer {
    const { depth_limits, default_depth, exact_limits } = this.options.dialect.rest;
    if (text === null) return default_depth;
    if (!/^\d{1,9}$/.test(text)) {
      return failure(
        400,
        -1100,
        "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
      );
    }
    const limit = Number(text);
    if (exact_limits) {
      if (depth_limits.some((one) => one.max_levels === limit)) return limit;
      return failure(400, -4021, `${limit} is not valid depth limit.`);
    }
    return limit === 0 ? default_depth : Math.min(limit, depth_limits.at(-1)!.max_levels);
  }
  #weightOf(limit: number): number {
    return this.options.dialect.rest.depth_limits.find((one) => limit <= one.max_levels)!.weight;
  }
  /** Undefined when the weight was granted. */
  #spend(weight: number): Answer | undefined {
    const verdict = this.#budget.take(weight);
    this.#used = verdict.used;
    return verdict.status === 200 ? undefined : tooMany(verdict.status, verdict.retry_after_s, verdict.used);
  }
  #ok(body: string): Answer {
    return { status: 200, body, headers: { "x-mbx-used-weight-1m": String(this.#used) } };
  }
}

/** `{"code":-1121,"msg":"Invalid symbol."}` */
function failure(status: number, code: number, msg: string): Answer {
  return { status, body: JSON.stringify({ code, msg }) };
}
function tooMany(status: 429 | 418, retry_after_s: number, used: number): Answer {
  const msg = status === 429 ? "Too many requests; slow down." : "Way too many requests; address banned.";
  const headers = { "retry-after": String(retry_after_s), "x-mbx-used-weight-1m": String(used) };
  return { ...failure(status, -1003, msg), headers };
}
