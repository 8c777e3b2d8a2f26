/** What the health port answers to anybody, as an OpenAPI 3.1 document. The operator's routes are not in it. */
import { TICKER_NAMES } from "../../flow/market_contract.ts";
import {
  DEFAULT_CANDLES,
  DEFAULT_DEPTH,
  DEFAULT_TRADES,
  MAX_CANDLES,
  MAX_DEPTH,
  MAX_TRADES,
} from "../../flow/market_queries.ts";
import { INTERVALS } from "../../market/interval.ts";

type Json = Record<string, unknown>;

const number = { type: "number" };
const text = { type: "string" };
const whole = { type: "integer", minimum: 0 };
const time = { type: "integer", minimum: 0, description: "Unix epoch, milliseconds" };
const truth = { type: "boolean" };
const list = (items: Json): Json => ({ type: "array", items });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
/** All fields but those named may be missing: the venue does not say. */
const object = (properties: Json, required: string[]): Json => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

const SCHEMAS: Json = {
  Level: object({ price: number, quantity: number }, ["price", "quantity"]),
  Book: object({
    venue: text,
    symbol: text,
    last_update_id: whole,
    bids: { ...list(ref("Level")), description: "Best first" },
    asks: { ...list(ref("Level")), description: "Best first" },
    timestamp: time,
  }, ["venue", "symbol", "bids", "asks"]),
  Ticker: object({
    venue: text,
    symbol: text,
    ...Object.fromEntries(TICKER_NAMES.map((name) => [name, tickerField(name)])),
  }, ["venue", "symbol"]),
  Trade: object({
    id: { type: ["integer", "string"] },
    price: number,
    quantity: number,
    timestamp: time,
    is_buyer_maker: truth,
  }, ["price", "quantity"]),
  Trades: object({
    venue: text,
    symbol: text,
    trades: { ...list(ref("Trade")), description: "Oldest first" },
  }, [
    "venue",
    "symbol",
    "trades",
  ]),
  Candle: object({
    open_time: time,
    close_time: time,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number,
    quote_volume: number,
    count: whole,
    closed: { ...truth, description: "False while the bar still forms" },
    incomplete: { ...truth, description: "Some of its trades may be missing" },
    revised: { ...truth, description: "Told closed before; a late trade belongs to it" },
  }, ["open_time", "close_time", "open", "high", "low", "close", "volume", "closed"]),
  Candles: object({
    venue: text,
    symbol: text,
    interval: { type: "string", enum: [...INTERVALS] },
    candles: { ...list(ref("Candle")), description: "Oldest first, the forming one last" },
  }, ["venue", "symbol", "interval", "candles"]),
  Error: {
    type: "object",
    properties: { error: object({ code: text, message: text }, ["code", "message"]) },
    required: ["error"],
  },
};

export function openApiDocument(version: string): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "mdg",
      version,
      description: "Market data as it stands now, and how the gateway is. Numbers are exact decimals.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [],
    paths: {
      "/health": plain("The process lives"),
      "/ready": {
        get: {
          operationId: "ready",
          summary: "Every configured book is live and in sequence, every part is fine",
          responses: {
            200: described("Ready"),
            503: described("Not ready, with the reasons"),
            404: problem(),
          },
        },
      },
      "/metrics": plain("Prometheus metrics", "text/plain"),
      "/instruments": plain("Every configured instrument"),
      "/book/{symbol}": query("Book", "The order book, best levels first", [
        limit("depth", "Levels a side", DEFAULT_DEPTH, MAX_DEPTH),
      ]),
      "/ticker/{symbol}": query("Ticker", "The venue's last ticker", []),
      "/trades/{symbol}": query("Trades", "The newest trades", [
        limit("limit", "Trades", DEFAULT_TRADES, MAX_TRADES),
      ]),
      "/candles/{symbol}": query("Candles", "The newest candles", [
        {
          name: "interval",
          in: "query",
          schema: { type: "string", enum: [...INTERVALS], default: "1m" },
        },
        limit("limit", "Candles", DEFAULT_CANDLES, MAX_CANDLES),
      ]),
    },
    components: { schemas: SCHEMAS },
  };
}

function tickerField(name: string): Json {
  if (name.endsWith("_time")) return time;
  return name.endsWith("_id") || name === "count" ? whole : number;
}

function plain(summary: string, type = "application/json"): Json {
  const operationId = summary.toLowerCase().replace(/[^a-z]+/g, "_");
  const content = { [type]: { schema: type === "text/plain" ? text : {} } };
  return {
    get: { operationId, summary, responses: { 200: { description: "OK", content }, 404: problem() } },
  };
}

function query(schema: string, summary: string, parameters: Json[]): Json {
  const content = { "application/json": { schema: ref(schema) } };
  return {
    get: {
      operationId: schema.toLowerCase(),
      summary,
      parameters: [
        { name: "symbol", in: "path", required: true, schema: text },
        ...parameters,
        {
          name: "venue",
          in: "query",
          schema: text,
          description: "Wanted where several venues have the symbol",
        },
      ],
      responses: {
        200: { description: "OK", content },
        400: problem("Asked wrongly"),
        403: problem("Not for clients, by the venue's terms"),
        404: problem("No such symbol, or no such data of it"),
        503: problem("Not there now: the book is not in sync, no ticker has come"),
      },
    },
  };
}

function limit(name: string, what: string, usual: number, maximum: number): Json {
  return {
    name,
    in: "query",
    description: what,
    schema: { type: "integer", minimum: 1, maximum, default: usual },
  };
}

function described(description: string): Json {
  return { description, content: { "application/json": { schema: {} } } };
}

function problem(description = "No such path"): Json {
  return { description, content: { "application/json": { schema: ref("Error") } } };
}
