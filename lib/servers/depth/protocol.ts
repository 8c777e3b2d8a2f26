/**
 * What clients of the depth server may say, read strictly: one problem per message, naming the field and what is wanted.
 * Unknown fields are let through, as the old server did. What needs the server's state (unknown symbols, stream ids in
 * use) is judged in depth_server.ts. The protocol in words: README.md beside this file.
 */
import { quoted } from "../../base/errors.ts";

export const DATA_TYPES = ["MBP", "MBO", "TRADES"] as const;
export type DataType = typeof DATA_TYPES[number];

export const DEFAULT_LEVELS = 20;
export const MAX_LEVELS = 1_000;
const MAX_STREAM_ID_LENGTH = 128;
const MAX_TIMESTAMP_LENGTH = 64;

export interface Subscribe {
  type: "Subscribe";
  stream_id: string;
  symbol: string;
  data_type: DataType;
  max_levels: number;
  delta: boolean;
}
export interface Unsubscribe {
  type: "Unsubscribe";
  stream_id: string;
}
export interface Ping {
  type: "Ping";
  /** The client's own; comes back unchanged. */
  timestamp?: string | number;
}
export type Request = Subscribe | Unsubscribe | Ping;

/** 400 malformed, 404 unknown symbol or stream, 409 stream id in use, 429 too much. */
export type ErrorCode = 400 | 404 | 409 | 429;

/** Becomes the `Error` answer. */
export class RequestProblem extends Error {
  constructor(readonly code: ErrorCode, message: string, readonly stream_id?: string) {
    super(message);
  }
}

/** @throws RequestProblem */
export function readRequest(text: string): Request {
  const message = readObject(text);
  switch (message.type) {
    case "Subscribe":
      return readSubscribe(message);
    case "Unsubscribe":
      return { type: "Unsubscribe", stream_id: readStreamId(message) };
    case "Ping":
      return { type: "Ping", timestamp: readTimestamp(message) };
    default:
      throw wrong("type", message.type, "want Subscribe, Unsubscribe or Ping", knownStreamId(message));
  }
}

type Fields = Record<string, unknown>;

function readObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestProblem(400, `Invalid message format: not JSON: ${quoted(text, 40)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RequestProblem(400, `Invalid message format: ${quoted(value, 40)}, want a JSON object`);
  }
  return value as Fields;
}

function readSubscribe(message: Fields): Subscribe {
  const stream_id = readStreamId(message);
  const { symbol, data_type, max_levels = DEFAULT_LEVELS, delta = false } = message;
  if (typeof symbol !== "string") throw wrong("symbol", symbol, "want a text", stream_id);
  const known_type = DATA_TYPES.find((name) => name === data_type);
  if (known_type === undefined) {
    throw wrong("data_type", data_type, `want ${DATA_TYPES.join(", ")}`, stream_id);
  }
  if (!Number.isInteger(max_levels) || Number(max_levels) < 1 || Number(max_levels) > MAX_LEVELS) {
    throw wrong("max_levels", max_levels, `want a whole number from 1 to ${MAX_LEVELS}`, stream_id);
  }
  if (typeof delta !== "boolean") throw wrong("delta", delta, "want true or false", stream_id);
  return {
    type: "Subscribe",
    stream_id,
    symbol,
    data_type: known_type,
    max_levels: Number(max_levels),
    delta,
  };
}

function readStreamId(message: Fields): string {
  const { stream_id } = message;
  const known = knownStreamId(message);
  if (known === undefined) {
    throw wrong("stream_id", stream_id, `want a text of 1 to ${MAX_STREAM_ID_LENGTH} characters`);
  }
  return known;
}

function readTimestamp(message: Fields): string | number | undefined {
  const { timestamp } = message;
  if (timestamp === undefined || typeof timestamp === "number") return timestamp;
  if (typeof timestamp === "string" && timestamp.length <= MAX_TIMESTAMP_LENGTH) return timestamp;
  const want = `want a number or a text of at most ${MAX_TIMESTAMP_LENGTH} characters`;
  throw wrong("timestamp", timestamp, want, knownStreamId(message));
}

/** The id to put on an error about a message that is wrong elsewhere. */
function knownStreamId({ stream_id }: Fields): string | undefined {
  const is_right = typeof stream_id === "string" && stream_id.length >= 1 &&
    stream_id.length <= MAX_STREAM_ID_LENGTH;
  return is_right ? stream_id : undefined;
}

function wrong(field: string, value: unknown, want: string, stream_id?: string): RequestProblem {
  const is = value === undefined ? "is missing" : `is ${quoted(value, 40)}`;
  return new RequestProblem(400, `Invalid message format: "${field}" ${is}, ${want}`, stream_id);
}
