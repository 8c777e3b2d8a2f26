/** Binance's REST side: depth, exchangeInfo, ping, time, with their weights, limits and error codes. */
import type { Clock } from "../../base/clock.ts";
import type { Answer, RestRequest, RestRules } from "../stage/dialect.ts";
import type { SymbolGrid } from "../stage/tape.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { TextBook } from "./text_book.ts";

const REFUSALS = {
  405: [-1000, "Only GET is served."],
  429: [-1003, "Too many requests; slow down."],
  418: [-1003, "Way too many requests; address banned."],
  503: [-1008, "Server is currently overloaded."],
} as const;

export class BinanceRest implements RestRules {
  readonly weight_per_minute: number;

  constructor(
    readonly dialect: BinanceDialect,
    readonly books: ReadonlyMap<string, TextBook>,
    readonly symbols: ReadonlyMap<string, SymbolGrid>,
    readonly clock: Clock,
  ) {
    this.weight_per_minute = dialect.rest.weight_per_minute;
  }
  request({ pathname, searchParams }: URL): RestRequest | Answer {
    const { rest } = this.dialect;
    switch (pathname) {
      case `${rest.base}/depth`:
        return this.#depth(searchParams);
      case `${rest.base}/exchangeInfo`:
        return { weight: rest.exchange_info_weight, answer: () => this.#exchangeInfo() };
      case `${rest.base}/ping`:
        return { answer: () => "{}" };
      case `${rest.base}/time`:
        return { answer: () => JSON.stringify({ serverTime: this.clock.now_ms() }) };
      default:
        return failure(404, -5000, `Path ${pathname}, Method GET is invalid`);
    }
  }
  refusal(status: keyof typeof REFUSALS): string {
    const [code, msg] = REFUSALS[status];
    return JSON.stringify({ code, msg });
  }
  headers(used_weight: number): Record<string, string> {
    return { "x-mbx-used-weight-1m": String(used_weight) };
  }

  #depth(query: URLSearchParams): RestRequest | Answer {
    const symbol = query.get("symbol") ?? "";
    if (symbol === "") {
      return failure(400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
    }
    const book = this.books.get(symbol);
    if (!book) return failure(400, -1121, "Invalid symbol.");
    const limit = this.#limit(query.get("limit"));
    if (typeof limit !== "number") return limit;
    const { weight } = this.dialect.rest.depth_limits.find((one) => limit <= one.max_levels)!;
    return { weight, snapshot_of: symbol, answer: () => book.depthAnswer(limit) };
  }
  #exchangeInfo(): string {
    const { rest } = this.dialect;
    return JSON.stringify({
      timezone: "UTC",
      serverTime: this.clock.now_ms(),
      rateLimits: [{
        rateLimitType: "REQUEST_WEIGHT",
        interval: "MINUTE",
        intervalNum: 1,
        limit: rest.weight_per_minute,
      }],
      symbols: [...this.symbols].map(([symbol, grid]) => rest.symbolInfo(symbol, grid)),
    });
  }
  #limit(text: string | null): number | Answer {
    const { depth_limits, default_depth, exact_limits } = this.dialect.rest;
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
}

/** `{"code":-1121,"msg":"Invalid symbol."}` */
function failure(status: number, code: number, msg: string): Answer {
  return { status, body: JSON.stringify({ code, msg }) };
}
