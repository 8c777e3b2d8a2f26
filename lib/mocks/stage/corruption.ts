/**
 * Spoilt frames: what broken middle boxes, bugs and new releases do to a stream. Either the frame is replaced by
 * something no reader may accept, or something strange comes before it.
 * Refuses: a well-formed frame with a wrong price, id or an emptied level list, unless a checksum inside it tells; nobody
 * could tell it from the truth.
 */
import { Buffer } from "node:buffer";
import type { Random } from "../../base/random.ts";
import type { WireFrame } from "./wire_frame.ts";

/** What the venue's frames are made of, so that they can be spoilt in its own words. */
export interface CorruptionWords {
  /** `base64`: text frames of bare base64 around a protobuf message. */
  readonly format: "json" | "protobuf" | "base64";
  /** Keys (or positions of an array) whose wrong type no reader may accept. JSON only. */
  readonly essential: readonly string[];
  /** Prices stand as bare numbers, so a number is no wrong type. */
  readonly bare_numbers?: boolean;
  /** Whole frames that a reader must ignore or refuse, beside those that fit every venue. */
  readonly strange: readonly (string | Uint8Array)[];
}

/** `replaces`: the original is lost; else it follows. */
export interface SpoiltFrame {
  payload: Buffer;
  replaces: boolean;
}

const TEXT_KINDS = [
  ...["truncated", "truncated", "garbled", "garbled", "bad_utf8", "mistyped", "mistyped", "mistyped"],
  ...["strange", "strange", "strange", "oversized"],
] as const;
const BYTE_KINDS = ["truncated", "truncated", "garbage", "strange", "strange", "oversized"] as const;
/** None is a digit, a point or a quote: a garbled number never reads as another number. */
const JUNK = Buffer.from("\u0000\u0001\u001f{]:\\q");
/** Not in the alphabet of base64, and no white space, which readers pass over. */
const BASE64_JUNK = Buffer.from("\u0000\u0001{]:\\*");
const BAD_UTF8 = [0xff, 0xfe, 0xc0, 0xf8] as const;
const WRONG_TYPES = [null, {}, true, -1, "x"] as const;
const OVERSIZED_BYTES = 5 * 1024 * 1024;
const MAX_SEARCHED = 1_000;

export function spoil(frame: WireFrame, random: Random, words: CorruptionWords): SpoiltFrame {
  const { payload, checked } = frame;
  if (typeof payload !== "string") return spoilBytes(Buffer.from(payload), random, words);
  if (words.format === "base64") return spoilBase64(payload, random, words);
  const kinds = checked.length > 0 ? [...TEXT_KINDS, ...Array(4).fill("miscounted")] : TEXT_KINDS;
  switch (random.pick(kinds)) {
    case "garbled":
      return { payload: garbled(payload, random), replaces: true };
    case "bad_utf8":
      return { payload: overwritten(payload, random, random.integer(1, 2), BAD_UTF8), replaces: true };
    case "mistyped":
      return { payload: mistyped(payload, random, words), replaces: true };
    case "miscounted":
      return { payload: Buffer.from(miscounted(payload, checked, random)), replaces: true };
    case "strange":
      return strange([...words.strange, ...STRANGE], random);
    case "oversized":
      return { payload: oversized(), replaces: false };
    default:
      return { payload: truncated(payload, random), replaces: true };
  }
}

/** A protobuf message short of its last byte is never one; other cuts might read as a message of fewer fields. */
function spoilBytes(bytes: Buffer, random: Random, words: CorruptionWords): SpoiltFrame {
  switch (random.pick(BYTE_KINDS)) {
    case "garbage":
      return { payload: Buffer.alloc(random.integer(11, 200), 0xff), replaces: true };
    case "strange":
      return strange(words.strange, random);
    case "oversized":
      return { payload: oversized(), replaces: false };
    default:
      return { payload: bytes.subarray(0, -1), replaces: true };
  }
}
function spoilBase64(text: string, random: Random, words: CorruptionWords): SpoiltFrame {
  const spoilt = spoilBytes(Buffer.from(text, "base64"), random, words);
  if (!spoilt.replaces) return spoilt;
  return random.chance(0.5)
    ? { payload: Buffer.from(spoilt.payload.toString("base64")), replaces: true }
    : { payload: overwritten(text, random, random.integer(1, 8), BASE64_JUNK), replaces: true };
}

function strange(frames: readonly (string | Uint8Array)[], random: Random): SpoiltFrame {
  return { payload: Buffer.from(frames.length > 0 ? random.pick(frames) : ""), replaces: false };
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

function mistyped(text: string, random: Random, words: CorruptionWords): Buffer {
  if (!isJson(Buffer.from(text))) return truncated(text, random);
  const message = JSON.parse(text);
  const holder = holderOf(message, words.essential);
  if (holder === undefined) return truncated(text, random);
  const present = words.essential.filter((key) => holder[key] !== undefined);
  const key = random.pick(present);
  const wrong = random.pick(WRONG_TYPES);
  holder[key] = wrong === -1 && words.bare_numbers ? "x" : wrong;
  return Buffer.from(JSON.stringify(message));
}
/** The outermost object or array with one of these keys. */
function holderOf(message: unknown, keys: readonly string[]): Record<string, unknown> | undefined {
  const waiting: unknown[] = [message];
  for (let i = 0; i < waiting.length && i < MAX_SEARCHED; i++) {
    const one = waiting[i];
    if (one === null || typeof one !== "object") continue;
    const holder = one as Record<string, unknown>;
    if (keys.some((key) => holder[key] !== undefined)) return holder;
    waiting.push(...Object.values(holder));
  }
  return undefined;
}

/** One digit of one level turned into another: well formed, and told by the checksum alone. */
function miscounted(text: string, checked: readonly string[], random: Random): string {
  const part = random.pick(checked);
  const start = text.indexOf(part);
  const places = [...part.matchAll(/\d/g)].map((match) => start + match.index);
  if (start < 0 || places.length === 0) throw new Error(`spoil a level: "${part}" has no digit in the frame`);
  const at = random.pick(places);
  const leads_number = !/[\d.]/.test(text[at - 1] ?? "");
  const others = [..."0123456789"].filter((digit) => digit !== text[at] && !(leads_number && digit === "0"));
  return text.slice(0, at) + random.pick(others) + text.slice(at + 1);
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
  return oversized_frame ??= Buffer.from(`{"type":"oversized","pad":"${"x".repeat(OVERSIZED_BYTES)}"}`);
}

/** Strange at any venue that speaks JSON. */
const STRANGE = [
  '{"data":{}}',
  "{}",
  "[]",
  "null",
  "42",
  '""',
  "",
  "[".repeat(1_000) + "]".repeat(1_000),
];
