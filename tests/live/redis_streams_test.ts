import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { z } from "zod";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { redis } from "../../lib/sinks/registry.ts";
import { makeCertificate } from "../certificate.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { is_long, serviceTest, testUnless } from "../services.ts";
import { RedisServer, redisServerMissing } from "./redis_server.ts";
import { checkStored, stream, tell } from "./stored_streams.ts";

const STREAM_S = is_long ? 30 : 4;
const liveTest = (name: string, body: () => Promise<void>) => testUnless(redisServerMissing(), name, body);

const openRig = (url: string, config: Partial<z.input<typeof redis.schema>> = {}) =>
  SinkRig.open(redis, { url, deliver: "streams", streams: { max_trades: 10_000_000 }, ...config });
const ready = (rig: SinkRig) => eventually("ready", () => rig.sink.notReady() === undefined);
const drained = (rig: SinkRig) => eventually("drained", () => rig.queue.queued === 0);
/** Log lines with this text in them. */
const said = (rig: SinkRig, text: string) => rig.lines.filter((line) => line.includes(text)).length;

liveTest("kill -9 and return of redis in mid-stream: trades in = trades stored, books right", async () => {
  await using server = await RedisServer.start({ keeps_data: true });
  const rig = await openRig(server.url);
  await ready(rig);
  const streaming = stream(rig, STREAM_S);
  for (let kills = 0; kills < 2; kills++) {
    await sleep(systemClock, 800);
    await server.kill();
    await sleep(systemClock, 400);
    await server.start();
  }
  const memory = await streaming;
  await drained(rig);
  const client = new Redis(server.url);
  const found = await checkStored(client, rig);
  assert.equal(rig.count("sink_dropped_total"), 0);
  tell("redis killed twice", {
    trades_in: rig.trade_id,
    ...found,
    conflated: rig.count("sink_conflated_total"),
    ...memory,
  });
  assert.equal(await rig.close(), 0);
  await client.quit();
});

liveTest(
  "kill -9 of the master under Sentinel: the replica takes over, trades in = trades stored",
  async () => {
    await using master = await RedisServer.start();
    await using replica = await RedisServer.start({
      args: ["--replicaof", `127.0.0.1 ${master.port}`, "--repl-diskless-sync-delay", "0"],
    });
    const client = new Redis(replica.url);
    await eventually(
      "replicating",
      async () => (await client.info("replication")).includes("link_status:up"),
    );
    await using sentinel = await RedisServer.startSentinel(master);
    const watcher = new Redis(sentinel.url);
    await eventually("replica known", async () => {
      return (await watcher.call("SENTINEL", "REPLICAS", "mymaster") as unknown[]).length === 1;
    }, 20_000);
    const rig = await openRig(sentinel.url, { topology: "sentinel", wait_replicas: 1 });
    await ready(rig);
    const streaming = stream(rig, STREAM_S);
    await sleep(systemClock, 800);
    await master.kill();
    const from_ms = systemClock.monotonic_ms();
    await eventually("taken over", async () => (await client.role() as unknown[])[0] === "master", 20_000);
    const failover_ms = Math.round(systemClock.monotonic_ms() - from_ms);
    const memory = await streaming;
    await drained(rig);
    const found = await checkStored(client, rig);
    assert.equal(rig.count("sink_dropped_total"), 0);
    tell("sentinel failover", { trades_in: rig.trade_id, ...found, failover_ms, ...memory });
    assert.equal(await rig.close(), 0);
    await client.quit();
    const ended = new Promise((resolve) => watcher.once("end", resolve));
    watcher.disconnect();
    await ended;
  },
);

liveTest("a full redis is said once, and nothing is lost when there is room again", async () => {
  await using server = await RedisServer.start();
  const client = new Redis(server.url);
  const rig = await openRig(server.url);
  await ready(rig);
  rig.trade("AAA");
  rig.queue.flush();
  await drained(rig);
  await client.config("SET", "maxmemory", "1");
  for (let i = 0; i < 100; i++) rig.trade("AAA");
  rig.queue.flush();
  await eventually("refused more than once", () => rig.count("sink_errors_total") > 2);
  assert.equal(said(rig, "raise maxmemory"), 1, rig.lines.join("\n"));
  assert.equal(rig.queue.queued, 100);
  await client.config("SET", "maxmemory", "0");
  await drained(rig);
  assert.equal(await client.xlen("trades:AAA"), 101);
  assert.equal(rig.count("sink_dropped_total"), 0);
  assert.equal(await rig.close(), 0);
  await client.quit();
});

liveTest("missing rights and a wrong password are each said once", async () => {
  await using server = await RedisServer.start();
  const client = new Redis(server.url);
  await client.call("ACL", "SETUSER", "reader", "on", ">pw", "+@all", "-xadd", "~*", "&*");
  const rights = await openRig(server.url, { username: "reader", password: "pw" });
  await ready(rights);
  for (let i = 0; i < 50; i++) {
    rights.trade("AAA");
    rights.queue.flush();
  }
  await drained(rights);
  assert.equal(said(rights, "ACL SETUSER"), 1, rights.lines.join("\n"));
  assert.equal(rights.count("sink_dropped_total", "redis", "trade"), 50);
  await rights.close();

  const refused = await openRig(server.url, { username: "reader", password: "surely-wrong" });
  await eventually("refused", () => /WRONGPASS/.test(refused.sink.notReady() ?? ""));
  await sleep(systemClock, 500);
  assert.equal(said(refused, "WRONGPASS"), 1, refused.lines.join("\n"));
  assert.ok(!refused.lines.join().includes("surely-wrong"));
  await refused.close(0);

  await client.quit();
});

serviceTest(
  "openssl",
  "over TLS with an authority of our own; without it the certificate is refused",
  async (openssl) => {
    if (redisServerMissing()) return;
    const folder = await Deno.makeTempDir();
    await makeCertificate(openssl, folder);
    const [cert_file, key_file] = [`${folder}/cert.pem`, `${folder}/key.pem`];
    {
      const files = [
        "--tls-cert-file",
        cert_file,
        "--tls-key-file",
        key_file,
        "--tls-ca-cert-file",
        cert_file,
      ];
      await using server = await RedisServer.start({
        args: ["--port", "0", "--tls-port", "{port}", "--tls-auth-clients", "yes", ...files],
      });
      const url = server.url.replace("redis:", "rediss:");
      const tls = { ca_file: cert_file, cert_file, key_file };
      const rig = await openRig(url, { tls });
      await ready(rig);
      rig.trade("AAA");
      rig.queue.flush();
      await drained(rig);
      assert.equal(rig.count("sink_published_total", "redis", "trade"), 1);
      await rig.close();

      const stranger = await openRig(url, {});
      await eventually("refused", () => /certificate/i.test(stranger.sink.notReady() ?? ""));
      await stranger.close(0);
      const misnamed = await openRig(url, { tls: { ...tls, server_name: "elsewhere.example" } });
      await eventually(
        "refused",
        () => /altnames|Hostname|certificate/i.test(misnamed.sink.notReady() ?? ""),
      );
      await misnamed.close(0);
    }
    await Deno.remove(folder, { recursive: true });
  },
);
