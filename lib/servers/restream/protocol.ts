/**
 * What a client may say: version 1 of the plain protocol, documented in README.md beside. Reading is strict about
 * types and names and says exactly what is wrong; unknown fields are allowed so that newer clients can talk to us.
 */
import { quoted } from "../../base/errors.ts";

export const PROTOCOL_VERSION = 1;
export const CHANNEL_NAMES = ["book", "trades", "bbo", "ticker", "status"] as const;
export type ChannelName = typeof CHANNEL_NAMES[number];
/** A fixed list, so that clients share encodings and their number is bounded. */
export const DEPTHS: readonly number[] = [1, 5, 10, 20, 50, 100, 200, 500, 1_000];
export const ANY_SYMBOL = "*";

const MAX_NAME_LENGTH = 64;
const MAX_ID_LENGTH = 64;

/** Echoed as it came, to match answers with requests. */
export type RequestId = string | number;

interface Target {
  id?: RequestId;
  symbol: string;
  channel: ChannelName;
  venue?: string;
}
export type SubscribeRequest = Target & { type: "subscribe"; depth?: number };
export type UnsubscribeRequest = Target & { type: "unsubscribe" };
export type Request =
  | SubscribeRequest
  | UnsubscribeRequest
  | { type: "list"; id?: RequestId }
  | { type: "ping"; id?: RequestId };

export type ErrorCode =
  | "bad_json"
  | "bad_request"
  | "unknown_type"
  | "unknown_channel"
  | "unknown_symbol"
  | "not_for_clients"
  | "not_subscribed"
  | "too_many_subscriptions"
  | "too_large"
  | "rate_limited";

export interface Problem {
  code: ErrorCode;
  message: string;
  id?: RequestId;
}

/** The request, or what is wrong with it. Never throws. */
export function readRequest(text: string): { request: Request } | { problem: Problem } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {
      problem: { code: "bad_json", message: `read ${quoted(text, 40)}: not JSON, want a JSON object` },
    };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { problem: { code: "bad_request", message: `read ${quoted(value, 40)}: want a JSON object` } };
  }
  const fields = value as Record<string, unknown>;
  const id = fields.id ?? undefined;
  if (!isId(id)) {
    const message = `read "id": ${quoted(id, 40)}, want a number or at most ${MAX_ID_LENGTH} characters`;
    return { problem: { code: "bad_request", message } };
  }
  const result = readFields(fields, id);
  return "code" in result ? { problem: { ...result, id } } : { request: result };
}

function readFields(fields: Record<string, unknown>, id: RequestId | undefined): Request | Problem {
  switch (fields.type) {
    case "ping":
      return { type: "ping", id };
    case "list":
      return { type: "list", id };
    case "subscribe":
    case "unsubscribe": {
      const target = readTarget(fields, id);
      if ("code" in target) return target;
      if (fields.type === "unsubscribe") return { type: "unsubscribe", ...target };
      const depth = fields.depth;
      if (depth === undefined || depth === null) return { type: "subscribe", ...target };
      if (target.channel !== "book") {
        const message =
          `read "depth": channel "${target.channel}" has none, want it with channel "book" only`;
        return { code: "bad_request", message };
      }
      if (typeof depth !== "number" || !DEPTHS.includes(depth)) {
        const message = `read "depth": ${quoted(depth, 40)}, want one of ${
          DEPTHS.join(", ")
        }, or none for all`;
        return { code: "bad_request", message };
      }
      return { type: "subscribe", ...target, depth };
    }
    default: {
      const message = `read "type": ${
        quoted(fields.type ?? null, 40)
      }, want subscribe, unsubscribe, list or ping`;
      return { code: "unknown_type", message };
    }
  }
}

function readTarget(fields: Record<string, unknown>, id: RequestId | undefined): Target | Problem {
  const { symbol, channel, venue } = fields;
  if (!isName(symbol)) {
    return {
      code: "bad_request",
      message: `read "symbol": ${quoted(symbol ?? null, 40)}, want a symbol or "*"`,
    };
  }
  if (venue !== undefined && venue !== null && !isName(venue)) {
    return { code: "bad_request", message: `read "venue": ${quoted(venue, 40)}, want a venue's name` };
  }
  const known = CHANNEL_NAMES.find((name) => name === channel);
  if (known === undefined) {
    const message = `read "channel": ${quoted(channel ?? null, 40)}, want one of ${CHANNEL_NAMES.join(", ")}`;
    return { code: "unknown_channel", message };
  }
  return { id, symbol, channel: known, venue: venue ?? undefined };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function isId(id: unknown): id is RequestId | undefined {
  if (id === undefined || typeof id === "number") return true;
  return typeof id === "string" && id.length <= MAX_ID_LENGTH;
}
