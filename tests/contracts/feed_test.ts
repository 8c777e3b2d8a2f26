/**
 * What every feed must be, run over the registry: a new venue brings its frames, golden events and provenance
 * (fixtures/feeds/<venue>/) and passes this suite unchanged.
 */
import assert from "node:assert/strict";
import { Random } from "../../lib/base/random.ts";
import type { Feed } from "../../lib/feeds/feed.ts";
import * as registry from "../../lib/feeds/registry.ts";
import { type BookDelta, type Channel, CHANNELS, type MarketEvent } from "../../lib/market/event.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { plainEvent } from "../lib/feeds/plain_event.ts";
import { checkEvent } from "./event_shape.ts";
import {
  fixtureEvents,
  type FixtureFrame,
  fixtureFrames,
  fixtureReadme,
  type FrameResult,
  RECEIVED_US,
  resultsOf,
  runsOf,
} from "./feed_fixture.ts";

const KIND_OF_CHANNEL: Record<Channel, MarketEvent["kind"]> = {
  book: "book_delta",
  trades: "trade",
  quote: "quote",
  ticker: "ticker",
  candles: "candle",
};
const SYMBOLS = ["BTCUSDT", "ETHUSDT", "XRPUSDT"];

/** Registers one test a feed. */
function eachFeed(name: string, body: (feed: Feed, frames: FixtureFrame[]) => void): void {
  for (const [venue, feed] of Object.entries<Feed>(registry)) {
    Deno.test(`feed ${venue}: ${name}`, () => body(feed, fixtureFrames(venue)));
  }
}

eachFeed("is registered under its own name and says what it is", (feed) => {
  assert.equal(Object.entries<Feed>(registry).find(([, one]) => one === feed)?.[0], feed.name);
  assert.match(feed.name, /^[a-z][a-z0-9-]*$/);
  assert.match(feed.summary, /^\S.{3,78}[^.\s]$/);
  assert.match(feed.endpoints.ws_url, /^wss:\/\/[^/]+/);
  assert.match(feed.endpoints.rest_url, /^https:\/\/[^/]+/);
  for (const [host, rest_url] of Object.entries(feed.endpoints.rest_of_host ?? {})) {
    assert.equal(new URL(`wss://${host}`).host, host);
    assert.match(rest_url, /^https:\/\//);
  }
});

eachFeed("has limits that can be kept", ({ limits }) => {
  for (const [name, value] of Object.entries(limits)) assert.ok(value > 0 && Number.isFinite(value), name);
  assert.ok(limits.max_streams_per_message <= limits.max_streams_per_connection);
  assert.ok(limits.lifetime_ms > 10 * limits.max_silence_ms, "a connection must outlive its silence watch");
  assert.ok(limits.first_data_ms < limits.lifetime_ms);
});

eachFeed("names a stream for each channel, on a known route, each its own", (feed) => {
  assert.ok(feed.channels.length > 0);
  assert.equal(new Set(feed.channels).size, feed.channels.length);
  const taken = new Set<string>();
  for (const symbol of SYMBOLS) {
    assert.equal(feed.symbol(feed.symbol(symbol.toLowerCase())), feed.symbol(symbol));
    for (const channel of feed.channels) {
      assert.ok(CHANNELS.includes(channel));
      const streams = feed.streams(feed.symbol(symbol), channel);
      assert.ok(streams.length > 0, channel);
      for (const stream of streams) {
        assert.ok(Object.hasOwn(feed.routes, stream.route), `route ${stream.route}`);
        assert.deepEqual([stream.symbol, stream.channel], [feed.symbol(symbol), channel]);
        const key = `${stream.route} ${stream.stream}`;
        assert.ok(!taken.has(key), `${key} twice`);
        taken.add(key);
      }
    }
  }
  for (const path of Object.values(feed.routes)) assert.match(path, /^\//);
});

eachFeed("asks for exactly the streams it is told, and takes them back", (feed) => {
  const streams = SYMBOLS.slice(0, feed.limits.max_streams_per_message)
    .flatMap((symbol) => feed.streams(feed.symbol(symbol), feed.channels[0]));
  const session = { token: "secret-token", session_id: 7 };
  const [on, off] = [feed.subscribe(streams, 7, session), feed.unsubscribe(streams, 7, session)];
  assert.notEqual(on, off);
  for (const frame of [on, off]) {
    JSON.parse(frame);
    for (const { stream, symbol } of streams) {
      assert.ok(frame.includes(stream) || frame.includes(symbol), `${stream} in ${frame}`);
    }
  }
  if (streams.length === 1) return;
  const rest = feed.subscribe(streams.slice(1), 8, session);
  assert.ok(!rest.includes(JSON.stringify(streams[0].stream)));
  assert.ok(!rest.includes(JSON.stringify(streams[0].symbol)));
});

eachFeed("offers snapshots within its own budget, deepest first", ({ snapshot }) => {
  if (snapshot === undefined) return;
  assert.ok(snapshot.sizes.length > 0);
  snapshot.sizes.forEach(({ depth_limit, weight }, at) => {
    assert.ok(weight > 0 && weight <= snapshot.weight_per_minute);
    const deeper = snapshot.sizes[at - 1];
    if (deeper) assert.ok(depth_limit < deeper.depth_limit && weight <= deeper.weight);
    const path = snapshot.path("A/B&C=1", depth_limit);
    assert.match(path, /^\//);
    assert.ok(path.includes(encodeURIComponent("A/B&C=1")) && path.includes(String(depth_limit)), path);
  });
});

eachFeed("brings its frames with provenance, and makes of each exactly the golden events", (feed, frames) => {
  const readme = fixtureReadme(feed.name);
  assert.match(readme, /frames\.ndjson/);
  assert.match(readme, /events\.json/);
  assert.match(readme, /by hand|recorded/);
  const golden: FrameResult[] = fixtureEvents(feed.name);
  assert.deepEqual(frames.map((frame) => frame.note), golden.map((one) => one.note));
  assert.equal(new Set(golden.map((one) => one.note)).size, golden.length, "a note twice");
  resultsOf(feed, frames).forEach((result, at) => assert.deepEqual(result, golden[at], result.note));
});

eachFeed(
  "has frames for every channel, a snapshot, an ack, a refusal, an unknown and a malformed one",
  (feed) => {
    const golden = fixtureEvents(feed.name);
    const events = golden.flatMap((one) => one.events);
    for (const channel of feed.channels) {
      assert.ok(events.some((event) => event.kind === KIND_OF_CHANNEL[channel]), `no frame for ${channel}`);
    }
    if (feed.sequence) assert.ok(events.some((event) => event.kind === "book_snapshot"), "no snapshot");
    for (const kind of ["unknown", "malformed"]) {
      assert.ok(golden.some((one) => one.outcome.kind === kind), `no ${kind} frame`);
    }
    if (feed.silent_subscriptions) return;
    assert.ok(golden.some(({ outcome }) => outcome.kind === "ack" && outcome.error === undefined), "no ack");
    const is_refusal = ({ outcome }: FrameResult) =>
      outcome.kind === "error" || outcome.kind === "refused" || outcome.error !== undefined;
    assert.ok(golden.some(is_refusal), "no refusal");
  },
);

/** Runs of frames that one connection received, snapshots of REST left out. */
function streamRuns(frames: readonly FixtureFrame[]): FixtureFrame[][] {
  return runsOf(frames).map((run) => run.filter((frame) => frame.snapshot_of === undefined));
}

eachFeed("events outlive the frame's bytes and keep the vocabulary's word", (feed, frames) => {
  for (const run of streamRuns(frames)) {
    const mapper = feed.createMapper();
    for (const { bytes } of run) {
      const buffer = Uint8Array.from(bytes);
      const batch = new EventBatch();
      mapper.map(buffer, RECEIVED_US, batch);
      const before = batch.events.map(plainEvent);
      buffer.fill(0x7a);
      assert.deepEqual(batch.events.map(plainEvent), before);
      for (const event of batch.events) checkEvent(event, feed.name);
    }
  }
});

eachFeed("two mappers share nothing, and one batch takes many frames", (feed, frames) => {
  for (const run of streamRuns(frames)) {
    const alone = resultsOf(feed, run.map((frame, at) => ({ ...frame, follows: at > 0 })))
      .flatMap((result) => result.events);
    const batches = [new EventBatch(), new EventBatch()];
    const mappers = [feed.createMapper(), feed.createMapper()];
    for (const { bytes } of run) mappers.forEach((mapper, i) => mapper.map(bytes, RECEIVED_US, batches[i]));
    for (const batch of batches) assert.deepEqual(batch.events.map(plainEvent), alone);
  }
});

eachFeed("a mapper made with symbols takes no others", (feed, frames) => {
  const symbols = new Set(
    fixtureEvents(feed.name).flatMap((one) => one.events.map((event) => String(event.symbol))),
  );
  for (const only of symbols) {
    let events = 0;
    for (const run of streamRuns(frames)) {
      const batch = new EventBatch();
      const mapper = feed.createMapper([only]);
      for (const { bytes } of run) mapper.map(bytes, RECEIVED_US, batch);
      events += batch.size;
      for (const event of batch.events) assert.equal(event.symbol, only);
      mapper.removeSymbol(only);
      const after = new EventBatch();
      for (const { bytes } of run) mapper.map(bytes, RECEIVED_US, after);
      assert.equal(after.size, 0);
    }
    assert.ok(events > 0, only);
  }
});

function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.chance(0.3)) return bytes.slice(0, random.integer(0, bytes.length));
  const broken = Uint8Array.from(bytes);
  for (let count = random.integer(1, 4); count > 0 && broken.length > 0; count--) {
    broken[random.integer(0, broken.length - 1)] = random.integer(0, 255);
  }
  return broken;
}

eachFeed("survives garbage: no exception, no part of a frame, no event out of shape", (feed, frames) => {
  const random = new Random(`garbage ${feed.name}`);
  const hardened = feed.createMapper();
  const batch = new EventBatch();
  const runs = streamRuns(frames).filter((run) => run.length > 0);
  const bodies = frames.filter((frame) => frame.snapshot_of !== undefined);
  for (let i = 0; i < 4_000; i++) {
    const run = random.pick(runs);
    const at = random.integer(0, run.length - 1);
    // By turns a mapper that saw nothing but garbage, and one that is where the frame belongs.
    const mapper = i % 2 === 0 ? hardened : feed.createMapper();
    if (mapper !== hardened) {
      for (const { bytes } of run.slice(0, at)) mapper.map(bytes, RECEIVED_US, batch);
    }
    batch.clear();
    const outcome = mapper.map(damaged(random, run[at].bytes), RECEIVED_US, batch);
    assert.equal(outcome.kind === "events", batch.size > 0, JSON.stringify(outcome));
    for (const event of batch.events) checkEvent(event, feed.name);
  }
  for (let i = 0; i < 1_000 && bodies.length > 0; i++) {
    batch.clear();
    const body = damaged(random, random.pick(bodies).bytes);
    const refused = feed.snapshot!.parse(body, "BTCUSDT", RECEIVED_US, batch);
    assert.equal(refused === undefined, batch.size === 1);
    for (const event of batch.events) checkEvent(event, feed.name);
  }
  // After all that, a good frame is read as ever; one that builds on frames before it, by a mapper that saw those.
  const lone = runs.filter((run) => run.length === 1).map(([frame]) => frame);
  const expected = resultsOf(feed, lone);
  const keeps_nothing = lone.length === frames.length - bodies.length;
  lone.forEach((frame, at) => {
    batch.clear();
    (keeps_nothing ? hardened : feed.createMapper()).map(frame.bytes, RECEIVED_US, batch);
    assert.deepEqual(batch.events.map(plainEvent), expected[at].events, frame.note);
  });
});

eachFeed(
  "its sequence rule: a repeat is stale, a jump is a gap, the fixture's own successor is next",
  (feed, frames) => {
    const rule = feed.sequence;
    if (rule === undefined) return assert.ok(!feed.channels.includes("book"));
    const deltas: BookDelta[] = [];
    for (const run of streamRuns(frames)) {
      const mapper = feed.createMapper();
      for (const { bytes } of run) {
        const batch = new EventBatch();
        mapper.map(bytes, RECEIVED_US, batch);
        deltas.push(...batch.events.filter((event) => event.kind === "book_delta"));
      }
    }
    const far = (delta: BookDelta, by: number): BookDelta => ({
      ...delta,
      first_id: delta.first_id + by,
      last_id: delta.last_id + by,
      previous_id: delta.previous_id === undefined ? undefined : delta.previous_id + by,
    });
    let successors = 0;
    for (const delta of deltas) {
      // A keep-alive of the chain is its own successor: nothing has changed since.
      const is_own_successor = delta.previous_id === delta.last_id;
      assert.equal(rule.afterDelta(delta, delta.last_id), is_own_successor ? "next" : "stale");
      if (!rule.losses_shown_by) {
        assert.equal(rule.afterDelta(far(delta, 100_000), delta.last_id), "gap");
      }
      if (!rule.in_band_snapshots) {
        assert.equal(rule.afterSnapshot(delta, delta.last_id + 100_000), "stale");
        assert.equal(rule.afterSnapshot(far(delta, 100_000), delta.last_id), "gap");
      }
      for (const other of deltas) if (rule.afterDelta(other, delta.last_id) === "next") successors++;
    }
    assert.ok(successors > 0, "no two depth frames of the fixture follow each other");
  },
);

Deno.test("canary: a feed that invents events from garbage fails the suite's own check", () => {
  const event: MarketEvent = {
    kind: "quote",
    venue: "x",
    symbol: "BTCUSDT",
    received_us: RECEIVED_US,
    update_id: 1.5,
    ...{ bid: 1, bid_quantity: 1, ask: 2, ask_quantity: 1 },
  };
  assert.throws(() => checkEvent(event, "x"), assert.AssertionError);
  assert.throws(() => checkEvent({ ...event, update_id: 1, bid: NaN }, "x"), assert.AssertionError);
  assert.throws(
    () => checkEvent({ ...event, update_id: 1, sent_ms: RECEIVED_US }, "x"),
    assert.AssertionError,
  );
  checkEvent({ ...event, update_id: 1 }, "x");
});
