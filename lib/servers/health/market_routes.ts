/**
 * The market's questions over HTTP: `/book/{symbol}`, `/ticker/{symbol}`, `/trades/{symbol}`, `/candles/{symbol}`. The
 * answers are those of gRPC under the same names, and the venue beside them; numbers are exact, however many digits.
 */
import { quoted } from "../../base/errors.ts";
import { exactJson, ExactNumber, type ExactValue } from "../../formats/exact_json.ts";
import { bookFields, candleFields, tickerFields, tradeFields } from "../../flow/market_contract.ts";
import type { Level, MarketQueries, QueryCode } from "../../flow/market_queries.ts";
import type { Trade } from "../../market/event.ts";
import { Refusal } from "./control.ts";

/** HTTP's words for why a question has no answer. */
export const QUERY_STATUS: Readonly<Record<QueryCode, number>> = {
  invalid: 400,
  forbidden: 403,
  not_found: 404,
  unavailable: 503,
};

interface Question {
  readonly symbol: string;
  readonly venue?: string;
  number(name: string): number | undefined;
  text(name: string): string | undefined;
}
interface MarketRoute {
  readonly parameters: readonly string[];
  answer(queries: MarketQueries, question: Question): ExactValue;
}

const ROUTES: Readonly<Record<string, MarketRoute>> = {
  book: {
    parameters: ["depth", "venue"],
    answer(queries, { symbol, venue, number }) {
      const book = queries.book(symbol, number("depth"), venue);
      const fields = bookFields(book);
      return { venue: book.venue, ...fields, bids: fields.bids.map(level), asks: fields.asks.map(level) };
    },
  },
  ticker: {
    parameters: ["venue"],
    answer(queries, { symbol, venue }) {
      const ticker = queries.ticker(symbol, venue);
      return { venue: ticker.venue, ...tickerFields(ticker) };
    },
  },
  trades: {
    parameters: ["limit", "venue"],
    answer(queries, { symbol, venue, number }) {
      const found = queries.trades(symbol, number("limit"), venue);
      return { venue: queries.find(symbol, venue).venue, symbol, trades: found.map(trade) };
    },
  },
  candles: {
    parameters: ["interval", "limit", "venue"],
    answer(queries, { symbol, venue, number, text }) {
      const interval = text("interval") ?? "1m";
      const found = queries.candles(symbol, interval, number("limit"), venue);
      return { venue: queries.find(symbol, venue).venue, symbol, interval, candles: found.map(candleFields) };
    },
  },
};

/** "/book/{symbol}" and the like. */
export const MARKET_PATHS: readonly string[] = Object.keys(ROUTES).map((name) => `/${name}/{symbol}`);

/** The route that a path belongs to; undefined: none of these. */
export function marketPathOf(path: string): string | undefined {
  const name = /^\/([a-z]+)\/./.exec(path)?.[1];
  return name !== undefined && Object.hasOwn(ROUTES, name) ? `/${name}/{symbol}` : undefined;
}

/** The answer as JSON. @throws Refusal, QueryError */
export function answerMarket(queries: MarketQueries, url: string): string {
  const [path, query = ""] = url.split(/\?(.*)/s, 2);
  const [, name, rest] = /^\/([a-z]+)\/(.+)$/s.exec(path)!;
  const route = ROUTES[name];
  const given = new URLSearchParams(query);
  for (const one of given.keys()) {
    if (route.parameters.includes(one) && given.getAll(one).length === 1) continue;
    const message = `read parameter ${quoted(one)}: unknown or twice, want ${route.parameters.join(", ")}`;
    throw new Refusal(400, "bad_request", message);
  }
  const text = (parameter: string) => given.get(parameter) ?? undefined;
  const answer = route.answer(queries, {
    symbol: symbolOf(rest),
    venue: text("venue"),
    text,
    number(parameter) {
      const value = text(parameter);
      if (value === undefined) return undefined;
      if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
      throw new Refusal(400, "bad_request", `read ${parameter} ${quoted(value)}: want a whole number from 1`);
    },
  });
  return exactJson(answer);
}

/** A slash within a symbol may stand as it is. */
function symbolOf(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "bad_request", `read symbol ${quoted(text)}: want percent-encoded UTF-8`);
  }
}

function level({ price, quantity, exact_quantity }: Level): ExactValue {
  return { price, quantity: exact_quantity === undefined ? quantity : new ExactNumber(exact_quantity) };
}

function trade(one: Trade): ExactValue {
  const { id, symbol: _, quantity, ...fields } = tradeFields(one);
  return {
    // An id that is no number is a text.
    id: id ?? one.venue_trade_id,
    ...fields,
    quantity: one.exact_quantity === undefined ? quantity : new ExactNumber(one.exact_quantity),
  };
}
