/**
 * What a client may say: version 1 of the protocol, documented in README.md beside. Reading is strict about
 * types and names and says exactly what is wrong; unknown fields are allowed so that newer clients can talk to us.
 */
import { quoted } from "../../base/errors.ts";
import { type Interval, INTERVALS } from "../../market/interval.ts";

export const PROTOCOL_VERSION = 1;
export const CHANNEL_NAMES = ["book", "trades", "bbo", "ticker", "status", "candles", "orders"] as const;
export type ChannelName = typeof CHANNEL_NAMES[number];
/** A fixed list, so that clients share encodings and their number is bounded. */
export const DEPTHS: readonly number[] = [1, 5, 10, 20, 50, 100, 200, 500, 1_000];
/** Conflation intervals: a fixed list for the same reason. */
export const INTERVALS_MS: readonly number[] = [50, 100, 250, 500, 1_000, 2_000, 5_000];
const DEEP_CHANNELS: readonly ChannelName[] = ["book", "orders"];
const PACED_CHANNELS: readonly ChannelName[] = ["book", "bbo", "ticker"];
export const ANY_SYMBOL = "*";
export const JSON_PROTOCOL = "mdg.v1.json";
export const BINARY_PROTOCOL = "mdg.v1.binary";

const MAX_NAME_LENGTH = 64;
const MAX_ID_LENGTH = 64;

/** Echoed as it came, to match answers with requests. */
export type RequestId = string | number;

interface Target {
  id?: RequestId;
  symbol: string;
  channel: ChannelName;
  venue?: string;
  /** Candles only; a subscription needs it. */
  interval?: Interval;
}
export interface SubscribeRequest extends Target {
  type: "subscribe";
  depth?: number;
  interval_ms?: number;
  resume?: { epoch: string; seq: number };
}
export type UnsubscribeRequest = Target & { type: "unsubscribe" };
export type Request =
  | SubscribeRequest
  | UnsubscribeRequest
  | { type: "list"; id?: RequestId }
  | { type: "ping"; id?: RequestId }
  | { type: "auth"; id?: RequestId; token: string };

export type ErrorCode =
  | "bad_json"
  | "bad_request"
  | "unknown_type"
  | "unknown_channel"
  | "unknown_symbol"
  | "unauthorized"
  | "auth_required"
  | "not_entitled"
  | "not_for_clients"
  | "not_subscribed"
  | "too_many_subscriptions"
  | "too_large"
  | "rate_limited"
  | "busy";

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
    case "auth": {
      const { token } = fields;
      if (typeof token === "string" && token.length > 0) return { type: "auth", id, token };
      return { code: "bad_request", message: 'read "token": want a text' };
    }
    case "subscribe":
    case "unsubscribe": {
      const target = readTarget(fields, id);
      if ("code" in target) return target;
      if (fields.type === "unsubscribe") return { type: "unsubscribe", ...target };
      return readOptions(fields, target);
    }
    default: {
      const message = `read "type": ${
        quoted(fields.type ?? null, 40)
      }, want subscribe, unsubscribe, list, ping or auth`;
      return { code: "unknown_type", message };
    }
  }
}

function readOptions(fields: Record<string, unknown>, target: Target): SubscribeRequest | Problem {
  const { channel } = target;
  const depth = fields.depth ?? undefined;
  const interval_ms = fields.interval_ms ?? undefined;
  const resume = fields.resume ?? undefined;
  const refuse = (name: string, message: string): Problem => ({
    code: "bad_request",
    message: `read "${name}": ${message}`,
  });
  if (depth !== undefined && !DEEP_CHANNELS.includes(channel)) {
    return refuse("depth", `channel "${channel}" has none, want it with ${DEEP_CHANNELS.join(", ")} only`);
  }
  if (depth !== undefined && !isOneOf(depth, DEPTHS)) {
    return refuse("depth", `${quoted(depth, 40)}, want one of ${DEPTHS.join(", ")}, or none for all`);
  }
  if (interval_ms !== undefined && !PACED_CHANNELS.includes(channel)) {
    return refuse(
      "interval_ms",
      `channel "${channel}" has none, want it with ${PACED_CHANNELS.join(", ")} only`,
    );
  }
  if (interval_ms !== undefined && channel === "book" && depth === undefined) {
    return refuse("interval_ms", `want a depth with it, one of ${DEPTHS.join(", ")}`);
  }
  if (interval_ms !== undefined && !isOneOf(interval_ms, INTERVALS_MS)) {
    return refuse("interval_ms", `${quoted(interval_ms, 40)}, want one of ${INTERVALS_MS.join(", ")}`);
  }
  if (channel === "candles" && target.interval === undefined) {
    return refuse("interval", `none, want one of ${INTERVALS.join(", ")}`);
  }
  if (resume !== undefined && !isResumePoint(resume)) {
    return refuse("resume", `${quoted(resume, 40)}, want {"epoch", "seq"} of the last message`);
  }
  return { type: "subscribe", ...target, depth, interval_ms, resume };
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
  const interval = fields.interval ?? undefined;
  if (interval !== undefined && (known !== "candles" || !isOneOf(interval, INTERVALS))) {
    const message = known === "candles"
      ? `read "interval": ${quoted(interval, 40)}, want one of ${INTERVALS.join(", ")}`
      : `read "interval": channel "${known}" has none, want it with channel "candles" only`;
    return { code: "bad_request", message };
  }
  return { id, symbol, channel: known, venue: venue ?? undefined, interval };
}

function isOneOf<T>(value: unknown, list: readonly T[]): value is T {
  return (list as readonly unknown[]).includes(value);
}

function isResumePoint(value: unknown): value is { epoch: string; seq: number } {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, seq } = value as Record<string, unknown>;
  return typeof epoch === "string" && epoch.length <= MAX_ID_LENGTH && Number.isSafeInteger(seq) &&
    (seq as number) >= 0;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function isId(id: unknown): id is RequestId | undefined {
  if (id === undefined || typeof id === "number") return true;
  return typeof id === "string" && id.length <= MAX_ID_LENGTH;
}
