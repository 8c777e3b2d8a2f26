/**
 * What MEXC's spot sockets say beside data, today's and the older one alike: JSON texts `{"id","code","msg"}`. `code` is 0
 * even on failure and the id is not to be relied on, so success is that `msg` echoes the names that were asked for.
 */
import type { FrameOutcome, StreamName } from "../feed.ts";
import { malformed, NO_NEWS, quoted } from "../json/mapper.ts";
import type { JsonTape } from "../json/tape.ts";

/** Thirty names of some eighty characters are the longest message that the venue has reason to send. */
const MAX_MESSAGE = 8_192;
const MAX_NAMES = 64;
const NAME = /spot@[^\s,\]]+/g;

export const KEEP_ALIVE = { every_ms: 20_000, frame: () => JSON.stringify({ method: "PING" }) };

export function subscription(method: string, streams: readonly StreamName[], id: number): string {
  return JSON.stringify({ method, params: streams.map((one) => one.stream), id });
}

/** The meaning of a scanned text that carries no data. */
export function readControl(tape: JsonTape): FrameOutcome {
  const message = tape.field(0, "msg");
  if (message < 0) return malformed("text frame without msg");
  const text = tape.text(message).slice(0, MAX_MESSAGE);
  if (text === "PONG") return NO_NEWS;
  const code = tape.field(0, "code");
  const streams = [...new Set(text.match(NAME) ?? [])].slice(0, MAX_NAMES);
  const echoes = streams.length > 0 && text.split(",").every((name) => streams.includes(name.trim()));
  if (echoes && tape.integer(code) === 0) return { kind: "ack", streams };
  const error = `${tape.text(code)}: ${quoted(text)}`;
  // A complaint that names no stream can only be about what was asked first.
  return { kind: "ack", streams: streams.length > 0 ? streams : undefined, error };
}
