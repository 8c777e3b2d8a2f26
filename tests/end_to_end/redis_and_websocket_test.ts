/**
 * The main path with real processes: mock venue at full speed → `mdg run` → Redis and WebSocket. The last book that
 * either consumer holds is the one that `mdg verify` finds in the capture, level by level.
 */
import assert from "node:assert/strict";
import { freePort } from "../../scripts/services/daemon.ts";
import { RedisServer, redisServerMissing, RedisSubscriber } from "../live/redis_server.ts";
import { path, runMdg } from "../mdg_process.ts";
import { captureFolder, testUnless } from "../services.ts";
import { BookFollower } from "./book_follower.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { MockProcess } from "./mock_process.ts";
import { readOrderbook, readTrade } from "./payload_shape.ts";

const SYMBOL = "BTCUSDT";
const DEPTH = 20;
const no_redis = redisServerMissing();

interface Verified {
  update_id: number;
  trades: number;
  bids: [string, string][];
  asks: [string, string][];
}
type Top = { bids: [number, number][]; asks: [number, number][] };

async function verified(capture: string): Promise<Verified> {
  const { code, stdout, stderr } = await runMdg({ args: ["verify", capture] });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}
function topOf({ bids, asks }: Verified): Top {
  const numbers = (levels: [string, string][]) =>
    levels.map(([price, quantity]): [number, number] => [Number(price), Number(quantity)]);
  return { bids: numbers(bids), asks: numbers(asks) };
}

/** The old service's own file, and the same in sections with a WebSocket beside. */
const FORMS = {
  flat: (_venue: string, venue_url: string, redis_url: string) => ({
    symbols: [SYMBOL],
    exchange_ws_url: venue_url,
    redis_url,
    order_book_depth: DEPTH,
    health_port: 0,
    reconnect_delay_ms: 20,
    max_reconnect_delay_ms: 200,
  }),
  sectioned: (venue: string, venue_url: string, redis_url: string) => ({
    sources: [{
      kind: "live",
      venue,
      symbols: [SYMBOL],
      ws_url: venue_url,
      reconnect_delay_ms: 20,
      max_reconnect_delay_ms: 200,
    }],
    sinks: [{ kind: "redis", url: redis_url }],
    servers: [
      { kind: "websocket", listen: "127.0.0.1:0", max_queue_bytes: 67_108_864 },
      { kind: "health", listen: "127.0.0.1:0" },
    ],
  }),
};

async function throughBoth(
  form: keyof typeof FORMS,
  venue: string,
  capture: string,
  speed: string,
): Promise<{ books: number; deltas: number | undefined }> {
  const want = await verified(capture);
  const top = topOf(want);
  assert.equal(top.bids.length, DEPTH);
  const listen = `127.0.0.1:${freePort()}`;
  await using redis = await RedisServer.start();
  await using subscriber = new RedisSubscriber(redis.url, "*");
  await subscriber.until(() => subscriber.subscribed);
  await using gateway = await GatewayProcess.start(FORMS[form](venue, `ws://${listen}`, redis.url));
  await using follower = gateway.ws_url === ""
    ? undefined
    : new BookFollower(gateway.ws_url, ["book", "trades"].map((channel) => ({ symbol: SYMBOL, channel })));
  await follower?.until("the status of a book not yet there", () => follower.of(SYMBOL).statuses.length > 0);
  // Everyone listens before the market begins, so that all of it can be asked for.
  await using _mock = await MockProcess.start(venue, [
    "--capture",
    capture,
    "--speed",
    speed,
    "--listen",
    listen,
  ]);

  const last = (channel: string) => subscriber.received.findLast((one) => one.channel === channel)?.payload;
  const id_text = `"last_update_id":${want.update_id},`;
  const trades = () => subscriber.payloads(`trades:${SYMBOL}`);
  await subscriber.until(() => last(`orderbook:${SYMBOL}`)?.includes(id_text) === true, 60_000);
  await subscriber.until(() => trades().length >= want.trades);

  const books = subscriber.payloads(`orderbook:${SYMBOL}`).map((text) => readOrderbook(text, SYMBOL, DEPTH));
  const { bids, asks } = books.at(-1)!;
  assert.deepEqual({ bids, asks }, top);
  for (let i = 1; i < books.length; i++) assert.ok(books[i].last_update_id >= books[i - 1].last_update_id);
  const ids = trades().map((text) => readTrade(text, SYMBOL).trade_id);
  assert.equal(ids.length, want.trades);
  assert.ok(ids.every((id, i) => i === 0 || id > ids[i - 1]), "trades out of order");
  const channels = new Set(subscriber.received.map(({ channel }) => channel));
  assert.deepEqual([...channels].sort(), [`orderbook:${SYMBOL}`, `trades:${SYMBOL}`]);

  if (follower) {
    const { book, trade_ids } = follower.of(SYMBOL);
    await follower.until(
      "the last update",
      () => book.last_update_id === want.update_id && trade_ids.length >= want.trades,
    );
    assert.deepEqual(follower.top(SYMBOL, DEPTH), top);
    assert.deepEqual(trade_ids, ids);
  }
  assert.equal((await gateway.untilReady()).status, 200);
  assert.equal(await gateway.metric("sequence_errors_total", { symbol: SYMBOL }), 0);
  return { books: books.length, deltas: follower?.of(SYMBOL).deltas };
}

const CASES = [
  ["flat", "binance-futures"],
  ["sectioned", "binance-futures"],
  ["sectioned", "binance-spot"],
] as const;
const recorded = captureFolder();

for (const [form, venue] of CASES) {
  const name = `${venue}, ${form} config`;
  const fixture = path(`fixtures/feeds/${venue}/capture.ndjson`);
  // Slow enough that the first snapshot is there before the market is over, so that deltas are seen as well.
  testUnless(no_redis, `${name}: fixture at speed 5, the last books are those of verify`, async () => {
    const { books, deltas } = await throughBoth(form, venue, fixture, "5");
    assert.ok(books > 50 && (deltas === undefined || deltas > 50), `${books} books, ${deltas} deltas`);
  });
  testUnless(no_redis, `${name}: fixture at full speed, the last books are those of verify`, async () => {
    await throughBoth(form, venue, fixture, "max");
  });
  const missing = no_redis ?? ("missing" in recorded ? recorded.missing : undefined);
  testUnless(
    missing,
    `${name}: recorded market at full speed, the last books are those of verify`,
    async () => {
      if ("folder" in recorded) {
        await throughBoth(form, venue, `${recorded.folder}/${venue}_btcusdt_20240808.gz`, "max");
      }
    },
  );
}
