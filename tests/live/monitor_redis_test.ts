/**
 * `mdg monitor redis` against a server of its own: its numbers are the server's, healthy, loaded and being killed; who is
 * about to be cut off is told before; a standstill shows in the percentiles; and what a person sees.
 */
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { findProgram } from "../../scripts/debian.ts";
import { until } from "../end_to_end/until.ts";
import { is_long, serviceTest, testUnless } from "../services.ts";
import { checkBy, type MonitorLine, MonitorStream } from "./monitor_stream.ts";
import { RedisServer, redisServerMissing } from "./redis_server.ts";
import { TmuxScreen } from "./tmux_screen.ts";

const liveTest = (name: string, body: () => Promise<void>) => testUnless(redisServerMissing(), name, body);

async function infoOf(client: Redis): Promise<Map<string, string>> {
  const lines = (await client.info()).split("\r\n").filter((line) => line.includes(":"));
  return new Map(lines.map((line) => line.split(":", 2) as [string, string]));
}

function clientOf(server: RedisServer, password?: string): Redis {
  const client = new Redis(server.url, { password, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on("error", () => {});
  return client;
}

liveTest("healthy: what it says is what INFO says; the password by the variable; check is OK", async () => {
  const args = [
    "--requirepass",
    "monitor-secret",
    "--maxmemory",
    "64mb",
    "--maxmemory-policy",
    "allkeys-lru",
  ];
  await using server = await RedisServer.start({ args });
  const client = clientOf(server, "monitor-secret");
  for (let i = 0; i < 100; i++) await client.set(`key:${i}`, "x".repeat(1_000));
  await client.subscribe("one", "two");
  const env = { REDISCLI_AUTH: "monitor-secret" };
  await using monitor = new MonitorStream(["redis", "--url", server.url, "--interval", "0.3"], env);
  const { sample, readings, state, target } = await monitor.line("a line", () => true);
  const asker = clientOf(server, "monitor-secret");
  const info = await infoOf(asker);
  asker.disconnect();
  client.disconnect();
  const [node] = sample.nodes;
  assert.deepEqual([state, target], ["ok", `127.0.0.1:${server.port}`]);
  assert.deepEqual([node.role, node.version], ["master", info.get("redis_version")]);
  assert.equal(readings.keys, 100);
  // The monitor's two connections and ours; the one that asks came later.
  assert.equal(readings.clients, 3);
  assert.equal(node.clients.max, Number(info.get("maxclients")));
  assert.equal(node.memory.max_bytes, 64 * 1024 * 1024);
  const used = Number(info.get("used_memory"));
  assert.ok(Math.abs(readings.memory_bytes - used) < 0.1 * used, `${readings.memory_bytes} for ${used}`);
  assert.ok(Math.abs(readings.memory_pct - 100 * readings.memory_bytes / (64 * 1024 * 1024)) < 0.001);
  assert.deepEqual([readings.channels, node.pubsub.subscribers, readings.subscriber_buffer_pct], [2, 1, 0]);
  assert.deepEqual(node.pubsub.top.map(({ channel }: { channel: string }) => channel).sort(), ["one", "two"]);
  assert.deepEqual(node.refused, []);
  assert.ok(sample.latency.last.count > 10 && readings.latency_p50_us > 0);
  const { code, line } = await checkBy([
    "redis",
    "--url",
    server.url,
    "-w",
    "latency_p99_us=~:",
    "-c",
    "clients=100",
  ], env);
  assert.equal(code, 0, line);
  assert.match(line, /^REDIS OK - 127\.0\.0\.1:\d+: master, .*\| ops_per_s=.* clients=\d+;;100;0 /);
  assert.doesNotMatch(line + JSON.stringify(sample), /monitor-secret/);
});

liveTest("a wrong password, a password in the URL, and who may not ask everything", async () => {
  await using server = await RedisServer.start({ args: ["--requirepass", "monitor-secret"] });
  const wrong = await checkBy(["redis", "--url", server.url, "--timeout", "2"], {
    REDISCLI_AUTH: "nonsense-secret",
  });
  assert.equal(wrong.code, 2);
  assert.match(wrong.line, /^REDIS CRITICAL - .*WRONGPASS/);
  assert.doesNotMatch(wrong.line + wrong.stderr, /nonsense-secret/);
  const shown = await checkBy(["redis", "--url", server.url.replace("//", "//:monitor-secret@")]);
  assert.equal(shown.code, 3);
  assert.match(shown.line, /^REDIS UNKNOWN - .*the URL holds a password/);
  assert.doesNotMatch(shown.line, /monitor-secret/);
  const client = clientOf(server, "monitor-secret");
  await client.acl("SETUSER", "watcher", "on", ">watcher-secret", "+info", "+ping", "+client|setname");
  client.disconnect();
  await using monitor = new MonitorStream(["redis", "--url", server.url, "--user", "watcher", "-i", "0.3"], {
    REDISCLI_AUTH: "watcher-secret",
  });
  const { sample } = await monitor.line("a line", ({ sample }) => sample !== undefined);
  assert.deepEqual(sample.nodes[0].refused, [
    "CONFIG GET",
    "CLIENT LIST",
    "SLOWLOG GET",
    "PUBSUB CHANNELS",
    "PUBSUB SHARDCHANNELS",
  ]);
  assert.equal(sample.nodes[0].slow_log, undefined, "absent, not empty");
});

const benchmark = await findProgram("redis-benchmark");

testUnless(
  redisServerMissing() ?? (benchmark ? undefined : "redis-benchmark is not installed"),
  "loaded: redis-benchmark's commands are counted, no more and no less; hit rate and slow log are the server's",
  async () => {
    await using server = await RedisServer.start({ args: ["--slowlog-log-slower-than", "20000"] });
    await using monitor = new MonitorStream(["redis", "--url", server.url, "--interval", "0.5"]);
    await monitor.line("the first line", () => true);
    const run = async (...args: string[]) => {
      const { success } = await new Deno.Command(benchmark!, {
        args: ["-p", `${server.port}`, "-c", "20", "-q", ...args],
        stdout: "null",
        stderr: "null",
      }).output();
      assert.ok(success);
    };
    const began = monitor.lines.length;
    await run("-n", "40000", "SET", "there", "x");
    await run("-n", "60000", "GET", "there");
    await run("-n", "20000", "GET", "nowhere");
    const client = clientOf(server);
    await client.eval("local n = 0; for i = 1, 3e7 do n = n + i end return n", 0);
    const ended = monitor.lines.length;
    await monitor.line("two more lines", () => true, ended + 1);
    const lines = monitor.lines;
    const over = (of: (line: MonitorLine) => number) =>
      lines.slice(began).reduce((sum, line, i) => {
        const before = lines[began + i - 1];
        return sum + (of(line) ?? 0) * (Date.parse(line.time) - Date.parse(before.time)) / 1_000;
      }, 0);
    const info = await infoOf(client);
    const commands = over(({ readings }) => readings.ops_per_s);
    assertNear(commands, 120_000, "commands");
    const hits = over(({ sample }) => sample.nodes[0].hits_per_s);
    const misses = over(({ sample }) => sample.nodes[0].misses_per_s);
    assertNear(hits, Number(info.get("keyspace_hits")), "hits");
    assertNear(misses, Number(info.get("keyspace_misses")), "misses");
    assert.equal(Number(info.get("keyspace_hits")), 60_000);
    assertNear(
      over(({ readings }) => readings.slow_per_s),
      Number(await client.slowlog("LEN")),
      "slow commands",
    );
    const slow = lines.at(-1)!.sample.nodes[0].slow_log;
    assert.match(slow[0].command, /^EVAL/i);
    assert.ok(slow[0].duration_us >= 20_000);
    client.disconnect();
  },
);

/** The lines' times are whole milliseconds, so a sum over rates is right within a few per cent. */
function assertNear(found: number, wanted: number, what: string): void {
  assert.ok(Math.abs(found - wanted) <= 0.05 * wanted + 0.1, `${what}: ${found}, want about ${wanted}`);
}

liveTest("killed: told within a look, waited for, and back by itself; a check is CRITICAL", async () => {
  await using server = await RedisServer.start();
  await using monitor = new MonitorStream([
    "redis",
    "--url",
    server.url,
    "--interval",
    "0.3",
    "--timeout",
    "2",
  ]);
  await monitor.line("healthy", ({ state }) => state === "ok");
  await server.kill();
  const lost = await monitor.line("lost", ({ state }) => state === "critical");
  assert.equal(lost.sample, undefined);
  assert.match(lost.problems[0].text, /redis at 127\.0\.0\.1:\d+ is not connected/);
  const dead = await checkBy(["redis", "--url", server.url]);
  assert.equal(dead.code, 2);
  assert.match(dead.line, /^REDIS CRITICAL - .*ECONNREFUSED/);
  await server.start();
  const found = monitor.lines.length;
  const back = await monitor.line("back", ({ state }) => state === "ok", found);
  assert.equal(back.sample.nodes[0].ops_per_s, undefined, "no rate over a restart");
  assert.ok(back.sample.latency.minute.max_us > 100_000, "pings that were due meanwhile waited");
  monitor.process.signal("SIGTERM");
  assert.equal(await monitor.process.ended, 0);
  assert.deepEqual(monitor.process.talk, [], "no stack trace, nothing");
});

liveTest("replication: a replica's lag, and a replica whose master is gone", async () => {
  await using master = await RedisServer.start({ args: ["--repl-diskless-sync-delay", "0"] });
  await using replica = await RedisServer.start({ args: ["--replicaof", "127.0.0.1", `${master.port}`] });
  await using monitor = new MonitorStream(["redis", "--url", master.url, "--interval", "0.3"]);
  const { readings, sample } = await monitor.line("a replica", ({ readings }) => readings?.replicas === 1);
  assert.ok(readings.replica_lag_bytes < 1_000_000 && readings.replica_lag_s <= 2);
  assert.equal(sample.nodes[0].replicas[0].address, `127.0.0.1:${replica.port}`);
  const good = await checkBy(["redis", "--url", replica.url]);
  assert.equal(good.code, 0, good.line);
  await master.kill();
  const alone = await until("the check to notice", async () => {
    const { code, line } = await checkBy(["redis", "--url", replica.url]);
    return code === 2 && line;
  });
  assert.match(alone, /replication from 127\.0\.0\.1:\d+ is down/);
});

liveTest("a subscriber near its output-buffer limit is named before the server closes it", async () => {
  const args = ["--client-output-buffer-limit", "pubsub 64mb 1mb 60"];
  await using server = await RedisServer.start({ args });
  using sleeper = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await sleeper.write(new TextEncoder().encode("CLIENT SETNAME sleepy\r\nSUBSCRIBE prices\r\n"));
  const client = clientOf(server);
  const url = ["redis", "--url", server.url];
  const healthy = await checkBy(url);
  assert.equal(healthy.code, 0, healthy.line);
  // It never reads: the kernel's buffers fill, then the server's.
  const payload = "x".repeat(100_000);
  const buffered = async () =>
    Number(/name=sleepy .*? omem=(\d+)/.exec(await client.call("CLIENT", "LIST") as string)?.[1]);
  while (await buffered() < 700_000) await client.publish("prices", payload);
  const near = await checkBy(url);
  assert.equal(near.code, 1, near.line);
  assert.match(
    near.line,
    /subscriber_buffer_pct [\d.]+%, want at most 50; .*fullest subscriber 127\.0\.0\.1:\d+ sleepy/,
  );
  while (await buffered() < 1_200_000) await client.publish("prices", payload);
  const over = await checkBy(url);
  assert.equal(over.code, 2, over.line);
  assert.match(
    over.line,
    /subscriber 127\.0\.0\.1:\d+ \(sleepy\) holds 1\.\d+Mi, over the soft limit of 1\.00Mi for .*: closed in \d/,
  );
  assert.ok(await buffered() > 0, "it is still connected: there was time to act");
  client.disconnect();
});

const PAUSE_MS = is_long ? 15_000 : 1_500;

liveTest(
  `a pause of ${PAUSE_MS / 1_000} s of the server shows in the percentiles, during it and after it`,
  async () => {
    await using server = await RedisServer.start();
    await using monitor = new MonitorStream([
      "redis",
      "--url",
      server.url,
      "--interval",
      "0.3",
      "--timeout",
      "20",
    ]);
    await monitor.line("healthy", ({ sample }) => sample?.latency.total.count > 100);
    const before = monitor.lines.at(-1)!.sample.latency.total;
    server.signal("SIGSTOP");
    const stopped_ms = systemClock.monotonic_ms();
    await sleep(systemClock, PAUSE_MS);
    server.signal("SIGCONT");
    const paused_us = (systemClock.monotonic_ms() - stopped_ms) * 1_000;
    const after = await monitor.line(
      "the pause",
      ({ sample }) => sample?.latency.minute.max_us > 0.9 * PAUSE_MS * 1_000,
    );
    const seen_us = (systemClock.monotonic_ms() - stopped_ms) * 1_000;
    const { total } = after.sample.latency;
    const due = paused_us / 10_000;
    // Waits in the pause run evenly from all of it down to nothing: the p99 of all pings lies where 1 % of them waited longer.
    const wanted_us = paused_us * (1 - 0.01 * total.count / due);
    const { max_us, p99_us } = total;
    assert.ok(max_us >= 0.9 * paused_us && max_us <= seen_us, `max ${max_us} of ${paused_us}`);
    assert.ok(p99_us > 0.7 * wanted_us && p99_us <= seen_us, `p99 ${p99_us}, want ${wanted_us}`);
    const not_measured = monitor.lines.reduce(
      (sum, { sample }) => sum + (sample?.latency.not_measured ?? 0),
      0,
    );
    const counted = total.count - before.count + not_measured;
    assert.ok(counted > 0.9 * due, `${counted} pings counted of ${due} due in the pause`);
    tell(`pause of ${PAUSE_MS} ms`, { before, after: total, due_in_pause: Math.round(due) });
  },
);

function tell(what: string, found: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${what}: ${JSON.stringify(found)}\n`));
}

serviceTest(
  "tmux",
  "on a terminal: healthy, killed, back, resized; q leaves the terminal as it was",
  async (tmux) => {
    await using server = await RedisServer.start();
    const args = ["monitor", "redis", "--url", server.url, "--timeout", "2"];
    await using screen = await TmuxScreen.start(tmux, args, { env: { NO_COLOR: "1" } });
    const healthy = await screen.shows(/OK .*every 2s[\s\S]*ops\/s[\s\S]*last look +1\d\d/);
    assert.match(healthy, /^ mdg monitor redis {2}127\.0\.0\.1:\d+ {2}OK/);
    assert.match(healthy, /role master/);
    assert.match(healthy, /q quit {2}h help {2}\[F1 overview\] F2 pub\/sub F3 slow log {2}Space pause/);
    assert.equal(healthy.split("\n").length, 24);
    assert.ok((await screen.lines(true)).every((line) => !line.includes("\u001b[3")), "NO_COLOR: no colours");
    assert.deepEqual(await screen.state(), { alternate: true, cursor: false });
    await server.kill();
    const lost = await screen.shows(/LOST \S+ ago, trying again: redis at 127\.0\.0\.1:\d+ is not connected/);
    assert.match(lost, /what stands below is from \d\d:\d\d:\d\d/);
    assert.match(lost, /role master/);
    await server.start();
    await screen.shows(/127\.0\.0\.1:\d+ {2}OK/);
    await screen.type("F2");
    await screen.shows(/\[F2 pub\/sub\]|Subscribers \(closed over 32\.0Mi/);
    await screen.type("F1");
    await screen.type("h");
    await screen.shows(/any key goes back/);
    await screen.type("Escape");
    await screen.resize(120, 40);
    const wide = await screen.shows(/\+- interval *$/);
    assert.equal(wide.split("\n").length, 40);
    await screen.type("q");
    await screen.shows(/ended with 0/);
    assert.deepEqual(await screen.state(), { alternate: false, cursor: true });
  },
);

serviceTest(
  "tmux",
  "on a terminal: Ctrl-C is 130, SIGTERM 0, and both leave the terminal as it was",
  async (tmux) => {
    await using server = await RedisServer.start();
    for (const [how, code] of [["C-c", 130], ["SIGTERM", 0]] as const) {
      await using screen = await TmuxScreen.start(tmux, ["monitor", "redis", "--url", server.url]);
      await screen.shows(/127\.0\.0\.1:\d+ {2}OK/);
      assert.ok((await screen.lines(true)).some((line) => line.includes("\u001b[7m")), "colours are on");
      if (how === "C-c") await screen.type("C-c");
      else await screen.signalMdg("SIGTERM");
      await screen.shows(new RegExp(`ended with ${code}`));
      assert.deepEqual(await screen.state(), { alternate: false, cursor: true });
    }
  },
);
