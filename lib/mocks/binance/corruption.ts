/**
 * Spoilt frames: what broken middle boxes, bugs and new releases do to a stream. Either the frame is replaced by
 * something no reader may accept, or something strange comes before it.
 * Refuses: a well-formed frame with a wrong price, id or an emptied level list; nobody could tell it from the truth.
 */
import { Buffer } from "node:buffer";
import type { Random } from "../../base/random.ts";

/** `replaces`: the original is lost; else it follows. */
export interface SpoiltFrame {
  payload: Buffer;
  replaces: boolean;
}

const KINDS = [
  ...["truncated", "truncated", "garbled", "garbled", "bad_utf8", "mistyped", "mistyped", "mistyped"],
  ...["strange", "strange", "strange", "oversized"],
] as const;
/** None is a digit, a point or a quote: a garbled number never reads as another number. */
const JUNK = Buffer.from("\u0000\u0001\u001f{]:\\q");
const BAD_UTF8 = [0xff, 0xfe, 0xc0, 0xf8] as const;
const ESSENTIAL = ["s", "u", "U", "pu", "b", "a", "B", "A", "p", "q"] as const;
const WRONG_TYPES = [null, {}, true, -1, "x"] as const;
const OVERSIZED_BYTES = 5 * 1024 * 1024;

/** @param text the whole frame, combined or raw: one JSON object */
export function spoil(text: string, random: Random): SpoiltFrame {
  switch (random.pick(KINDS)) {
    case "garbled":
      return { payload: garbled(text, random), replaces: true };
    case "bad_utf8":
      return { payload: overwritten(text, random, random.integer(1, 2), BAD_UTF8), replaces: true };
    case "mistyped":
      return { payload: mistyped(text, random), replaces: true };
    case "strange":
      return { payload: Buffer.from(random.pick(STRANGE)), replaces: false };
    case "oversized":
      return { payload: oversized(), replaces: false };
    default:
      return { payload: truncated(text, random), replaces: true };
  }
}

/** No proper prefix of a JSON object is JSON. */
function truncated(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text);
  return bytes.subarray(0, random.integer(1, bytes.length - 1));
}

function garbled(text: string, random: Random): Buffer {
  const bytes = overwritten(text, random, random.integer(1, 8), JUNK);
  return isJson(bytes) ? truncated(text, random) : bytes;
}

function overwritten(text: string, random: Random, count: number, by: ArrayLike<number>): Buffer {
  const bytes = Buffer.from(text);
  const start = random.integer(0, bytes.length - 1);
  const end = Math.min(bytes.length, start + count);
  for (let i = start; i < end; i++) bytes[i] = by[random.integer(0, by.length - 1)];
  return bytes;
}

function mistyped(text: string, random: Random): Buffer {
  const message = JSON.parse(text);
  const event = message.data ?? message;
  const present = ESSENTIAL.filter((key) => event[key] !== undefined);
  if (present.length === 0) return truncated(text, random);
  event[random.pick(present)] = random.pick(WRONG_TYPES);
  return Buffer.from(JSON.stringify(message));
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

/** Above any sane frame limit; made once, shared, never written to. */
let oversized_frame: Buffer | undefined;
function oversized(): Buffer {
  const pad = "x".repeat(OVERSIZED_BYTES);
  return oversized_frame ??= Buffer.from(`{"e":"depthUpdate","E":1,"s":"BTCUSDT","pad":"${pad}"}`);
}

const STRANGE = [
  '{"stream":"btcusdt@novelty","data":{"e":"noveltyOfTomorrow","E":1,"s":"BTCUSDT","x":{"deep":[1,2,{}]}}}',
  '{"e":"noveltyOfTomorrow","E":1,"s":"BTCUSDT"}',
  '{"stream":"nosuchusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"NOSUCHUSDT","U":1,"u":2,"pu":0,"b":[],"a":[]}}',
  '{"stream":"btcusdt@depth@100ms"}',
  '{"data":{}}',
  '[{"e":"24hrMiniTicker","E":1,"s":"BTCUSDT"}]',
  "{}",
  "[]",
  "null",
  "42",
  '""',
  "",
  "[".repeat(1_000) + "]".repeat(1_000),
];
