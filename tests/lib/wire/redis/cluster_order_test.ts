import assert from "node:assert/strict";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Random } from "../../../../lib/base/random.ts";
import { DeliveryQueue } from "../../../../lib/flow/delivery_queue.ts";
import { WriteRejected } from "../../../../lib/flow/delivery_target.ts";
import { clusterSlot } from "../../../../lib/wire/redis/cluster_slot.ts";
import { RedisCluster } from "../../../../lib/wire/redis/redis_cluster.ts";
import { MASTERS, nodeUrl, ScriptedCluster } from "./scripted_cluster.ts";
import { is_long } from "../../../services.ts";

const SEEDS = is_long ? 20_000 : 2_000;
const CANARY_SEEDS = 300;
const STEPS = 150;
/** Two streams of one slot, and others elsewhere. */
const KEYS = ["a{1}", "b{1}", "c{2}", "d{3}"];

interface Message {
  readonly channel?: string;
  readonly key: string;
  readonly slot: number;
  readonly id: number;
}

interface Outcome {
  /** What went wrong; empty when nothing did. */
  readonly fault: string;
  readonly repeated: number;
  readonly rejected: number;
}

/** One made-up life of a Cluster and of a sink that writes to it. */
class Life {
  readonly cluster = new ScriptedCluster();
  readonly clock = new ManualClock();
  readonly offered = new Map<string, string[]>();
  readonly link: RedisCluster;
  readonly queue: DeliveryQueue<Message>;
  readonly warnings: string[] = [];
  rejected = 0;
  #id = 0;

  constructor(readonly random: Random, readonly is_ordered = true) {
    const { clock } = this;
    const log = { ...silentLog, warn: (message: string) => void this.warnings.push(message) };
    const address = {
      topology: "cluster" as const,
      url: nodeUrl(0),
      nodes: [],
      master_name: "",
      connect_timeout_ms: 1_000,
      command_timeout_ms: 1_000,
    };
    const context = { name: "redis", clock, log, seed: "test", onReady: () => this.queue?.wake() };
    this.link = new RedisCluster(address, context, this.cluster.openNode);
    const queue_context = { clock, log: silentLog, metrics: new Metrics(), seed: "test", readBook() {} };
    this.queue = new DeliveryQueue(
      {
        name: "redis",
        encode: ({ symbol }) => this.#message(symbol),
        sizeBytes: () => 100,
        write: (messages) => this.#write(messages),
        notReady: () => this.link.notReady(),
      },
      { ...queue_context, readBook: () => undefined },
      { max_batch: 5, write_timeout_ms: 1_000_000 },
    );
  }
  offer(key: string): void {
    this.queue.offer({
      kind: "trade",
      venue: "test",
      symbol: key,
      trade_id: 1,
      price: 1,
      quantity: 1,
      aggressor: "buy",
      exchange_ms: 1,
      received_us: 1,
    });
  }
  async step(): Promise<void> {
    const { random, cluster } = this;
    const node = random.pick(cluster.nodes);
    const dice = random.unit();
    if (dice < 0.15) {
      for (let left = random.integer(1, 8); left > 0; left--) this.offer(random.pick(KEYS));
      this.queue.flush();
    } else if (dice < 0.40) {
      for (let left = random.integer(1, 6); left > 0; left--) node.work(random.chance(0.1));
    } else if (dice < 0.55) { for (let left = random.integer(1, 3); left > 0; left--) node.answer(); }
    else if (dice < 0.90) {
      for (let left = random.integer(1, 4); left > 0; left--) {
        cluster.move(() => ({ slot: clusterSlot(random.pick(KEYS)), to: random.integer(0, MASTERS - 1) }));
      }
    } else if (dice < 0.92) node.down = !node.down;
    else if (dice < 0.93) node.break();
    else if (dice < 0.96) node.connect();
    else this.clock.advance(random.integer(1, 60));
    await nextTurn();
  }
  /** All is well again, until everything is delivered. */
  async settle(): Promise<boolean> {
    const { nodes } = this.cluster;
    for (const node of nodes) node.down = false;
    while (this.cluster.moving) this.cluster.move(() => ({ slot: 0, to: 0 }));
    for (let round = 0; round < 300; round++) {
      for (const node of nodes) {
        node.connect();
        while (node.work() || node.work(true));
        while (node.answer());
      }
      await nextTurn();
      if (round > 3 && this.queue.queued === 0) return true;
      this.queue.flush();
      this.clock.advance(50);
    }
    return false;
  }
  async close(): Promise<void> {
    await this.queue.close(0);
    await this.link.close();
  }

  #message(key: string): Message {
    const id = ++this.#id;
    const ids = this.offered.get(key);
    if (ids) ids.push(`${id}`);
    else this.offered.set(key, [`${id}`]);
    return { channel: this.is_ordered ? key : undefined, key, slot: clusterSlot(key), id };
  }
  async #write(messages: readonly Message[]): Promise<void> {
    const answers = await this.link.send(
      messages,
      (commands, { key, id }) => void commands.command("XADD", key, id),
    );
    const retry = messages.map((_, i) => i).filter((i) => answers[i][0] !== null);
    if (retry.length === 0) return;
    this.rejected++;
    throw new WriteRejected("not taken", retry);
  }
}

async function live(life: Life): Promise<Outcome> {
  await life.settle();
  for (let i = 0; i < STEPS; i++) await life.step();
  const is_drained = await life.settle();
  let fault = is_drained ? "" : `${life.queue.queued} never delivered`;
  let repeated = 0;
  for (const [key, ids] of life.offered) {
    const stored = life.cluster.stored(key);
    const firsts = [...new Set(stored)];
    repeated += stored.length - firsts.length;
    if (firsts.length !== ids.length) fault ||= `${key}: ${ids.length - firsts.length} lost`;
    if (firsts.join() !== ids.join()) fault ||= `${key} out of order: offered ${ids}, stored ${stored}`;
  }
  await life.close();
  return { fault, repeated, rejected: life.rejected };
}
const randomOf = (seed: number) => new Random(`order ${seed}`);

Deno.test(`order per channel through ${SEEDS} made-up lives of a Cluster`, async () => {
  let rejected = 0;
  let repeated = 0;
  const faults: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const outcome = await live(new Life(randomOf(seed)));
    if (outcome.fault) faults.push(`seed ${seed}: ${outcome.fault}`);
    rejected += outcome.rejected;
    repeated += outcome.repeated;
  }
  if (faults.length > 0) throw new Error(`${faults.length} of ${SEEDS}; ${faults[0]}`);
  // Else nothing was put to the test.
  assert.ok(rejected > SEEDS && repeated > 0, `${rejected} rejected, ${repeated} repeated`);
});

Deno.test("canary: without the order of channels such lives find trades out of order", async () => {
  let faults = 0;
  for (let seed = 0; seed < CANARY_SEEDS; seed++) {
    const { fault } = await live(new Life(randomOf(seed), false));
    if (fault.includes("out of order")) faults++;
    else assert.equal(fault, "");
  }
  assert.ok(faults > CANARY_SEEDS / 20, `${faults}`);
});

Deno.test("canary: without transactions too, in one write; nothing is lost and it is said once", async () => {
  let faults = 0;
  for (let seed = 0; seed < CANARY_SEEDS; seed++) {
    const life = new Life(randomOf(seed));
    const forbidden = seed % 2 === 0 ? "MULTI" : "EXEC";
    for (const node of life.cluster.nodes) node.forbidden.add(forbidden);
    const { fault } = await live(life);
    if (fault.includes("out of order")) faults++;
    else assert.equal(fault, "");
    assert.equal(life.warnings.filter((line) => line.includes("without transactions")).length, 1, forbidden);
  }
  assert.ok(faults > 0, `${faults}`);
});

/** A Cluster whose slots are known, and the master that has the first key. */
async function opened() {
  const life = new Life(randomOf(0));
  await life.settle();
  const [key] = KEYS;
  const { nodes } = life.cluster;
  const slot = clusterSlot(key);
  const home = nodes[0].ownerOf(slot);
  const own = (owner: number) => nodes.forEach((node) => node.owners.set(slot, owner));
  const send = (...ids: number[]) =>
    life.link.send(
      ids.map((id) => ({ channel: key, slot, id })),
      (commands, { id }) => void commands.command("XADD", key, id),
    );
  return { life, key, slot, home: nodes[home], other: nodes[(home + 1) % MASTERS], own, send };
}

Deno.test("a slot away for one write and back for the next: the next waits and comes back with it", async () => {
  const { life, key, home, other, own, send } = await opened();
  own(other.index);
  const answers = Promise.all([send(1), send(2)]);
  home.work();
  own(home.index);
  while (home.work());
  while (home.answer());
  const errors = (await answers).map(([[error]]) => error?.message);
  assert.match(errors[0]!, /^MOVED/);
  assert.match(errors[1]!, /earlier/);
  assert.deepEqual(life.cluster.stored(key), []);
  await life.close();
});

Deno.test("a slot away for one command and back for the next of one write: none is taken", async () => {
  const { life, key, home, other, own, send } = await opened();
  const answers = send(1, 2, 3);
  assert.ok(home.work());
  own(other.index);
  assert.ok(home.work());
  own(home.index);
  while (home.work());
  home.answer();
  assert.equal((await answers).filter(([error]) => /^MOVED/.test(error?.message ?? "")).length, 3);
  assert.deepEqual(life.cluster.stored(key), []);
  await life.close();
});

Deno.test("ASK of a whole write is followed as a whole", async () => {
  const { life, key, slot, home, other, send } = await opened();
  other.importing.add(slot);
  home.migrating.set(slot, other.index);
  const answers = send(1, 2, 3);
  while (home.work());
  home.answer();
  await nextTurn();
  while (other.work());
  other.answer();
  assert.deepEqual((await answers).map(([error, reply]) => error ?? reply), ["1-0", "2-0", "3-0"]);
  assert.deepEqual(other.streams.get(key), ["1", "2", "3"]);
  await life.close();
});
