/** The kit on a toy venue: subscriptions, openings, views of a depth, numbering before faults, REST, limits, the end. */
import assert from "node:assert/strict";
import { nextTurn } from "../../../../lib/base/clock.ts";
import { type Level, type MockVenue, STREAM_FAULTS } from "../../../../lib/mocks/mock.ts";
import { StageClient } from "./stage_client.ts";
import { manualToy, openToy, TOY_DEPTH, toyChecksum } from "./toy_venue.ts";

interface ToyFrame {
  n: number;
  type: "snapshot" | "update";
  bids: Level[];
  asks: Level[];
  sum: string;
}

/** What a right client of the toy holds; returns frames that its checksum or numbering refused. */
class ToyBook {
  bids: Level[] = [];
  asks: Level[] = [];
  n = 0;
  updates = 0;

  copy(): ToyBook {
    return Object.assign(new ToyBook(), this);
  }
  take({ n, type, bids, asks, sum }: ToyFrame): boolean {
    const follows = n === this.n + 1 || this.n === 0;
    this.n = n;
    if (type === "snapshot") this.bids = this.asks = [];
    else this.updates++;
    this.bids = put(this.bids, bids, -1);
    this.asks = put(this.asks, asks, 1);
    return follows && toyChecksum(this) === sum;
  }
}
function put(side: readonly Level[], changes: readonly Level[], direction: number): Level[] {
  const levels = new Map(side);
  for (const [price, quantity] of changes) {
    if (Number(quantity) === 0) levels.delete(price);
    else levels.set(price, quantity);
  }
  return [...levels].sort((a, b) => direction * (Number(a[0]) - Number(b[0]))).slice(0, TOY_DEPTH);
}

async function play(venue: MockVenue, ...wanted: string[]): Promise<StageClient> {
  const client = await StageClient.open(`${venue.ws_url}/toy`);
  for (const one of wanted) client.send(`+${one}`);
  await venue.finished;
  client.send("sync");
  await client.until((text) => text.includes('"sync"'));
  return client;
}
function books(client: StageClient): ToyFrame[] {
  return client.texts.filter((one) => one.startsWith('{"n":')).map((one) => JSON.parse(one));
}

Deno.test("an opening comes behind its acknowledgement, then every change; the view ends as the venue's own top", async () => {
  await using venue = await openToy();
  const client = await play(venue, "book:AAAUSD", "trade:AAAUSD", "quote:AAAUSD", "ticker:AAAUSD");
  assert.deepEqual(client.texts.slice(0, 2), ['{"hello":"toy"}', '{"ack":"+book:AAAUSD"}']);
  const [opening, ...updates] = books(client);
  assert.equal(opening.type, "snapshot");
  const book = new ToyBook();
  assert.deepEqual([opening, ...updates].filter((one) => !book.take(one)), []);
  assert.ok(book.updates > 50, `${book.updates} updates`);
  const state = venue.state("AAAUSD")!;
  assert.deepEqual([book.bids, book.asks], [state.bids.slice(0, 5), state.asks.slice(0, 5)]);
  assert.equal(client.binary.length, state.trades);
  const quote = JSON.parse(client.texts.findLast((one) => one.includes('"kind":"quote"'))!);
  assert.deepEqual([quote.bid, quote.ask], [state.quote!.bid, state.quote!.ask]);
  assert.deepEqual([quote.bid, quote.ask], [state.bids[0], state.asks[0]]);
  const tickers = client.texts.filter((one) => one.includes('"kind":"ticker"')).map((one) => JSON.parse(one));
  assert.equal(tickers.length, 10);
  assert.equal(tickers.at(-1).trade_count, state.trades);
  await client.close();
});

Deno.test("numbers and checksums are taken before the fault: a dropped frame shows as a gap", async () => {
  await using venue = await openToy({ faults: [{ name: "drop", rate: 0.1 }] });
  const client = await play(venue, "book:AAAUSD");
  const frames = books(client);
  const missing = frames.at(-1)!.n - frames.length;
  assert.ok(missing > 3);
  assert.equal(missing, venue.stats().injected.drop);
  await client.close();
});

Deno.test("a corrupted digit is well formed and refused by the checksum at that very frame", async () => {
  let miscounted = 0;
  for (const seed of ["1", "2", "3"]) {
    await using clean_venue = await openToy({ seed });
    const clean = await play(clean_venue, "book:AAAUSD");
    await using venue = await openToy({ seed, faults: [{ name: "corrupt", rate: 0.3 }] });
    const spoilt = await play(venue, "book:AAAUSD");
    const book = new ToyBook();
    for (const frame of books(clean)) {
      const truth = JSON.stringify(frame);
      for (const text of spoilt.texts) {
        if (text === truth || !text.startsWith(`{"n":${frame.n},"symbol"`)) continue;
        const other = wellFormed(text);
        if (other === undefined) continue;
        assert.equal(book.copy().take(other), false, text);
        miscounted++;
      }
      assert.equal(book.take(frame), true);
    }
    await Promise.all([clean.close(), spoilt.close()]);
  }
  assert.ok(miscounted > 10, `${miscounted} miscounted`);
});

/** Undefined for a frame that a reader refuses anyway. */
function wellFormed(text: string): ToyFrame | undefined {
  try {
    const frame = JSON.parse(text);
    return Array.isArray(frame.bids) && Array.isArray(frame.asks) && Number.isInteger(frame.n)
      ? frame
      : undefined;
  } catch {
    return undefined;
  }
}

Deno.test("a lying acknowledgement brings no opening; asking again is drawn anew", async () => {
  await using venue = await openToy({ faults: [{ name: "lying-ack", rate: 0.5 }], start_delay_ms: 60_000 });
  const client = await StageClient.open(`${venue.ws_url}/toy`);
  for (let i = 0; i < 8; i++) {
    client.send("+book:AAAUSD");
    client.send("-book:AAAUSD");
  }
  client.send("sync");
  await client.until((text) => text.includes('"sync"'));
  const lies = venue.stats().injected["lying-ack"];
  assert.ok(lies > 0 && lies < 8, `${lies} lies`);
  assert.equal(books(client).length, 8 - lies);
  await client.close();
});

Deno.test("REST answers with the book, has faults and a budget; other paths are not there", async () => {
  await using venue = await openToy({ faults: [{ name: "429", rate: 1 }], fault_until: 0 });
  const get = async (path: string) => {
    const response = await fetch(venue.rest_url + path);
    return [response.status, await response.json(), response.headers.get("retry-after")];
  };
  assert.deepEqual(await get("/?symbol=AAAUSD"), [429, { error: 429 }, "1"]);
  assert.deepEqual((await get("/?symbol=NOPE"))[0], 404);
  const client = await play(venue, "book:AAAUSD");
  const [status, body] = await get("/?symbol=AAAUSD");
  const { last_id, bids } = venue.state("AAAUSD")!;
  assert.deepEqual([status, body.id, body.bids], [200, last_id, bids.slice(0, 5)]);
  for (let i = 0; i < 3; i++) assert.equal((await get("/?symbol=AAAUSD"))[0], 200);
  assert.equal((await get("/?symbol=AAAUSD"))[0], 429);
  await assert.rejects(StageClient.open(`${venue.ws_url}/elsewhere`), /404/);
  await client.close();
});

Deno.test("a client that subscribes nothing, or says nothing, is closed; heartbeats come on time", async () => {
  const { clock, venue: opening } = manualToy();
  await using venue = await opening;
  const idle = await StageClient.open(`${venue.ws_url}/toy`);
  const silent = await StageClient.open(`${venue.ws_url}/toy`);
  silent.send("+quote:AAAUSD");
  await silent.until((text) => text.startsWith('{"ack"'));
  clock.advance(5_000);
  assert.equal(await idle.closed, 1008);
  assert.equal(idle.texts.filter((one) => one.includes("beat")).length, 4);
  while (venue.stats().clients > 1) await nextTurn();
  clock.advance(61_000);
  // The market moves on by timers of the same clock.
  let is_closed = false;
  silent.closed.then(() => is_closed = true);
  while (!is_closed) {
    clock.advance(1_000);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  }
  assert.equal(await silent.closed, 1008);
});

Deno.test("a finite market waits, ends at its time, and says farewell", async () => {
  const venue = await openToy({ duration_ms: 3_000 });
  assert.deepEqual([venue.stats().started, venue.stats().total], [false, undefined]);
  const client = await play(venue, "ticker:AAAUSD");
  assert.equal(client.texts.filter((one) => one.includes('"kind":"ticker"')).length, 3);
  await venue[Symbol.asyncDispose]();
  assert.equal(await client.closed, 1001);
  assert.equal(client.texts.at(-1), '{"bye":true}');
});

Deno.test("without books the last quote and ticker are said again after the end, for who comes late", async () => {
  await using venue = await openToy({}, undefined, { channels: ["quote", "ticker"] });
  await (await play(venue, "quote:AAAUSD")).close();
  const late = await StageClient.open(`${venue.ws_url}/toy`);
  late.send("+quote:AAAUSD");
  await late.until((text) => text.includes('"kind":"quote"'));
  late.send("+ticker:AAAUSD");
  await late.until((text) => text.includes('"kind":"ticker"'));
  const [quote, ticker] = ["quote", "ticker"].map((kind) =>
    JSON.parse(late.texts.findLast((one) => one.includes(`"kind":"${kind}"`))!)
  );
  const state = venue.state("AAAUSD")!;
  assert.deepEqual([state.bids, state.asks], [[], []]);
  assert.deepEqual([quote.bid, quote.ask, ticker.last[0]], [
    state.quote!.bid,
    state.quote!.ask,
    state.last_price,
  ]);
  await late.close();
});

Deno.test("a fault that cannot happen is refused with what can", async () => {
  const opening = openToy({ faults: ["429"] }, undefined, { faults: STREAM_FAULTS });
  await assert.rejects(opening, /inject fault "429": cannot happen at toy, want drop, /);
});

Deno.test("a capture and a name that is no symbol are refused in words", async () => {
  await assert.rejects(openToy({ capture: "some.gz" }), /open mock toy: it plays no captures/);
  await assert.rejects(openToy({ symbols: ["no symbol!"] }), /"NO SYMBOL!": not a symbol/);
});
