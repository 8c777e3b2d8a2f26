/**
 * Every mapper against mutated frames, walking the registry: no exception, no event out of shape, nothing of a frame that
 * is no JSON, and never a reading that depends on how the frame is spelled: what is accepted must read the same when the
 * same message is written anew, with spaces and its keys in another order. Seeded; a short form in CI, a million frames a
 * venue with `--long`.
 */
import assert from "node:assert/strict";
import { Random } from "../../lib/base/random.ts";
import type { Feed } from "../../lib/feeds/feed.ts";
import * as registry from "../../lib/feeds/registry.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { plainEvent } from "../lib/feeds/plain_event.ts";
import { is_long } from "../services.ts";
import { checkEvent } from "./event_shape.ts";
import { fixtureEvents, type FixtureFrame, fixtureFrames, RECEIVED_US, runsOf } from "./feed_fixture.ts";

const FRAMES = is_long ? 1_000_000 : 6_000;
/** Of the accepted frames, so many are written anew and read again. */
const RESPELLED_SHARE = is_long ? 0.1 : 1;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** What venues' bugs, middle boxes and bad memory do to bytes. */
function mutated(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  switch (random.integer(0, 7)) {
    case 0:
      return bytes.slice(0, at);
    case 1: {
      // A piece of another frame.
      const from = random.integer(0, Math.max(0, other.length - 1));
      return joined(bytes.subarray(0, at), other.subarray(from, from + 12), bytes.subarray(at));
    }
    case 2: {
      // A piece twice.
      const length = random.integer(1, 24);
      return joined(bytes.subarray(0, at + length), bytes.subarray(at));
    }
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(at + random.integer(1, 8)));
    case 4:
      return joined(bytes.subarray(0, at), encoder.encode(random.pick(WORDS)), bytes.subarray(at + 1));
    default: {
      const broken = Uint8Array.from(bytes);
      for (let n = random.integer(1, 3); n > 0 && broken.length > 0; n--) {
        const place = random.integer(0, broken.length - 1);
        broken[place] = random.chance(0.7)
          ? PLAUSIBLE[random.integer(0, PLAUSIBLE.length - 1)]
          : random.integer(0, 255);
      }
      return broken;
    }
  }
}
const PLAUSIBLE = encoder.encode('0123456789.-eE+,:"[]{}tfn \\u');
const WORDS = [
  ...[
    "null",
    "true",
    "-1",
    "1e400",
    "1e-400",
    "99999999999999999999",
    "0.1234567890123456789",
    '""',
    "[]",
    "{}",
  ],
  ...['"x":1,', ',"price":1', "\\u0030", "\\", '"', "\u0000", "-0", "00"],
];
function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The same message written another way; undefined where JSON.parse would lose something of it. */
function respelled(text: string): string | undefined {
  // Numbers of more digits than a double holds, or that JSON.parse spells otherwise; escapes that only it sees through.
  if (/[\d.]{16}|\d[eE]|\d\.0+(?!\d)|\\|[[,:\s]-0/.test(text)) return undefined;
  const value: unknown = JSON.parse(text);
  // JSON.parse keeps the last of two equal keys; a careful reader keeps none.
  return keysOf(value) === [...text.matchAll(/"\s*:/g)].length ? spell(value) : undefined;
}
function keysOf(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  const members = Object.values(value);
  return members.reduce((sum: number, one) => sum + keysOf(one), Array.isArray(value) ? 0 : members.length);
}
function spell(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map(spell).join(" , ")} ]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).reverse().map(([key, one]) =>
    `${JSON.stringify(key)} :\n${spell(one)}`
  );
  return `{ ${members.join(" , ")}\t}`;
}
function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Tally {
  accepted: number;
  respelled: number;
}

/** One mutated frame through a mapper that saw the frames before it. */
function tryFrame(
  feed: Feed,
  run: readonly FixtureFrame[],
  at: number,
  bytes: Uint8Array,
  again: boolean,
  tally: Tally,
) {
  const read = (frame: Uint8Array) => {
    const mapper = feed.createMapper();
    const batch = new EventBatch();
    for (const before of run.slice(0, at)) mapper.map(before.bytes, RECEIVED_US, batch);
    batch.clear();
    const outcome = mapper.map(frame, RECEIVED_US, batch);
    assert.equal(outcome.kind === "events", batch.size > 0, JSON.stringify(outcome));
    for (const event of batch.events) checkEvent(event, feed.name);
    return { outcome, batch };
  };
  const { batch } = read(bytes);
  if (batch.size === 0) return;
  tally.accepted++;
  // Only text frames have a second spelling.
  if (!again || bytes[0] !== 123) return;
  const text = decoder.decode(bytes);
  assert.ok(parses(text), `accepted, yet no JSON: ${text.slice(0, 300)}`);
  const other = respelled(text);
  if (other === undefined || text.includes("\ufffd")) return;
  tally.respelled++;
  const second = read(encoder.encode(other));
  assert.deepEqual(second.batch.events.map(plainEvent), batch.events.map(plainEvent), text);
}

for (const [venue, feed] of Object.entries<Feed>(registry)) {
  Deno.test(`feed ${venue}: ${FRAMES.toLocaleString("en")} mutated frames`, () => {
    const random = new Random(`fuzz ${venue}`);
    const runs = runsOf(fixtureFrames(venue)).map((run) => run.filter((one) => one.snapshot_of === undefined))
      .filter((run) => run.length > 0);
    const all = runs.flat();
    // Most of the time one mapper takes frame after frame, as a connection does; it must stay sound throughout.
    let mapper = feed.createMapper();
    const batch = new EventBatch();
    const tally = { accepted: 0, respelled: 0 };
    for (let i = 0; i < FRAMES; i++) {
      const run = random.pick(runs);
      const at = random.integer(0, run.length - 1);
      const bytes = mutated(random, run[at].bytes, random.pick(all).bytes);
      if (random.chance(0.25)) {
        tryFrame(feed, run, at, bytes, random.chance(RESPELLED_SHARE), tally);
        continue;
      }
      batch.clear();
      const outcome = mapper.map(bytes, RECEIVED_US, batch);
      assert.equal(outcome.kind === "events", batch.size > 0, JSON.stringify(outcome));
      for (const event of batch.events) checkEvent(event, feed.name);
      if (batch.size > 0) tally.accepted++;
      if (outcome.kind === "lost" || outcome.kind === "refused") mapper = feed.createMapper();
    }
    assert.ok(
      tally.accepted > FRAMES / 100,
      `only ${tally.accepted} mutated frames were accepted: too wild to tell`,
    );
    const golden = new Map(fixtureEvents(venue).map(({ note, events }) => [note, events.length]));
    const is_text = all.some(({ note, bytes }) => bytes[0] === 123 && golden.get(note)! > 0);
    if (is_text) assert.ok(tally.respelled > 0);
  });
}
