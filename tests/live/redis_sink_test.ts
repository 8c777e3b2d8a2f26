import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { z } from "zod";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { redis } from "../../lib/sinks/registry.ts";
import { eventually, SinkRig, VENUE } from "../contracts/sink_rig.ts";
import { serviceTest, testUnless } from "../services.ts";
import { RedisServer, redisServerMissing, RedisSubscriber } from "./redis_server.ts";
import { tell } from "./stored_streams.ts";

/** Tests that kill their server start one of their own. */
const killTest = (name: string, body: () => Promise<void>) => testUnless(redisServerMissing(), name, body);

/** The sink by its settings; the queue is held back while `gate` gives a reason. */
const openRig = (config: z.input<typeof redis.schema>, gate?: () => string | undefined) =>
  SinkRig.open(redis, config, { gate });

serviceTest(
  "redis",
  "a subscriber receives the old service's payloads; late joiners find the key",
  async (url) => {
    const prefix = `mdgtest:${crypto.randomUUID()}`;
    await using subscriber = new RedisSubscriber(url, `${prefix}:*`);
    await subscriber.until(() => subscriber.subscribed);
    const rig = await openRig({
      url,
      channels: { book: `${prefix}:{venue}:orderbook:{symbol}`, trades: `${prefix}:trades:{symbol}` },
      latest_key: `${prefix}:latest:{symbol}`,
      latest_interval_ms: 10,
    });
    const reader = new Redis(url);
    rig.book("BTCUSDT", 61_800);
    rig.trade("BTCUSDT");
    rig.queue.flush();
    await subscriber.until(() => subscriber.received.length === 2);
    const [book] = subscriber.payloads(`${prefix}:${VENUE}:orderbook:BTCUSDT`);
    const parsed = JSON.parse(book);
    assert.deepEqual(Object.keys(parsed), ["symbol", "bids", "asks", "last_update_id", "timestamp"]);
    assert.equal(parsed.bids.length, 20);
    assert.deepEqual(parsed.bids[0], [61_800, 1]);
    assert.deepEqual(parsed.asks[19], [61_820, 20]);
    assert.deepEqual(
      subscriber.payloads(`${prefix}:trades:BTCUSDT`),
      [
        '{"symbol":"BTCUSDT","trade_id":1,"price":61800.1,"quantity":0.003,' +
        '"timestamp":1723075200001,"is_buyer_maker":true}',
      ],
    );
    const key = `${prefix}:latest:BTCUSDT`;
    await eventually("latest book", async () => await reader.get(key) === book);
    const ttl_ms = await reader.pttl(key);
    assert.ok(ttl_ms > 0 && ttl_ms <= 60_000);

    rig.book("BTCUSDT", 61_900);
    rig.queue.flush();
    await eventually("newer latest book", async () => (await reader.get(key))?.includes("61900") === true);
    rig.status("BTCUSDT", false, "gap");
    rig.queue.flush();
    await eventually("latest book deleted", async () => await reader.exists(key) === 0);

    assert.equal(rig.count("redis_publishes_total", "BTCUSDT", "orderbook"), 2);
    assert.equal(rig.count("redis_publishes_total", "BTCUSDT", "trade"), 1);
    assert.equal(rig.count("redis_errors_total", "BTCUSDT"), 0);
    assert.equal(rig.sink.notReady(), undefined);
    await rig.close();
    await reader.quit();
  },
);

killTest("kill -9 of redis: back within 2 s of its return, trades complete, last books right", async () => {
  await using server = await RedisServer.start();
  await using subscriber = new RedisSubscriber(server.url, "*");
  // A subscriber that is not back yet would miss messages by the nature of pub/sub: the test waits for it, the sink not.
  const rig = await openRig({ url: server.url, max_queued_trades: 2_000 }, () => {
    return subscriber.subscribed ? undefined : "subscriber is away";
  });
  subscriber.onSubscribed = () => rig.queue.wake();
  await subscriber.until(() => subscriber.subscribed);
  const symbols = ["AAA", "BBB", "CCC"];
  const traffic = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      for (const symbol of symbols) {
        rig.book(symbol, 1_000 + rig.trade_id);
        rig.trade(symbol);
      }
      rig.queue.flush();
      assert.ok(rig.queue.queued <= 2_000 + 2 * symbols.length + 4 * 1_024);
      if (i % 10 === 0) await sleep(systemClock, 1);
    }
  };
  const tradeIds = () =>
    symbols.flatMap((symbol) => subscriber.payloads(`trades:${symbol}`)).map((text) =>
      JSON.parse(text).trade_id
    );
  const lastBooksRight = () =>
    symbols.every((symbol) => {
      const last = subscriber.payloads(`orderbook:${symbol}`).at(-1);
      return last !== undefined &&
        JSON.parse(last).bids[0][0] === rig.books.get(symbol)!.book.best_bid;
    });
  const restart = async () => {
    const back = new Promise<void>((resolve) => rig.onWritable = resolve);
    await server.start();
    const returned_ms = systemClock.monotonic_ms();
    await back;
    return systemClock.monotonic_ms() - returned_ms;
  };

  let at_kill = 0;
  const killed = (async () => {
    await sleep(systemClock, 30);
    await server.kill();
    at_kill = rig.trade_id;
  })();
  await traffic(500);
  await killed;
  await eventually("not ready", () => rig.sink.notReady() !== undefined);
  await traffic(100);
  const first_ms = await restart();
  assert.ok(first_ms < 2_000, `reconnected after ${first_ms} ms`);
  await traffic(50);
  await subscriber.until(() => tradeIds().includes(rig.trade_id) && lastBooksRight());
  const arrived = new Set(tradeIds());
  const missing = Array.from({ length: rig.trade_id }, (_, i) => i + 1).filter((id) => !arrived.has(id));
  // A server may die between its answer to us and its delivery; what it had not answered for must all be there.
  assert.ok(missing.every((id) => id <= at_kill), `missing ${missing}`);
  assert.ok(missing.length < 1_024);
  tell("redis killed under pub/sub", {
    trades_in: rig.trade_id,
    missing: missing.length,
    reconnected_ms: first_ms,
  });
  for (const symbol of symbols) {
    const ids = subscriber.payloads(`trades:${symbol}`).map((text) => JSON.parse(text).trade_id as number);
    const firsts = [...new Set(ids)];
    assert.ok(firsts.every((id, i) => i === 0 || firsts[i - 1] < id), "trades out of order");
  }
  assert.equal(rig.count("sink_dropped_total", "redis", "trade"), 0);

  // Away for longer than the bound allows: the newest 2,000 trades survive, the rest is counted.
  await eventually("drained", () => rig.queue.queued === 0);
  const before = rig.trade_id;
  // Stopped first: what is in flight now is certainly unanswered and undelivered, so every single one must come back.
  server.signal("SIGSTOP");
  await traffic(20);
  await server.kill();
  await eventually("not ready again", () => rig.sink.notReady() !== undefined);
  await traffic(980);
  assert.ok(rig.queue.queued <= 2_000 + symbols.length);
  assert.ok(rig.queue.queued_bytes < 1_000_000);
  const second_ms = await restart();
  assert.ok(second_ms < 2_000, `reconnected after ${second_ms} ms`);
  await subscriber.until(() => lastBooksRight() && tradeIds().includes(rig.trade_id));
  await eventually("drained again", () => rig.queue.queued === 0);
  const late = [...new Set(tradeIds())].filter((id) => id > before);
  assert.equal(rig.count("sink_dropped_total", "redis", "trade"), 1_000);
  assert.equal(late.length, 2_000);
  assert.equal(Math.min(...late), before + 1_001);
  await rig.close();
});

killTest("a stopped redis: writes are given up at the deadline and nothing is lost", async () => {
  await using server = await RedisServer.start();
  await using subscriber = new RedisSubscriber(server.url, "*");
  await subscriber.until(() => subscriber.subscribed);
  const rig = await openRig({ url: server.url, command_timeout_ms: 200, connect_timeout_ms: 200 });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  server.signal("SIGSTOP");
  rig.trade("AAA");
  rig.queue.flush();
  await eventually("given up", () => rig.sink.notReady() !== undefined);
  assert.ok(rig.count("redis_errors_total", "AAA") > 0);
  server.signal("SIGCONT");
  await subscriber.until(() => subscriber.payloads("trades:AAA").length > 0);
  await rig.close();
});

killTest("the password is not in logs, reasons or errors; a wrong one is said", async () => {
  await using server = await RedisServer.start();
  const admin = new Redis(server.url);
  await admin.config("SET", "requirepass", "right-password");
  const rig = await openRig({ url: server.url.replace("//", "//:wrong%2Dpassword@") });
  await eventually("refused", () => /WRONGPASS|invalid/i.test(rig.sink.notReady() ?? ""));
  rig.trade("AAA");
  rig.queue.flush();
  const said = rig.lines.join("\n") + rig.sink.notReady();
  assert.ok(!said.includes("wrong-password") && !said.includes("wrong%2Dpassword"), said);
  await rig.queue.close(0);
  await rig.sink[Symbol.asyncDispose]();

  const right = await openRig({ url: server.url, password: "right-password" });
  await eventually("ready", () => right.sink.notReady() === undefined);
  await right.close();
  admin.disconnect();
});

killTest("a refused channel is dropped and counted, the others go on", async () => {
  await using server = await RedisServer.start();
  const admin = new Redis(server.url);
  await admin.call("ACL", "SETUSER", "feed", "on", ">pw", "+@all", "~*", "resetchannels", "&trades:AAA");
  await using subscriber = new RedisSubscriber(server.url, "*");
  await subscriber.until(() => subscriber.subscribed);
  const rig = await openRig({ url: server.url.replace("//", "//feed:pw@") });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  rig.trade("BBB");
  rig.trade("AAA");
  rig.queue.flush();
  await subscriber.until(() => subscriber.payloads("trades:AAA").length === 1);
  await eventually("settled", () => rig.queue.queued === 0);
  assert.equal(rig.count("sink_dropped_total", "redis", "trade"), 1);
  assert.equal(rig.count("redis_errors_total", "BBB"), 1);
  assert.equal(rig.count("redis_errors_total", "AAA"), 0);
  await rig.close();
  await admin.quit();
});
