/** Faults on the wire: repeatable to the byte, each of its own kind, and over when the faulty part is. */
import assert from "node:assert/strict";
import { parseFaults } from "../../../../lib/mocks/fault_spec.ts";
import type { MockStats } from "../../../../lib/mocks/mock.ts";
import { askBook, openVenue, readFixture, VenueClient } from "./venue_client.ts";

const SPOT = "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade";

/** Plays the spot fixture to one client; the last frames before the end always come, faults being over. */
async function play(faults: string[], seed = "1"): Promise<{ frames: string[]; stats: MockStats }> {
  await using venue = await openVenue("binance-spot", { faults: parseFaults(faults), seed });
  const client = await VenueClient.open(venue.ws_url + SPOT);
  await Promise.all([askBook(venue), venue.finished]);
  if (client.socket.readyState === client.socket.OPEN) await client.ask("LIST_SUBSCRIPTIONS");
  const frames = client.data;
  await client.close();
  return { frames, stats: venue.stats() };
}

Deno.test("equal seeds give equal bytes and counts, another seed does not", async () => {
  const faults = ["drop=0.02", "duplicate=0.02", "reorder=0.02", "corrupt=0.02", "delay=0.01"];
  const first = await play(faults, "a");
  const again = await play(faults, "a");
  assert.deepEqual(again.frames, first.frames);
  assert.deepEqual(again.stats.injected, first.stats.injected);
  for (const name of ["drop", "duplicate", "reorder", "corrupt", "delay"] as const) {
    assert.ok(first.stats.injected[name] > 0, name);
  }
  assert.notDeepEqual((await play(faults, "b")).frames, first.frames);
});

Deno.test("drop loses, duplicate repeats, reorder swaps, delay changes nothing but the time", async () => {
  const clean = (await play([])).frames;
  assert.equal(clean.length, 1083);
  const dropped = await play(["drop=0.05"]);
  assert.equal(dropped.frames.length, clean.length - dropped.stats.injected.drop);
  assert.ok(dropped.stats.injected.drop > 20);

  const doubled = await play(["duplicate=0.05"]);
  assert.equal(doubled.frames.length, clean.length + doubled.stats.injected.duplicate);
  assert.deepEqual(doubled.frames.filter((frame, i) => frame !== doubled.frames[i - 1]), clean);

  const swapped = await play(["reorder=0.05"]);
  assert.deepEqual(swapped.frames.toSorted(), clean.toSorted());
  assert.notDeepEqual(swapped.frames, clean);

  const delayed = await play(["delay=0.05"]);
  assert.ok(delayed.stats.injected.delay > 0);
  assert.deepEqual(delayed.frames, clean);
});

Deno.test("corrupt replaces or precedes frames; the tail is clean", async () => {
  const clean = (await play([])).frames;
  const { frames, stats } = await play(["corrupt=0.05"]);
  assert.ok(stats.injected.corrupt > 20);
  const intact = new Set(clean);
  assert.ok(frames.filter((frame) => !intact.has(frame)).length >= stats.injected.corrupt * 0.5);
  assert.deepEqual(frames.slice(-90), clean.slice(-90));
});

Deno.test("disconnect destroys the connection while the market goes on", async () => {
  await using venue = await openVenue("binance-spot", { faults: parseFaults(["disconnect=0.05"]) });
  const client = await VenueClient.open(venue.ws_url + SPOT);
  assert.equal(await client.closed, 1006);
  await Promise.all([askBook(venue), venue.finished]);
  assert.equal(venue.stats().injected.disconnect, 1);
  assert.equal(venue.stats().position, venue.stats().total);
});

Deno.test("stall says nothing until the faulty part is over, then goes on", async () => {
  const clean = (await play([])).frames;
  const { frames, stats } = await play(["stall=0.05"]);
  assert.equal(stats.injected.stall, 1);
  assert.ok(frames.length < clean.length * 0.5);
  assert.deepEqual(frames.slice(-108), clean.slice(-108));
});

Deno.test("a stalled trades connection resumes with the calm part's trades, if there are any", async () => {
  const frames = await readFixture("binance-futures");
  const trades = (from: number) => frames.slice(from).filter((one) => one.includes('"e":"trade"')).length;
  for (const share of [0.5, 0.9]) {
    const options = { faults: parseFaults(["stall=1"]), fault_until: share };
    await using venue = await openVenue("binance-futures", options);
    const book = await VenueClient.open(`${venue.ws_url}/public/stream?streams=btcusdt@depth`);
    const market = await VenueClient.open(`${venue.ws_url}/market/stream?streams=btcusdt@aggTrade`);
    await Promise.all([askBook(venue), venue.finished]);
    await market.ask("LIST_SUBSCRIPTIONS");
    assert.equal(venue.stats().injected.stall, 2);
    assert.equal(market.data.length, trades(Math.ceil(frames.length * share)), `from ${share}`);
    await Promise.all([book.close(), market.close()]);
  }
  // What once looked like a connection that stays stalled: the fixture's last trade comes before its last tenth.
  assert.deepEqual([trades(Math.ceil(frames.length * 0.9)), trades(Math.ceil(frames.length * 0.5)) > 20], [
    0,
    true,
  ]);
});

Deno.test("a lying ack acknowledges and carries nothing until the faulty part is over", async () => {
  const clean = (await play([])).frames;
  const { frames, stats } = await play(["lying-ack=1"]);
  assert.equal(stats.injected["lying-ack"], 3);
  assert.deepEqual(frames, clean.slice(-frames.length));
  assert.ok(frames.length <= 109);
});

Deno.test("redundant connections do not lose the same frames", async () => {
  await using venue = await openVenue("binance-futures", { faults: parseFaults(["drop=0.1"]) });
  const market = await VenueClient.open(`${venue.ws_url}/market/stream`);
  const [first, second] = [
    await VenueClient.open(`${venue.ws_url}/public/stream?streams=btcusdt@bookTicker`),
    await VenueClient.open(`${venue.ws_url}/public/stream?streams=btcusdt@bookTicker`),
  ];
  await first.ask("SUBSCRIBE", ["btcusdt@depth"]);
  await market.ask("SUBSCRIBE", ["btcusdt@aggTrade"]);
  await Promise.all([askBook(venue), venue.finished]);
  for (const one of [first, second]) await one.ask("LIST_SUBSCRIPTIONS");
  const quotes = (one: VenueClient) => one.data.filter((frame) => frame.includes("bookTicker"));
  assert.notDeepEqual(quotes(first), quotes(second));
  await Promise.all([market, first, second].map((one) => one.close()));
});
