import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { redis as redis_sink } from "../../lib/sinks/registry.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { runMdg, spawnMdg } from "../mdg_process.ts";
import { testUnless } from "../services.ts";
import { RedisServer, redisServerMissing } from "./redis_server.ts";

const liveTest = (name: string, body: () => Promise<void>) => testUnless(redisServerMissing(), name, body);

liveTest(
  "tail redis prints what consumers get, with the password from the variable, and tells breaks",
  async () => {
    await using server = await RedisServer.start({ args: ["--requirepass", "tail-secret"] });
    const client = new Redis(server.url, { password: "tail-secret" });
    client.on("error", () => {});
    const child = spawnMdg({
      args: ["tail", "redis", "--url", server.url, "--count", "4", "--log-level", "error"],
      env: { REDISCLI_AUTH: "tail-secret" },
    });
    await child.stdin.close();
    const output = child.output();
    const subscribed = () =>
      eventually("subscribed", async () => await client.pubsub("NUMPAT").catch(() => 0) === 2, 30_000);
    await subscribed();
    const long = '{"symbol":"A","quantity":0.1000000000000000055511}';
    await client.publish("trades:A", long);
    await client.publish("orderbook:A", "not\nJSON");
    await server.kill();
    await server.start();
    await subscribed();
    await client.publish("elsewhere", "{}");
    await client.publish("trades:B", '{\n"a": 1}');
    await client.publish("trades:C", "2");
    const { code, stdout, stderr } = await output;
    const [out, talk] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(
      out,
      `{"channel":"trades:A","payload":${long}}\n{"channel":"orderbook:A","payload":"not\\nJSON"}\n` +
        '{"channel":"trades:B","payload":{ "a": 1}}\n{"channel":"trades:C","payload":2}\n',
    );
    assert.equal(code, 0, talk);
    assert.match(talk, /interrupted: connection closed; messages may be lost/);
    assert.ok(!(out + talk).includes("tail-secret"));
    client.disconnect();
  },
);

liveTest("tail redis reads streams from their beginning, and fails when too few come", async () => {
  await using server = await RedisServer.start();
  const rig = await SinkRig.open(redis_sink, { url: server.url, deliver: "streams" });
  await rig.traffic(["BTCUSDT"], 20);
  assert.equal(await rig.close(), 0);
  const args = ["tail", "redis", "--url", server.url, "--streams", "trades:BTCUSDT", "--from", "0"];
  const whole = await runMdg({ args: [...args, "--count", "20", "--log-level", "error"] });
  assert.equal(whole.code, 0, whole.stderr);
  const ids = whole.stdout.trim().split("\n").map((line) => JSON.parse(line).payload.trade_id);
  assert.deepEqual(ids, rig.offered.get("BTCUSDT"));
  const short = await runMdg({ args: [...args, "--count", "21", "--timeout", "1", "--log-level", "error"] });
  assert.equal(short.code, 1);
  assert.equal(short.stdout, whole.stdout);
  assert.match(short.stderr, /^error: wait for 21 messages: 20 came within 1 s\n$/);
});
