/**
 * What every mock must be, run over the registry: it speaks so that its feed understands every frame, sells each channel
 * it names, repeats itself with its seed, and bears what clients do. That the gateway heals from its faults is told by
 * tests/end_to_end/venue_faults_test.ts.
 */
import assert from "node:assert/strict";
import { sleep } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { Feed } from "../../lib/feeds/feed.ts";
import { FEEDS, MOCKS } from "../../lib/gateway/catalog.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import {
  FAULTS,
  type MockKind,
  type MockOptions,
  type MockVenue,
  REST_FAULTS,
} from "../../lib/mocks/mock.ts";
import { bookOf } from "../end_to_end/expectation.ts";
import { firstDifference } from "../end_to_end/clean_book.ts";
import { TurnClock } from "../turn_clock.ts";
import { FeedClient } from "./feed_client.ts";

/** Long enough for a heartbeat and a candle, short enough to play often. */
const DURATION_MS = 6_000;
const SPEED = 4;

interface Stage {
  venue: MockVenue;
  clock: TurnClock;
  feed: Feed;
  kind: MockKind;
  connect(): Promise<FeedClient>;
}

/** Registers one test a mock; its time is told in steps. */
function eachMock(
  name: string,
  options: Partial<MockOptions>,
  body: (stage: Stage) => Promise<void>,
): void {
  for (const [key, kind] of Object.entries(MOCKS)) {
    Deno.test(`mock ${key}: ${name}`, () => played(key, kind, options, body));
  }
}
async function played<T>(
  key: string,
  kind: MockKind,
  options: Partial<MockOptions>,
  body: (stage: Stage) => Promise<T>,
): Promise<T> {
  const clock = new TurnClock();
  return await clock.drive((async () => {
    await using venue = await openMock(kind, options, clock);
    const feed = FEEDS[key];
    const connect = () => FeedClient.open(feed, clock, venue.ws_url, venue.symbols, kind.channels);
    return await body({ venue, clock, feed, kind, connect });
  })());
}
function openMock(kind: MockKind, options: Partial<MockOptions>, clock: TurnClock): Promise<MockVenue> {
  return kind.open({
    listen: "127.0.0.1:0",
    symbols: [],
    speed: SPEED,
    faults: [],
    seed: "contract",
    rate_per_s: 60,
    start_delay_ms: 1_000,
    ...options,
  }, { clock, log: silentLog, signal: new AbortController().signal });
}

eachMock("has a feed of its name, and says what it is", {}, async ({ kind, feed, venue }) => {
  assert.equal(MOCKS[kind.name], kind);
  assert.equal(feed?.name, kind.name);
  assert.match(kind.summary, /^\S.{3,78}[^.\s]$/);
  assert.ok(kind.channels.length > 0 && kind.channels.every((one) => feed.channels.includes(one)));
  assert.ok(kind.faults.every((one) => FAULTS.includes(one)));
  assert.equal(kind.faults.some((one) => REST_FAULTS.includes(one)), feed.snapshot !== undefined);
  assert.ok(venue.symbols.length > 1);
  assert.deepEqual(venue.symbols.map((one) => feed.symbol(one)), venue.symbols);
  assert.equal(await Promise.resolve(venue.state("NO:SUCH-SYMBOL")), undefined);
});

eachMock("waits for a subscriber, sells every channel, ends; each frame is understood", {
  duration_ms: DURATION_MS,
}, async ({ venue, connect, kind, clock }) => {
  await sleep(clock, 2_000);
  assert.equal(venue.stats().started, false);
  const client = await connect();
  await venue.finished;
  await sleep(clock, 100);
  assert.deepEqual(client.complaints, []);
  for (const channel of kind.channels) assert.ok(client.count(channel) > 0, `${channel}: nothing came`);
  if (kind.channels.includes("trades")) {
    const told = venue.symbols.reduce((sum, one) => sum + venue.state(one)!.trades!, 0);
    assert.equal(client.count("trades"), told);
  }
  for (const { symbol } of client.events) assert.ok(venue.symbols.includes(String(symbol)), `${symbol}`);
  assert.equal(venue.stats().finished, true);
  await client.close();
});

for (const [key, kind] of Object.entries(MOCKS)) {
  Deno.test(`mock ${key}: equal seeds give equal markets and equal faults`, async () => {
    for (const faults of [[], [{ name: "drop", rate: 0.2 }, { name: "corrupt", rate: 0.2 }] as const]) {
      const runs: Awaited<ReturnType<typeof play>>[] = [];
      for (const seed of ["a", "a", "b"]) {
        runs.push(await play(key, kind, { duration_ms: 3_000, faults, seed }));
      }
      const [one, again, other] = runs;
      assert.deepEqual(again.injected, one.injected);
      if (faults.length > 0) assert.ok(one.injected.drop > 0 && one.injected.corrupt > 0);
      else {
        assert.deepEqual(again.facts, one.facts);
        assert.notDeepEqual(other.facts, one.facts);
      }
    }
  });
}
/** What the venue said of its market, without what depends on the moment of saying; in order per kind and symbol. */
function play(key: string, kind: MockKind, options: Partial<MockOptions>) {
  return played(key, kind, options, async ({ connect, venue, clock }) => {
    const client = await connect();
    await venue.finished;
    await sleep(clock, 100);
    await client.close();
    const facts = client.events.map((event) =>
      JSON.stringify(event, (name, value) => /_id$|^received_us$|^sent_ms$/.test(name) ? undefined : value)
    );
    const by_stream = Map.groupBy(facts, (one) => one.slice(0, one.indexOf(",", one.indexOf("symbol"))));
    return { facts: [...by_stream].sort(([a], [b]) => a < b ? -1 : 1), injected: venue.stats().injected };
  });
}

eachMock("an unsubscribed stream falls silent, and comes back when asked for", {}, async (stage) => {
  const { connect, clock, feed, venue, kind } = stage;
  const client = await connect();
  await sleep(clock, 1_500);
  await client.unsubscribe();
  await sleep(clock, 500);
  const heard = client.events.length;
  assert.ok(heard > 0);
  await sleep(clock, 3_000);
  assert.equal(client.events.length, heard, "events of streams that nobody wants any more");
  assert.deepEqual(client.complaints, []);
  await client.close();
  const again = await FeedClient.open(feed, clock, venue.ws_url, venue.symbols, kind.channels);
  await sleep(clock, 1_500);
  assert.ok(again.events.length > 0);
  await again.close();
});

eachMock("nonsense and a vanished client harm nobody else", {}, async ({ connect, clock, venue }) => {
  const good = await connect();
  const bad = await connect();
  for (const text of NONSENSE) {
    bad.say(text);
    await sleep(clock, 300);
  }
  const gone = await connect();
  await gone.close();
  const heard = good.events.length;
  await sleep(clock, 1_500);
  assert.ok(good.events.length > heard);
  assert.deepEqual(good.complaints, []);
  assert.equal(venue.stats().slow_clients_cut, 0);
  await Promise.all([good.close(), bad.close()]);
});
const NONSENSE = [
  ...["", "{", "null", "[]", "{}", "42", '"x"', '{"method":7}', '{"op":{}}', '{"type":null}', "ping me"],
  '{"method":"SUBSCRIBE","params":[{}],"id":-1}',
  '{"jsonrpc":"2.0","id":{},"method":"public/subscribe","params":{"channels":5}}',
  '{"eventName":"subscribe","eventData":7}',
  '{"subscribe":[null,7,{}]}',
  "[".repeat(5_000),
  new Uint8Array([0, 255, 254, 1]),
];

eachMock("the feed's keep-alive is taken", {}, async ({ connect, clock, feed }) => {
  if (!feed.keep_alive) return;
  const client = await connect();
  client.keepAlive();
  await sleep(clock, 500);
  assert.deepEqual(client.complaints, []);
  assert.equal(client.closed_with, undefined);
  await client.close();
});

eachMock("REST answers what the feed asks: the book as it is, instruments with their grid", {
  duration_ms: DURATION_MS,
}, async ({ connect, venue, feed }) => {
  if (!feed.snapshot && !feed.instruments) return;
  const client = await connect();
  await venue.finished;
  for (const symbol of feed.snapshot ? venue.symbols : []) {
    const { depth_limit } = feed.snapshot!.sizes[0];
    const body = await fetchBytes(venue.rest_url + feed.snapshot!.path(symbol, depth_limit));
    const batch = new EventBatch();
    assert.equal(feed.snapshot!.parse(body, symbol, 1, batch, depth_limit), undefined);
    const [snapshot] = batch.events;
    assert.equal(snapshot.kind, "book_snapshot");
    if (snapshot.kind !== "book_snapshot") return;
    const { bids, asks, last_id } = venue.state(symbol)!;
    const want = bookOf(bids, asks);
    const found = bookOf(levelsOf(snapshot.bids), levelsOf(snapshot.asks));
    assert.equal(firstDifference(found.bids, want.bids), undefined);
    assert.equal(firstDifference(found.asks, want.asks), undefined);
    assert.equal(venue.stats().last_update_ids[symbol], last_id);
  }
  if (feed.instruments) {
    const body = await fetchBytes(venue.rest_url + feed.instruments.path(venue.symbols));
    const found = feed.instruments.parse(body, venue.symbols);
    assert.ok(Array.isArray(found), String(found));
    assert.deepEqual(found.map((one) => one.symbol).toSorted(), [...venue.symbols].toSorted());
    for (const { price_tick } of found) assert.match(price_tick ?? "", /^(0\.0*)?1$|^\d+(\.\d+)?$/);
  }
  await client.close();
});
async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return new Uint8Array(await response.arrayBuffer());
}
function levelsOf(
  { prices, quantities, size }: { prices: Float64Array; quantities: Float64Array; size: number },
) {
  return Array.from({ length: size }, (_, i) => [String(prices[i]), String(quantities[i])] as const);
}

eachMock(
  "statistics by HTTP, other paths and faults that cannot happen refused, a taken port told",
  {},
  async (stage) => {
    const { venue, kind, clock } = stage;
    const stats = JSON.parse(new TextDecoder().decode(await fetchBytes(`${venue.rest_url}/mock/stats`)));
    assert.equal(stats.venue, kind.name);
    const response = await fetch(`${venue.rest_url}/no/such/path`);
    await response.body?.cancel();
    assert.ok(response.status >= 400, `${response.status}`);
    const lost = new FeedClient(stage.feed, clock);
    await assert.rejects(lost.openPath(`${venue.ws_url}/no/such/path`), /404/);
    for (const fault of FAULTS.filter((one) => !kind.faults.includes(one))) {
      await assert.rejects(openMock(kind, { faults: [fault] }, clock), new RegExp(`inject fault "${fault}"`));
    }
    const listen = venue.ws_url.slice("ws://".length);
    await assert.rejects(openMock(kind, { listen }, clock), new RegExp(`listen on ${listen}`));
  },
);
