/**
 * The mapper against an independent reader (JSON.parse and plain objects): the same events from any legal form of a
 * frame; from broken frames never an exception, never a part, never an event the reader would not give. Seeded; the canary
 * is a mapper that believes a truncated frame.
 */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { binanceFutures } from "../../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../../lib/feeds/binance/spot.ts";
import type { Feed, FrameOutcome, Mapper } from "../../../../lib/feeds/feed.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";
import { is_long } from "../../../services.ts";
import { plainEvent } from "../plain_event.ts";
import { ALL, bytesOf, looseJson, randomFrame } from "./frames.ts";
import { hasMoreThan15Digits, type Read, readBinanceFrame } from "./reference_reader.ts";

const FEEDS: [Feed, boolean][] = [[binanceFutures, true], [binanceSpot, false]];
const RECEIVED_US = 1_793_628_600_110_000;

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
/** What the reader says, in the shape of our events. */
function expected(read: Read, venue: string): Record<string, unknown> {
  const { bids, asks, fills, price, quantity, ...rest } = read;
  const event: Record<string, unknown> = { venue, received_us: RECEIVED_US, ...rest };
  if (read.kind === "book_delta") Object.assign(event, { bids, asks });
  if (read.kind === "quote") {
    for (const name of ["bid", "bid_quantity", "ask", "ask_quantity"]) event[name] = Number(read[name]);
  }
  if (read.kind === "trade") {
    const [first_fill_id, last_fill_id] = fills as number[];
    const text = String(quantity);
    const exact_quantity = hasMoreThan15Digits(text) ? text : undefined;
    Object.assign(event, {
      price: Number(price),
      quantity: Number(text),
      exact_quantity,
      first_fill_id,
      last_fill_id,
    });
  }
  return withoutAbsent(event);
}

function checkFrame(feed: Feed, mapper: Mapper, frame: Uint8Array, needs_previous_id: boolean): FrameOutcome {
  const batch = new EventBatch();
  const outcome = mapper.map(frame, RECEIVED_US, batch);
  const read = readBinanceFrame(frame, needs_previous_id);
  const got = batch.events.map(plainEvent);
  const text = new TextDecoder().decode(frame);
  assert.deepEqual(got, read ? [expected(read, feed.name)] : [], text);
  assert.equal(outcome.kind === "events", got.length === 1, `${JSON.stringify(outcome)} ${text}`);
  return outcome;
}

Deno.test("any legal form of a frame gives the reader's event", () => {
  for (const [feed, needs_previous_id] of FEEDS) {
    const random = new Random(`legal ${feed.name}`);
    let events = 0;
    for (let i = 0; i < 6_000; i++) {
      const mapper = feed.createMapper();
      const frame = bytesOf(looseJson(randomFrame(random), random));
      if (checkFrame(feed, mapper, frame, needs_previous_id).kind === "events") events++;
    }
    assert.ok(events > 3_000, `${events} events of 6000 frames: the generator is off`);
  }
});

Deno.test("a frame cut at any byte gives nothing, and the next whole frame is read as ever", () => {
  for (const [feed, needs_previous_id] of FEEDS) {
    const mapper = feed.createMapper();
    for (const whole of ALL) {
      for (const form of [whole, whole.data]) {
        const frame = bytesOf(form);
        for (let length = 0; length < frame.length; length++) {
          const batch = new EventBatch();
          const outcome = mapper.map(frame.subarray(0, length), RECEIVED_US, batch);
          assert.equal(outcome.kind, "malformed");
          assert.equal(batch.size, 0);
        }
        checkFrame(feed, mapper, frame, needs_previous_id);
      }
    }
  }
});

Deno.test("a frame is read within its own bytes, whatever follows in the buffer", () => {
  const mapper = binanceFutures.createMapper();
  const frame = bytesOf(ALL[0]);
  const buffer = bytesOf(JSON.stringify(ALL[0]) + "]]}}" + JSON.stringify(ALL[0]));
  checkFrame(binanceFutures, mapper, buffer.subarray(0, frame.length), true);
  checkFrame(binanceFutures, mapper, buffer.subarray(0, frame.length - 1), true);
});

function mutated(random: Random, frame: Uint8Array): Uint8Array {
  let bytes = Uint8Array.from(frame);
  for (let count = random.integer(1, 3); count > 0; count--) {
    const at = random.integer(0, bytes.length - 1);
    switch (random.integer(0, 5)) {
      case 0:
        bytes[at] ^= 1 << random.integer(0, 7);
        break;
      case 1:
        bytes[at] = random.pick([...'{}[]":,.0123456789eE-+\\ tfnabABuUpsT']).charCodeAt(0);
        break;
      case 2:
        bytes = bytes.slice(0, at + 1);
        break;
      case 3:
        bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1)]);
        break;
      case 4: {
        const from = random.integer(0, bytes.length - 1);
        const part = bytes.slice(from, from + random.integer(1, 40));
        bytes = Uint8Array.from([...bytes.slice(0, at), ...part, ...bytes.slice(at)]);
        break;
      }
      default:
        bytes[at] = random.integer(0, 255);
    }
  }
  return bytes;
}

/** Where the mapper may refuse what JSON.parse takes: a key said twice (it takes the last), bytes that are no UTF-8. */
function mayBeRefused(frame: Uint8Array): boolean {
  const text = new TextDecoder().decode(frame);
  const keys = text.match(/"[^"\\]{1,12}"\s*:/g) ?? [];
  return new Set(keys).size < keys.length || text.includes("\uFFFD");
}

Deno.test("random damage never throws and never makes an event that the reader does not see", () => {
  const rounds = is_long ? 400_000 : 20_000;
  for (const [feed, needs_previous_id] of FEEDS) {
    const random = new Random(`damage ${feed.name}`);
    const mapper = feed.createMapper();
    let survived = 0;
    for (let i = 0; i < rounds; i++) {
      const form = random.chance(0.5) ? random.pick(ALL) : randomFrame(random);
      const frame = mutated(random, bytesOf(form));
      if (mayBeRefused(frame)) {
        const batch = new EventBatch();
        mapper.map(frame, RECEIVED_US, batch);
        const read = readBinanceFrame(frame, needs_previous_id);
        const text = new TextDecoder().decode(frame);
        if (batch.size > 0) {
          assert.deepEqual(plainEvent(batch.events[0]), read && expected(read, feed.name), text);
        }
      } else if (checkFrame(feed, mapper, frame, needs_previous_id).kind === "events") survived++;
    }
    assert.ok(
      survived > rounds / 50,
      `${survived} of ${rounds} still read: the damage is too heavy to test much`,
    );
  }
});

Deno.test("random bytes and random JSON never throw", () => {
  const random = new Random("bytes");
  for (const [feed] of FEEDS) {
    const mapper = feed.createMapper();
    for (let i = 0; i < 3_000; i++) {
      const batch = new EventBatch();
      const bytes = Uint8Array.from({ length: random.integer(0, 80) }, () => random.integer(0, 255));
      mapper.map(bytes, RECEIVED_US, batch);
      assert.equal(batch.size, 0);
    }
  }
});

Deno.test("canary: a mapper that closes what was cut is caught", () => {
  const [feed] = FEEDS[0];
  const mapper = feed.createMapper();
  const credulous: Mapper = {
    map(frame, received_us, batch) {
      const text = new TextDecoder().decode(frame);
      return mapper.map(bytesOf(text.endsWith("}}") ? text : text + "}"), received_us, batch);
    },
    addSymbol() {},
    removeSymbol() {},
  };
  const frame = bytesOf(ALL[0]);
  assert.throws(
    () => checkFrame(feed, credulous, frame.subarray(0, frame.length - 1), true),
    assert.AssertionError,
  );
});
