/**
 * Quotas over several nodes on real Redis: single and Cluster, dead nodes, Redis away and back. Nodes are ledgers of this
 * process, each with its own connections, as they would be on machines of their own.
 */
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { nextTurn, sleep, systemClock } from "../../lib/base/clock.ts";
import { Random } from "../../lib/base/random.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { readRedisAddress, redisAddressOf } from "../../lib/config/redis_address.ts";
import { RedisLedger } from "../../lib/servers/access/redis_ledger.ts";
import { TenantShare } from "../../lib/servers/access/tenant_share.ts";
import type { RedisAddress } from "../../lib/wire/redis/redis_link.ts";
import { eventually } from "../contracts/sink_rig.ts";
import { LogBook } from "../lib/servers/access/tenants_rig.ts";
import { serviceTest, testUnless } from "../services.ts";
import { RedisClusterServers } from "./redis_cluster.ts";
import { RedisServer, redisServerMissing } from "./redis_server.ts";

const addressOf = (settings: Record<string, unknown>) => readRedisAddress(redisAddressOf(settings));

class Node implements AsyncDisposable {
  readonly log = new LogBook();
  readonly metrics = new Metrics();
  readonly ledger: RedisLedger;
  constructor(address: RedisAddress, key_prefix: string) {
    this.ledger = new RedisLedger(address, {
      clock: systemClock,
      log: this.log,
      metrics: this.metrics,
      key_prefix,
    });
  }
  static async open(address: RedisAddress, key_prefix: string): Promise<Node> {
    const node = new Node(address, key_prefix);
    await eventually("ledger", () => node.ledger.notReady() === undefined);
    return node;
  }
  get local_decisions(): number {
    return this.metrics.counter("access_quota_local_decisions_total", "").with().value;
  }
  take = async (tenant: string, tries: number, max: number): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: tries }, () => this.ledger.acquire(tenant, max)));
    return answers.filter(Boolean).length;
  };
  [Symbol.asyncDispose](): Promise<void> {
    return this.ledger[Symbol.asyncDispose]();
  }
}

const freshPrefix = () => `mdg-test-${crypto.randomUUID()}`;

async function keepsLimits(address: RedisAddress): Promise<void> {
  const prefix = freshPrefix();
  const tenants = Array.from({ length: 20 }, (_, i) => `tenant-${i}`);
  const nodes = await Promise.all([0, 1, 2].map(() => Node.open(address, prefix)));
  try {
    // all nodes ask for all tenants at once, three times what there is
    const taken = await Promise.all(
      tenants.map(async (tenant) => await Promise.all(nodes.map((node) => node.take(tenant, 30, 30)))),
    );
    for (const counts of taken) assert.equal(counts.reduce((sum, one) => sum + one), 30, `${counts}`);
    for (const node of nodes) assert.equal(node.local_decisions, 0, node.log.lines.join("\n"));
    // a place given back here is free there, wherever it was given
    const giver = nodes.findIndex((_, i) => taken[0][i] > 0);
    nodes[giver].ledger.release(tenants[0]);
    const other = nodes[(giver + 1) % 3];
    await eventually("place", async () => await other.take(tenants[0], 1, 30) === 1);
    assert.equal(await other.take(tenants[0], 1, 30), 0);
    // a node that ends takes its places with it
    await nodes[0][Symbol.asyncDispose]();
    assert.equal(await nodes[1].take(tenants[1], 30, 30), taken[1][0]);
    assert.equal(await nodes[1].take(tenants[1], 1, 31), 1, "a limit that was raised counts at once");
  } finally {
    for (const node of nodes) await node[Symbol.asyncDispose]();
  }
}

/** Places come and go at random on all nodes at once: nobody ever sees more of them than there are. */
async function keepsLimitsInChurn(address: RedisAddress): Promise<void> {
  const [prefix, max, random] = [freshPrefix(), 10, new Random("churn")];
  const nodes = await Promise.all([0, 1, 2].map(() => Node.open(address, prefix)));
  const tenants = ["a", "b", "c"].map((id) => ({ id, held: nodes.map(() => 0), most: 0 }));
  try {
    await Promise.all(
      nodes.flatMap(({ ledger }, i) =>
        tenants.flatMap((tenant) =>
          Array.from({ length: 6 }, async () => {
            for (let step = 0; step < 100; step++) {
              if (!await ledger.acquire(tenant.id, max)) continue;
              tenant.held[i]++;
              const all = tenant.held.reduce((sum, one) => sum + one);
              tenant.most = Math.max(tenant.most, all);
              for (let turns = random.integer(0, 5); turns > 0; turns--) await nextTurn();
              if (step === 99) continue;
              tenant.held[i]--;
              ledger.release(tenant.id);
            }
          })
        )
      ),
    );
    for (const { id, held, most } of tenants) {
      assert.equal(most, max, id);
      const left = max - held.reduce((sum, one) => sum + one);
      await eventually("told", async () => {
        const more = await nodes[0].take(id, max, max);
        for (let i = 0; i < more; i++) nodes[0].ledger.release(id);
        return more === left;
      });
    }
    for (const node of nodes) assert.equal(node.local_decisions, 0, node.log.lines.join("\n"));
  } finally {
    for (const node of nodes) await node[Symbol.asyncDispose]();
  }
}

async function keepsRate(address: RedisAddress): Promise<void> {
  const prefix = freshPrefix();
  const rate = 400_000;
  await using one = await Node.open(address, prefix);
  await using two = await Node.open(address, prefix);
  const shares = [one, two].map(({ ledger }) => new TenantShare("acme", ledger, systemClock, rate));
  await Promise.all(shares.map((share) => share.prepare()));
  const sent = [0, 0];
  const start_ms = systemClock.monotonic_ms();
  let now_ms = start_ms;
  for (; now_ms < start_ms + 3_000; now_ms = systemClock.monotonic_ms()) {
    for (const [i, share] of shares.entries()) while (share.takeBytes(1_000)) sent[i] += 1_000;
    await sleep(systemClock, 2);
  }
  const total = sent[0] + sent[1];
  // by Redis's own clock, so this holds however busy the machine is: the time, the burst, a slice a node
  const most = rate * ((now_ms - start_ms) / 1_000 + 1 + 0.2);
  assert.ok(total <= most, `${total} of at most ${most}`);
  assert.ok(sent[0] > 0 && sent[1] > 0, `${sent}`);
}

serviceTest(
  "redis",
  "quotas: three nodes never give more places than there are (single Redis)",
  async (url) => {
    await keepsLimits(await addressOf({ url }));
  },
);

serviceTest("redis", "quotas: places that come and go on three nodes at once (single Redis)", async (url) => {
  await keepsLimitsInChurn(await addressOf({ url }));
});

serviceTest(
  "redis",
  "quotas: two nodes together keep a tenant's bytes per second (single Redis)",
  async (url) => {
    await keepsRate(await addressOf({ url }));
  },
);

testUnless(redisServerMissing(), "quotas: the same on a Redis Cluster, through a failover", async () => {
  await using cluster = await RedisClusterServers.start("redis-server", systemClock);
  const address = await addressOf({ url: cluster.url, topology: "cluster", nodes: cluster.addresses });
  await keepsLimits(address);
  await keepsLimitsInChurn(address);
  await keepsRate(address);
  await using node = await Node.open(address, freshPrefix());
  const tenants = Array.from({ length: 30 }, (_, i) => `t${i}`);
  for (const tenant of tenants) assert.equal(await node.take(tenant, 5, 10), 5);
  await cluster.kill(0);
  await cluster.failedOver(0);
  await eventually("whole", () => node.ledger.notReady() === undefined);
  await sleep(systemClock, 1_100);
  const before = node.local_decisions;
  for (const tenant of tenants) assert.equal(await node.take(tenant, 10, 10), 5, tenant);
  assert.equal(node.local_decisions, before);
});

serviceTest("redis", "quotas: places of a node that died without a word come free", async (url) => {
  const prefix = freshPrefix();
  const address = await addressOf({ url });
  await using alive = await Node.open(address, prefix);
  const redis = new Redis(url);
  try {
    // what a node leaves that can't say goodbye: its word, good for a little longer
    const [seconds] = await redis.time();
    const key = `${prefix}:{acme}:connections`;
    await redis.hset(key, "dead-node", `7 ${Number(seconds) * 1_000 + 3_000}`);
    assert.equal(await alive.take("acme", 10, 10), 3);
    await redis.hset(key, "dead-node", `7 ${Number(seconds) * 1_000 - 1}`);
    await redis.hset(key, "damaged", "nonsense");
    assert.equal(await alive.take("acme", 10, 10), 7);
    assert.deepEqual(await redis.hkeys(key), [alive.ledger.node]);
    const ttl = await redis.pttl(key);
    assert.ok(ttl > 0 && ttl <= 15_000, `${ttl}`);
  } finally {
    await redis.del(`${prefix}:{acme}:connections`, `${prefix}:nodes`);
    await redis.quit();
  }
});

testUnless(
  redisServerMissing(),
  "quotas: while Redis is away each node grants its share; counted, said, and right again after",
  async () => {
    await using server = await RedisServer.start();
    const address = await addressOf({ url: server.url });
    const prefix = freshPrefix();
    const nodes = await Promise.all([0, 1].map(() => Node.open(address, prefix)));
    try {
      await eventually("both are seen", () => nodes.every(({ ledger }) => ledger.nodes === 2), 20_000);
      assert.equal(await nodes[0].take("acme", 3, 10), 3);
      await server.kill();
      await eventually("away", () => nodes.every(({ ledger }) => ledger.notReady() !== undefined));
      assert.equal(await nodes[0].take("acme", 10, 10), 2, "half of ten, less the three it holds");
      assert.equal(await nodes[1].take("acme", 10, 10), 5);
      assert.ok(nodes[1].local_decisions > 0);
      assert.match(nodes[1].log.lines.join("\n"), /quotas hold on this node only.*"share":"1\/2"/);
      const { bytes } = await nodes[0].ledger.draw("acme", 10_000, 10_000);
      assert.equal(bytes, 5_000);
      await server.start();
      await eventually("back", () => nodes.every(({ ledger }) => ledger.notReady() === undefined));
      const redis = new Redis(server.url);
      await eventually("told", async () => await redis.hlen(`${prefix}:{acme}:connections`) === 2);
      await redis.quit();
      assert.equal(await nodes[0].take("acme", 5, 10), 0, "ten are held, wherever they were granted");
    } finally {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    }
  },
);

testUnless(
  redisServerMissing(),
  "quotas: a Redis that is stopped (not gone) costs half a second once, not every connection",
  async () => {
    await using server = await RedisServer.start();
    await using node = await Node.open(await addressOf({ url: server.url }), freshPrefix());
    assert.equal(await node.take("acme", 1, 10), 1);
    server.signal("SIGSTOP");
    try {
      const answers: number[] = [];
      // in turn: would each wait, it would be five seconds; the deadline of the first is what all others know
      for (let i = 0; i < 10; i++) answers.push(await node.take(`t${i}`, 1, 10));
      assert.deepEqual(answers, Array(10).fill(1));
      assert.equal(node.log.lines.filter((line) => line.includes("no answer within 500 ms")).length, 1);
    } finally {
      server.signal("SIGCONT");
    }
  },
);
