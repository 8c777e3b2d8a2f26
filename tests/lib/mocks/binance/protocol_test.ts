/** The mock speaks the venue's protocol: routes, framings, control messages, limits, shutdown. Client: npm ws. */
import assert from "node:assert/strict";
import { askBook, openVenue, readFixture, VenueClient } from "./venue_client.ts";

Deno.test("futures: both routes deliver their streams, combined, under the subscribed name", async () => {
  await using venue = await openVenue("binance-futures");
  const open = await VenueClient.open(`${venue.ws_url}/public/stream`);
  const market = await VenueClient.open(`${venue.ws_url}/market/stream?streams=btcusdt@aggTrade`);
  assert.deepEqual(await open.ask("SUBSCRIBE", ["btcusdt@depth@500ms", "btcusdt@bookTicker"]), {
    result: null,
    id: 1,
  });
  const frames = await readFixture("binance-futures");
  const count = (suffix: string) =>
    frames.filter((one) => one.startsWith(`{"stream":"btcusdt@${suffix}`)).length;
  const last = frames.findLast((one) => one.includes("depthUpdate"))!.replace("@depth@0ms", "@depth@500ms");
  await askBook(venue);
  if (!open.frames.includes(last)) await open.next((frame) => frame === last);
  await venue.finished;
  const heard = (suffix: string) =>
    open.data.filter((one) => one.startsWith(`{"stream":"btcusdt@${suffix}"`)).length;
  assert.equal(heard("depth@500ms"), count("depth"));
  assert.equal(heard("bookTicker"), count("bookTicker"));
  while (market.data.length < count("trade")) await market.next();
  const trade = JSON.parse(frames.find((one) => one.includes('"e":"trade"'))!).data;
  const aggregate = JSON.parse(market.data[0]);
  assert.equal(aggregate.stream, "btcusdt@aggTrade");
  assert.deepEqual(aggregate.data, {
    e: "aggTrade",
    E: trade.E,
    s: "BTCUSDT",
    st: 1,
    a: trade.t,
    p: trade.p,
    q: trade.q,
    nq: trade.q,
    f: trade.t,
    l: trade.t,
    T: trade.T,
    m: trade.m,
  });
  await Promise.all([open.close(), market.close()]);
});

Deno.test("futures: a stream on the wrong route or none is acknowledged and silent", async () => {
  await using venue = await openVenue("binance-futures", { start_delay_ms: 0 });
  const wrong = await VenueClient.open(`${venue.ws_url}/market/stream`);
  const unrouted = await VenueClient.open(`${venue.ws_url}/ws`);
  const right = await VenueClient.open(`${venue.ws_url}/public/ws/btcusdt@trade`);
  for (const client of [wrong, unrouted]) {
    const answer = await client.ask("SUBSCRIBE", ["btcusdt@depth", "btcusdt@bookTicker"]);
    assert.deepEqual(answer, { result: null, id: 1 });
    assert.deepEqual((await client.ask("LIST_SUBSCRIPTIONS")).result, [
      "btcusdt@depth",
      "btcusdt@bookTicker",
    ]);
  }
  assert.equal(venue.stats().started, false);
  await right.ask("SUBSCRIBE", ["btcusdt@depth", "BTCUSDT@bookTicker", "nosuchusdt@bookTicker"]);
  await Promise.all([askBook(venue), venue.finished]);
  for (const client of [wrong, unrouted]) await client.ask("LIST_SUBSCRIPTIONS");
  assert.deepEqual([...wrong.data, ...unrouted.data], []);
  // The answer comes behind whatever was sent before it.
  await right.ask("LIST_SUBSCRIPTIONS");
  assert.ok(right.data.length > 0 && right.data.every((one) => one.startsWith('{"e":"depthUpdate"')));
  await Promise.all([wrong, unrouted, right].map((one) => one.close()));
});

Deno.test("properties, unsubscription and errors answer as the venue does", async () => {
  await using venue = await openVenue("binance-spot");
  const client = await VenueClient.open(`${venue.ws_url}/ws`);
  assert.equal((await client.ask("GET_PROPERTY", ["combined"])).result, false);
  assert.equal((await client.ask("SET_PROPERTY", ["combined", true])).result, null);
  assert.equal((await client.ask("GET_PROPERTY", ["combined"])).result, true);
  const other = await VenueClient.open(`${venue.ws_url}/stream?streams=btcusdt@trade/ethusdt@trade`);
  assert.equal((await other.ask("UNSUBSCRIBE", ["ethusdt@trade"])).result, null);
  assert.deepEqual((await other.ask("LIST_SUBSCRIPTIONS")).result, ["btcusdt@trade"]);
  const refused = other.next();
  other.send("{nonsense");
  assert.equal(JSON.parse(await refused).code, 3);
  await Promise.all([client.close(), other.close()]);
});

Deno.test("more than 1024 streams are refused; too many messages close the connection", async () => {
  await using venue = await openVenue("binance-spot");
  const client = await VenueClient.open(`${venue.ws_url}/stream`);
  const many = Array.from({ length: 1025 }, (_, i) => `s${i}@trade`);
  assert.equal((await client.ask("SUBSCRIBE", many)).code, 2);
  assert.equal((await client.ask("SUBSCRIBE", many.slice(1))).result, null);
  for (let i = 0; i < 5; i++) client.send('{"method":"LIST_SUBSCRIPTIONS","id":99}');
  assert.equal(await client.closed, 1008);
});

Deno.test("an unknown path is refused at the handshake; a ping is answered", async () => {
  await using venue = await openVenue("binance-spot");
  await assert.rejects(VenueClient.open(`${venue.ws_url}/public/ws`), /404/);
  const client = await VenueClient.open(`${venue.ws_url}/ws`);
  const pong = new Promise<string>((resolve) =>
    client.socket.once("pong", (data: Uint8Array) => resolve(data.toString()))
  );
  client.socket.ping("echo");
  assert.equal(await pong, "echo");
  await client.close();
});

Deno.test("spot says serverShutdown before it closes, futures just closes", async () => {
  for (const name of ["binance-spot", "binance-futures"] as const) {
    await using venue = await openVenue(name);
    const raw = await VenueClient.open(`${venue.ws_url}/ws`);
    const combined = await VenueClient.open(`${venue.ws_url}/stream`);
    venue.stop.abort();
    assert.equal(await raw.closed, 1001);
    assert.equal(await combined.closed, 1001);
    if (name === "binance-spot") {
      assert.match(raw.frames.at(-1)!, /^\{"e":"serverShutdown","E":\d+\}$/);
      assert.match(combined.frames.at(-1)!, /^\{"stream":"!serverShutdown","data":\{"e":"serverShutdown"/);
    } else assert.deepEqual(raw.frames, []);
  }
});

Deno.test("a capture waits for its subscriber, ends with sockets open, and late clients get the final book", async () => {
  await using venue = await openVenue("binance-spot");
  assert.deepEqual([venue.stats().started, venue.stats().total], [false, 1084]);
  const client = await VenueClient.open(`${venue.ws_url}/ws/btcusdt@depth`);
  await Promise.all([askBook(venue), venue.finished]);
  const stats = venue.stats();
  assert.deepEqual([stats.position, stats.finished, stats.clients, stats.capture_gaps], [1084, true, 1, 0]);
  assert.equal((await client.ask("GET_PROPERTY", ["combined"])).result, false);
  await client.close();
});

Deno.test("a capture of the other market, a missing one and a taken port are refused in words", async () => {
  const { fixturePath } = await import("./venue_client.ts");
  await assert.rejects(
    openVenue("binance-spot", { capture: fixturePath("binance-futures") }),
    /with pu, want binance-spot/,
  );
  await assert.rejects(openVenue("binance-spot", { capture: "nowhere.gz" }), /"nowhere.gz": no such file/);
  await assert.rejects(openVenue("binance-spot", { symbols: ["ethusdt"] }), /no depth frames of ETHUSDT/);
  await assert.rejects(openVenue("binance-spot", { listen: "here" }), /"here": not an address/);
  await using first = await openVenue("binance-spot");
  const taken = first.ws_url.slice("ws://".length);
  await assert.rejects(openVenue("binance-spot", { listen: taken }), new RegExp(`listen on ${taken}`));
});
