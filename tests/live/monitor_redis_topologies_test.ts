/** `mdg monitor redis` over Sentinels and a Cluster of one's own: a row per node, slot coverage, and what is lost of them. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { until } from "../end_to_end/until.ts";
import { findProgram } from "../../scripts/debian.ts";
import { serviceTest, testUnless } from "../services.ts";
import { checkBy, type MonitorLine, MonitorStream } from "./monitor_stream.ts";
import { RedisClusterServers } from "./redis_cluster.ts";
import { RedisServer, redisServerMissing } from "./redis_server.ts";
import { TmuxScreen } from "./tmux_screen.ts";

const program = await findProgram("redis-server");
const missing = redisServerMissing();
const nodesOf = (line: MonitorLine) => line.sample.nodes as MonitorLine[];

testUnless(
  missing,
  "cluster: a row per node; a killed master is lost, then its slots, then they are covered again",
  async () => {
    await using cluster = await RedisClusterServers.start(program!, systemClock);
    const args = ["redis", "--topology", "cluster", "--url", cluster.url, "--timeout", "2"];
    await using monitor = new MonitorStream([...args, "--interval", "0.3"]);
    const healthy = await monitor.line("six nodes", ({ sample }) => sample?.nodes.length === 6);
    assert.equal(healthy.state, "ok", JSON.stringify(healthy.problems));
    assert.deepEqual(nodesOf(healthy).map(({ address }) => address).sort(), cluster.addresses.toSorted());
    assert.deepEqual(nodesOf(healthy).map(({ role }) => role).sort(), [
      ...Array(3).fill("master"),
      ...Array(3).fill("replica"),
    ]);
    assert.equal(nodesOf(healthy).reduce((sum, { slots }) => sum + slots, 0), 16_384);
    assert.deepEqual([
      healthy.readings.slots_uncovered,
      healthy.readings.nodes_down,
      healthy.readings.replicas,
    ], [0, 0, 3]);
    for (let i = 0; i < 90; i++) {
      const key = `{${i}}key`;
      for (const node of [0, 1, 2]) await cluster.client(node).set(key, "x").catch(() => {});
    }
    await monitor.line("all keys once", ({ readings }) => readings?.keys === 90);
    const good = await checkBy(args);
    assert.equal(good.code, 0, good.line);
    assert.match(good.line, /6 of 6 nodes up/);

    await cluster.kill(1);
    const lost = await monitor.line("a node lost", ({ readings }) => readings?.nodes_down === 1);
    assert.equal(lost.state, "critical");
    assert.ok(
      lost.problems.some(({ text }: MonitorLine) => text.startsWith("master is lost: redis at ")),
      JSON.stringify(lost.problems),
    );
    const [killed] = nodesOf(lost).filter(({ up }) => !up);
    assert.equal(killed.address, cluster.addresses[1]);
    await cluster.failedOver(1);
    const seen = monitor.lines.length;
    const over = await monitor.line("slots are covered by the replica", ({ readings, sample }) => {
      return readings?.slots_uncovered === 0 && sample.cluster.state === "ok" &&
        sample.cluster.failing.length === 1;
    }, seen);
    assert.equal(over.state, "critical", "a node is still lost");
    assert.equal((await checkBy(args)).code, 2);
    await cluster.revive(1);
    await monitor.line("whole again", ({ state }) => state === "ok", monitor.lines.length);
  },
);

testUnless(
  missing,
  "sentinel: master and replica by the Sentinel's word; a failover is followed",
  async () => {
    await using master = await RedisServer.start({ args: ["--repl-diskless-sync-delay", "0"] });
    await using replica = await RedisServer.start({ args: ["--replicaof", "127.0.0.1", `${master.port}`] });
    await using sentinel = await RedisServer.startSentinel(master);
    const args = ["redis", "--topology", "sentinel", "--url", sentinel.url, "--timeout", "2"];
    await using monitor = new MonitorStream([...args, "--interval", "0.3"]);
    const healthy = await monitor.line(
      "two nodes",
      ({ sample }) => sample?.nodes.length === 2 && sample.sentinels[0].known_replicas === 1,
    );
    assert.deepEqual(nodesOf(healthy).map(({ address, role }) => [address, role]), [
      [`127.0.0.1:${master.port}`, "master"],
      [`127.0.0.1:${replica.port}`, "replica"],
    ]);
    assert.equal(healthy.target, `mymaster of 127.0.0.1:${sentinel.port}`);
    assert.equal(healthy.sample.sentinels[0].master, `127.0.0.1:${master.port}`);
    await master.kill();
    await monitor.line("the master is lost", ({ state }) => state === "critical");
    const seen = monitor.lines.length;
    const after = await monitor.line("the replica took over", ({ sample }) => {
      return sample?.nodes[0].address === `127.0.0.1:${replica.port}` && sample.nodes[0].role === "master";
    }, seen);
    assert.equal(after.readings.nodes_down, 1, "the old master is known as a replica, and away");
    const unknown = await checkBy([...args, "--master-name", "nobody"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.line, /No such master/);
  },
);

serviceTest("tmux", "on a terminal: a Cluster at 80×24, a row per node, sorted by key", async (tmux) => {
  if (missing) return;
  await using cluster = await RedisClusterServers.start(program!, systemClock);
  const args = ["monitor", "redis", "--topology", "cluster", "--url", cluster.url];
  await using screen = await TmuxScreen.start(tmux, args);
  const text = await screen.shows(
    /slots 16384 of 16384[\s\S]*Nodes[\s\S]*replica[\s\S]*every|Nodes {2}by role/,
  );
  assert.match(text, /nodes 6 of 6 up/);
  for (const address of cluster.addresses) {
    assert.ok(text.includes(address), `${address} has a row:\n${text}`);
  }
  await screen.type("n");
  await screen.shows(/Nodes {2}by node/);
  const addresses = async () =>
    (await screen.lines()).map((line) => /^[> ](127\S+)/.exec(line)?.[1]).filter(Boolean);
  await until("sorted by address", async () => {
    const shown = await addresses();
    return shown.length === 6 &&
      shown.join() === shown.toSorted((a, b) => a!.localeCompare(b!, "en", { numeric: true })).join();
  });
});
