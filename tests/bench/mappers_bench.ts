/**
 * Every feed's mapper against JSON.parse of the same frames with every number copied out, in one run, round by round in
 * turns so that a busy machine disturbs both alike. The frames are what the venue's mock sends in half a minute of a market
 * (books, trades, quotes), read by a fresh mapper in their order; a venue without a mock is measured on its fixtures.
 * Target: 1.5 × that baseline. Binary frames have none: their figure stands alone.
 */
import { silentLog } from "../../lib/base/log.ts";
import type { Feed } from "../../lib/feeds/feed.ts";
import { FEEDS, MOCKS } from "../../lib/gateway/catalog.ts";
import type { Channel } from "../../lib/market/event.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { FeedClient } from "../contracts/feed_client.ts";
import { fixtureFrames, runsOf } from "../contracts/feed_fixture.ts";
import { TurnClock } from "../turn_clock.ts";
import { fastest_ms, print, row } from "./figures.ts";

const TARGET = 1.5;
const MARKET_MS = 30_000;
const ROUNDS = 15;
const HOT: readonly Channel[] = ["book", "trades", "quote"];
const decoder = new TextDecoder();

/** Frames by connection. */
type Runs = Uint8Array[][];

async function mockFrames(feed: Feed): Promise<Runs> {
  const kind = MOCKS[feed.name];
  const clock = new TurnClock();
  return await clock.drive((async () => {
    await using venue = await kind.open({
      ...{ listen: "127.0.0.1:0", symbols: [], speed: 20, faults: [], seed: "mappers" },
      ...{ duration_ms: MARKET_MS, rate_per_s: 60, start_delay_ms: 1_000 },
    }, { clock, log: silentLog, signal: new AbortController().signal });
    const channels = HOT.filter((one) => kind.channels.includes(one));
    const client = await FeedClient.open(feed, clock, venue.ws_url, venue.symbols, channels);
    await venue.finished;
    await client.close();
    return [...client.frames.values()];
  })());
}
function fixtureRuns(feed: Feed): Runs {
  return runsOf(fixtureFrames(feed.name))
    .map((run) => run.filter((one) => one.snapshot_of === undefined).map((one) => one.bytes));
}
/** Is it text in JSON? Acknowledgements may be so where frames are not. */
function isJson(frame: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(frame));
    return true;
  } catch {
    return false;
  }
}

/** What a reader without a scanner does: parse, then copy each number out. */
function parseAndCopy(frame: Uint8Array, into: Float64Array): number {
  return copyNumbers(JSON.parse(decoder.decode(frame)), into, 0);
}
function copyNumbers(value: unknown, into: Float64Array, at: number): number {
  if (typeof value === "number") into[at++] = value;
  else if (typeof value === "string") into[at++] = Number(value);
  else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      at = copyNumbers(value[i], into, at);
    }
  } else if (value !== null && typeof value === "object") {
    for (const one of Object.values(value)) at = copyNumbers(one, into, at);
  }
  return at;
}

for (const feed of Object.values(FEEDS)) {
  const has_mock = MOCKS[feed.name] !== undefined;
  const runs = (has_mock ? await mockFrames(feed) : fixtureRuns(feed)).filter((run) => run.length > 0);
  const repeats = Math.max(1, Math.ceil(1_000 / runs.flat().length));
  const count = runs.flat().length * repeats;
  const bytes = runs.flat().reduce((sum, frame) => sum + frame.length, 0) / runs.flat().length;
  print(
    `${feed.name}: ${runs.flat().length} ${has_mock ? "mock" : "fixture"} frames, ${
      bytes.toFixed(0)
    } bytes each`,
  );
  const batch = new EventBatch();
  const ours = () => {
    for (let i = 0; i < repeats; i++) {
      for (const run of runs) {
        const mapper = feed.createMapper();
        for (let at = 0; at < run.length; at++) {
          batch.clear();
          mapper.map(run[at], 1, batch);
        }
      }
    }
  };
  const json_runs = runs.map((run) => run.filter(isJson));
  const numbers = new Float64Array(65_536);
  const theirs = () => {
    for (let i = 0; i < repeats; i++) {
      for (const run of json_runs) for (const frame of run) parseAndCopy(frame, numbers);
    }
  };
  const is_text = json_runs.flat().length > 0.9 * runs.flat().length;
  let our_ms = Infinity;
  let their_ms = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    our_ms = Math.min(our_ms, fastest_ms(ours, 1));
    if (is_text) their_ms = Math.min(their_ms, fastest_ms(theirs, 1));
  }
  const us = (ms: number) => `${(ms * 1000 / count).toFixed(2)} µs/frame`;
  row("mapper (mdg)", us(our_ms), is_text ? `${(their_ms / our_ms).toFixed(1)} × (target ${TARGET})` : "");
  if (is_text) row("JSON.parse and copy", us(their_ms));
}
