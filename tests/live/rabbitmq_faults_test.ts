/**
 * The sink `rabbitmq_stream` against a private node that is killed, filled up, and refuses: what was offered is stored
 * once, or the operator is told why not.
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { rabbitmq_stream } from "../../lib/sinks/registry.ts";
import { freePort } from "../../scripts/services/daemon.ts";
import { rabbitmqMissing, RabbitmqNode } from "../../scripts/services/rabbitmq_node.ts";
import { print } from "../bench/figures.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { makeCertificate } from "../certificate.ts";
import { is_long, serviceAddress, testUnless } from "../services.ts";
import { StreamReader } from "./stream_reader.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "XRPUSDT"];
const EVENTS_PER_SECOND = 10_000;
const TICK_MS = 10;
/** Far below what an unbounded queue of the outage would take. */
const MAX_RSS_GROWTH_BYTES = 400_000_000;

const openssl = serviceAddress("openssl");
const tls_port = freePort();
let certificates = "";

/** With TLS where there is openssl to make a certificate. */
async function startNode(): Promise<RabbitmqNode> {
  if ("missing" in openssl) return await RabbitmqNode.start(systemClock);
  certificates = await Deno.makeTempDir({ prefix: "mdg-certificates-" });
  await makeCertificate(openssl.address, certificates);
  const config = [
    `stream.listeners.ssl.1 = 127.0.0.1:${tls_port}`,
    `ssl_options.cacertfile = ${certificates}/cert.pem`,
    `ssl_options.certfile = ${certificates}/cert.pem`,
    `ssl_options.keyfile = ${certificates}/key.pem`,
  ];
  return await RabbitmqNode.start(systemClock, { config });
}

let node: Promise<RabbitmqNode> | undefined;
const nodeTest = (name: string, body: (node: RabbitmqNode) => Promise<void>) =>
  testUnless(rabbitmqMissing(), name, async () => {
    const running = await (node ??= startNode());
    await running.running();
    await body(running);
  });
const open = (url: string, market: string, more: Record<string, unknown> = {}) =>
  SinkRig.open(rabbitmq_stream, {
    url,
    streams: { market, subscriptions: `${market}.subscriptions` },
    ...more,
  });

/** Books and trades at a steady rate until `done`; returns the events offered. */
async function steady(rig: SinkRig, done: () => boolean): Promise<number> {
  const began_ms = systemClock.monotonic_ms();
  let events = 0;
  while (!done()) {
    const due = (systemClock.monotonic_ms() - began_ms) / 1_000 * EVENTS_PER_SECOND;
    for (; events < due; events += 2) {
      const symbol = SYMBOLS[events / 2 % SYMBOLS.length];
      rig.book(symbol);
      rig.trade(symbol);
    }
    rig.queue.flush();
    await sleep(systemClock, TICK_MS);
  }
  return events;
}

const idsOf = (reader: StreamReader, symbol: string) => reader.trades(symbol).map((one) => one.trade_id);

/** A log line says so. */
const told = (rig: SinkRig, expected: RegExp) =>
  rig.lines.some((line) => expected.test(line.replaceAll('\\"', '"')));

/** Every trade offered is there once, in order, and the last book is the last. */
function assertExact(rig: SinkRig, reader: StreamReader): void {
  for (const symbol of SYMBOLS) assert.deepEqual(idsOf(reader, symbol), rig.offered.get(symbol), symbol);
  for (const [symbol, { sequence }] of rig.books) {
    const last = reader.updates.findLast((one) => one.kind === "book" && one.symbol === symbol);
    assert.equal(last?.last_update_id, sequence, symbol);
  }
}
const allThere = (rig: SinkRig, reader: StreamReader) =>
  reader.until(
    "all trades and the last books",
    () =>
      SYMBOLS.every((symbol) =>
        reader.trades(symbol).at(-1)?.trade_id === rig.offered.get(symbol)!.at(-1) &&
        reader.updates.findLast((one) => one.kind === "book" && one.symbol === symbol)?.last_update_id ===
          rig.books.get(symbol)!.sequence
      ),
  );

nodeTest(
  "kill -9 of the broker at 10,000 events/s: trades in are trades stored, books right, memory bounded",
  async (node) => {
    // A broker takes its time to come back, most of all on a busy machine: its absence must fit into the bounds.
    const rig = await open(node.url, "killed", { max_queued_trades: 500_000 });
    await eventually("ready", () => rig.sink.notReady() === undefined);
    const rss_before = Deno.memoryUsage().rss;
    let max_rss = 0;
    let is_over = false;
    const kills = (async () => {
      for (let i = 0; i < (is_long ? 5 : 1); i++) {
        await sleep(systemClock, 1_000);
        await node.kill();
        await node.start();
        await eventually("back", () => rig.sink.notReady() === undefined);
        await sleep(systemClock, 1_000);
      }
    })().finally(() => is_over = true);
    let max_queued = 0;
    const began_ms = systemClock.monotonic_ms();
    const events = await steady(rig, () => {
      max_rss = Math.max(max_rss, Deno.memoryUsage().rss);
      max_queued = Math.max(max_queued, rig.queue.queued);
      return is_over;
    });
    const elapsed_ms = systemClock.monotonic_ms() - began_ms;
    await kills;
    await eventually("drained", () => rig.queue.queued === 0, 30_000);
    assert.ok(events >= EVENTS_PER_SECOND * 2);
    assert.equal(rig.count("sink_dropped_total"), 0);
    assert.ok(max_rss - rss_before < MAX_RSS_GROWTH_BYTES, `grew by ${max_rss - rss_before} bytes`);
    await using reader = new StreamReader(node.url, ["killed"]);
    await allThere(rig, reader);
    assertExact(rig, reader);
    const grown_mb = Math.round((max_rss - rss_before) / 1e6);
    print(
      `  ${events} events in ${
        Math.round(elapsed_ms)
      } ms: ${reader.trades().length} of ${rig.trade_id} trades stored, ` +
        `at most ${Math.round(max_queued)} messages queued, memory grew by ${grown_mb} MB`,
    );
    assert.equal(await rig.close(), 0);
  },
);

nodeTest("two producers of one name, and a restarted one, add no duplicates", async (node) => {
  const first = await open(node.url, "shared");
  const second = await open(node.url, "shared");
  await eventually("ready", () => (first.sink.notReady() ?? second.sink.notReady()) === undefined);
  // The same market, one a step ahead of the other by turns.
  for (let i = 0; i < 100; i++) {
    const [ahead, behind] = i % 2 === 0 ? [first, second] : [second, first];
    for (const rig of [ahead, behind]) {
      for (const symbol of SYMBOLS) {
        rig.book(symbol);
        rig.trade(symbol);
      }
      rig.queue.flush();
    }
    if (i % 10 === 9) await sleep(systemClock, 5);
  }
  assert.equal(await first.close(), 0);
  assert.equal(await second.close(), 0);
  await using reader = new StreamReader(node.url, ["shared"]);
  await allThere(first, reader);
  assertExact(first, reader);

  // Replays all it published before, then goes on.
  const third = await open(node.url, "shared");
  await third.traffic(SYMBOLS, 120);
  await eventually("drained", () => third.queue.queued === 0);
  assert.equal(third.count("sink_published_total", "rabbitmq_stream", "trade"), 360);
  await allThere(third, reader);
  assertExact(third, reader);
  assert.equal(await third.close(), 0);
});

nodeTest("a full disk: told in words, nothing lost, nothing twice when there is room again", async (node) => {
  const rig = await open(node.url, "full", { confirm_timeout_ms: 500 });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  await rig.traffic(SYMBOLS, 20);
  await eventually("drained", () => rig.queue.queued === 0);
  await node.control(["set_disk_free_limit", "100000000000000"]);
  // The broker looks at its disk every few seconds, and goes on taking until it has seen.
  await eventually("told", async () => {
    await rig.traffic(SYMBOLS, 1);
    return /disk/.test(rig.sink.notReady() ?? "");
  }, 30_000);
  const held = rig.queue.queued;
  await rig.traffic(SYMBOLS, 20);
  assert.ok(rig.queue.queued > held);
  await node.control(["set_disk_free_limit", "1MB"]);
  await using reader = new StreamReader(node.url, ["full"]);
  await allThere(rig, reader);
  assertExact(rig, reader);
  assert.equal(rig.count("sink_dropped_total"), 0);
  assert.equal(await rig.close(), 0);
});

nodeTest("what the broker refuses is told in its own words, without the password", async (node) => {
  await node.control(["add_user", "reader", "right-password"]);
  await node.control(["set_permissions", "reader", "^$", "^$", ".*"]);
  await node.control(["add_vhost", "other"]);
  const at = (login: string, path = "") => node.url.replace("://", `://${login}@`) + path;
  const cases: [string, string, Record<string, unknown>, RegExp][] = [
    [
      "wrong password",
      at("guest"),
      { password: "wrong-password" },
      /log in as "guest": user or password refused/,
    ],
    ["unknown user", at("nobody:wrong-password"), {}, /log in as "nobody": user or password refused/],
    ["no such vhost", at("guest:guest", "/nowhere"), {}, /open virtual host "nowhere": .*does not exist/],
    [
      "no right to the vhost",
      at("reader:right-password", "/other"),
      {},
      /open virtual host "other": .*may not use it/,
    ],
    [
      "no right to create",
      at("reader:right-password"),
      {},
      /create stream "refused": this user has no permission/,
    ],
    [
      "nothing there",
      node.url,
      { create: false },
      /publish to stream "refused": it does not exist, want it created/,
    ],
    ["no partitions", node.url, { partitions: 2 }, /add_super_stream refused --partitions 2/],
  ];
  for (const [what, url, more, expected] of cases) {
    const rig = await open(url, "refused", more);
    await eventually(
      what,
      () => expected.test(rig.sink.notReady() ?? "") && told(rig, expected),
    );
    assert.ok(!/wrong-password|right-password/.test(rig.lines.join() + rig.sink.notReady()), what);
    rig.trade("BTCUSDT");
    assert.equal(await rig.close(50), 1);
  }
  // May read the stream that exists, but not write to it.
  const owner = await open(node.url, "refused");
  await eventually("created", () => owner.sink.notReady() === undefined);
  await owner.close();
  const rig = await open(at("reader:right-password"), "refused");
  rig.trade("BTCUSDT");
  await eventually("no right to write", () => {
    rig.queue.wake();
    return rig.lines.some((one) =>
      /declare publisher .* on stream ..refused..: this user has no permission/.test(one)
    );
  });
  assert.equal(await rig.close(50), 1);
});

nodeTest("a super stream: each symbol in the partition that every client hashes it to", async (node) => {
  await node.control(["add_super_stream", "super", "--partitions", "3"], "rabbitmq-streams");
  const rig = await open(node.url, "super", { partitions: 3 });
  const names = ["super-0", "super-1", "super-2"];
  await using reader = new StreamReader(node.url, names);
  await rig.traffic(SYMBOLS, 50);
  await allThere(rig, reader);
  assertExact(rig, reader);
  const found = new Map(reader.updates.map((one, i) => [one.symbol, reader.delivered[i].stream]));
  // As the broker's other clients do: murmur3 with seed 104729, modulo the partitions.
  assert.deepEqual(Object.fromEntries(found), { BTCUSDT: "super-0", ETHUSDT: "super-1", XRPUSDT: "super-1" });
  assert.equal(await rig.close(), 0);
});

nodeTest("more instruments than a connection has publishers", async (node) => {
  const rig = await open(node.url, "many", { kinds: ["trade"] });
  await using reader = new StreamReader(node.url, ["many"]);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 600; i++) rig.trade(`S${i}`);
    rig.queue.flush();
    await sleep(systemClock, 5);
  }
  await eventually("drained", () => rig.queue.queued === 0, 30_000);
  await reader.until("all trades", () => reader.updates.length >= 1_800);
  assert.equal(new Set(reader.trades().map((one) => one.trade_id)).size, 1_800);
  assert.equal(reader.updates.length, 1_800);
  assert.equal(rig.count("sink_dropped_total"), 0);
  assert.equal(await rig.close(), 0);
});

testUnless(
  "missing" in openssl ? openssl.missing : rabbitmqMissing(),
  "TLS, a virtual host and a password of its own; a certificate that does not fit is refused",
  async () => {
    const broker = await (node ??= startNode());
    await broker.running();
    await broker.control(["add_vhost", "trading/eu"]);
    await broker.control(["add_user", "mdg", "s3cret/ünï"]);
    await broker.control(["set_permissions", "-p", "trading/eu", "mdg", ".*", ".*", ".*"]);
    const at = (host: string) => `rabbitmq-stream+tls://mdg@${host}:${tls_port}/trading%2Feu`;
    const password = { password: "s3cret/ünï" };

    const stranger = await open(at("localhost"), "secure", password);
    await eventually("not trusted", () => /certificate/i.test(stranger.sink.notReady() ?? ""));
    await stranger.close(10);

    const rig = await open(at("localhost"), "secure", {
      ...password,
      tls: { ca_file: `${certificates}/cert.pem` },
    });
    await rig.traffic(SYMBOLS, 20);
    await eventually("drained", () => rig.queue.queued === 0);
    assert.equal(rig.count("sink_published_total", "rabbitmq_stream", "trade"), 60);
    assert.equal(await rig.close(), 0);
    await Deno.remove(certificates, { recursive: true });
  },
);
