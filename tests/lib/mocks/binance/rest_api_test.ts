/** The REST side: answers, errors, weights, and books equal to an oracle computed from the fixture itself. */
import assert from "node:assert/strict";
import { get, openVenue, readFixture, VenueClient, type VenueName } from "./venue_client.ts";

const BASES = { "binance-futures": "/fapi/v1", "binance-spot": "/api/v3" } as const;
const STREAMS = {
  "binance-futures": "/public/ws/btcusdt@depth@100ms",
  "binance-spot": "/ws/btcusdt@depth",
} as const;

for (const name of ["binance-futures", "binance-spot"] as const) {
  Deno.test(`${name}: a depth request before the snapshot waits for it; the final book equals the oracle`, async () => {
    await using venue = await openVenue(name, { start_delay_ms: 0 });
    const url = `${venue.rest_url}${BASES[name]}/depth?symbol=BTCUSDT&limit=1000`;
    const early = get(url);
    const client = await VenueClient.open(venue.ws_url + STREAMS[name]);
    const { status, body } = await early;
    assert.equal(status, 200);
    const snapshot = (await readFixture(name)).find((frame) => frame.startsWith('{"lastUpdateId"'))!;
    assert.ok(Number(body.lastUpdateId) >= JSON.parse(snapshot).lastUpdateId);
    await venue.finished;
    assert.deepEqual((await get(url)).body, await finalBook(name));
    const five = (await get(url.replace("1000", "5"))).body as { bids: unknown[] };
    assert.deepEqual(five.bids, (await finalBook(name)).bids.slice(0, 5));
    await client.close();
  });
}

Deno.test("errors carry the venue's codes", async () => {
  await using futures = await openVenue("binance-futures");
  const code = async (path: string) => {
    const { status, body } = await get(futures.rest_url + path);
    return [status, body.code];
  };
  assert.deepEqual(await code("/fapi/v1/depth?symbol=NOPE"), [400, -1121]);
  assert.deepEqual(await code("/fapi/v1/depth?symbol=btcusdt"), [400, -1121]);
  assert.deepEqual(await code("/fapi/v1/depth"), [400, -1102]);
  assert.deepEqual(await code("/fapi/v1/depth?symbol=BTCUSDT&limit=7"), [400, -4021]);
  assert.deepEqual(await code("/fapi/v1/depth?symbol=BTCUSDT&limit=x"), [400, -1100]);
  assert.equal((await code("/api/v3/depth?symbol=BTCUSDT"))[0], 404);
});

Deno.test("exchangeInfo lists the capture's symbols with ticks, and weights add up until 429 and 418", async () => {
  await using spot = await openVenue("binance-spot");
  const url = `${spot.rest_url}/api/v3/exchangeInfo`;
  const { body, headers } = await get(url);
  assert.equal(headers.get("x-mbx-used-weight-1m"), "20");
  const [symbol] = body.symbols as Record<string, unknown>[];
  assert.deepEqual([symbol.symbol, symbol.baseAsset, symbol.quoteAsset, symbol.status], [
    "BTCUSDT",
    "BTC",
    "USDT",
    "TRADING",
  ]);
  assert.deepEqual(symbol.filters, [
    { filterType: "PRICE_FILTER", tickSize: "0.01" },
    { filterType: "LOT_SIZE", stepSize: "0.00001", minQty: "0.00001" },
  ]);
  const seen = new Map<number, number>();
  let refused: Headers | undefined;
  // 6000 a minute at 20 each; a minute that ends in between starts the count anew.
  for (let i = 0; i < 700 && !seen.has(418); i++) {
    const { status, headers } = await get(url);
    seen.set(status, (seen.get(status) ?? 0) + 1);
    if (status === 429) refused = headers;
  }
  assert.ok(seen.get(200)! >= 299 && seen.get(429)! >= 20 && seen.has(418), JSON.stringify([...seen]));
  assert.ok(Number(refused!.get("retry-after")) >= 1);
});

Deno.test("fault 429 refuses with Retry-After; a late answer comes, and may be an earlier one", async () => {
  await using refusing = await openVenue("binance-spot", { faults: [{ name: "429", rate: 1 }] });
  const { status, headers, body } = await get(`${refusing.rest_url}/api/v3/depth?symbol=BTCUSDT`);
  assert.deepEqual([status, body.code, headers.get("retry-after")], [429, -1003, "1"]);
  assert.equal(refusing.stats().injected["429"], 1);

  await using late = await openVenue("binance-spot", {
    faults: [{ name: "late-snapshot", rate: 1 }],
    fault_until: 1,
  });
  const first = get(`${late.rest_url}/api/v3/depth?symbol=BTCUSDT`);
  const client = await VenueClient.open(`${late.ws_url}/ws/btcusdt@depth`);
  assert.ok(Number((await first).body.lastUpdateId) > 0);
  await late.finished;
  assert.equal(late.stats().injected["late-snapshot"], 1);
  await client.close();
});

Deno.test("/mock/stats tells what was served", async () => {
  await using venue = await openVenue("binance-futures");
  const { body } = await get(`${venue.rest_url}/mock/stats`);
  assert.deepEqual(body, JSON.parse(JSON.stringify(venue.stats())));
  assert.equal(body.venue, "binance-futures");
});

/** Replays the fixture in the plainest way: no sequence rules are needed where no diff is missing. */
async function finalBook(name: VenueName): Promise<{ bids: string[][]; asks: string[][] }> {
  const frames = (await readFixture(name)).map((frame) => JSON.parse(frame));
  const snapshot = frames.find((one) => one.lastUpdateId !== undefined);
  const bids = new Map<string, string>(snapshot.bids);
  const asks = new Map<string, string>(snapshot.asks);
  let last = { E: 0, T: 0, u: 0 };
  for (const { data } of frames.filter((one) => one.data?.e === "depthUpdate")) {
    if (data.u <= snapshot.lastUpdateId) continue;
    for (const [price, quantity] of data.b) bids.set(price, quantity);
    for (const [price, quantity] of data.a) asks.set(price, quantity);
    last = data;
  }
  const levels = (side: Map<string, string>, direction: number) =>
    [...side].filter(([, quantity]) => Number(quantity) > 0)
      .sort(([a], [b]) => direction * (Number(a) - Number(b)));
  const times = name === "binance-futures" ? { E: last.E, T: last.T } : {};
  return { lastUpdateId: last.u, ...times, bids: levels(bids, -1), asks: levels(asks, 1) } as never;
}
