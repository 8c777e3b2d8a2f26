/** The guard's steps one by one, with memory that the test sets. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { BudgetGuard } from "../../../../lib/flow/memory_guard/budget_guard.ts";
import { type Holding, Holdings } from "../../../../lib/flow/memory_guard/holdings.ts";
import { MIB } from "./simulated_clients.ts";

const BUDGET = 1_000 * MIB;

function stage() {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const memory = { base_bytes: 100 * MIB };
  const holdings = new Holdings();
  const gone: string[] = [];
  const steps: string[] = [];
  const held = () => holdings.client_bytes;
  const guard = new BudgetGuard({
    budget_bytes: BUDGET,
    budget_from: "the test",
    sample_interval_ms: 100,
    readMemory: () => ({ rss_bytes: memory.base_bytes + held(), heap_used_bytes: 0, external_bytes: 0 }),
    clock,
    log: silentLog,
    metrics,
  });
  const remove = guard.addPool({
    name: "pool",
    measure: () => ({ client_bytes: held(), unique_bytes: held(), clients: holdings.clients }),
    candidates: (limit) => holdings.candidates(limit),
    tenantBytes: () => holdings.tenantBytes(),
    setPressure: ({ refuse_newcomers, conflate_all }) => steps.push(`${refuse_newcomers} ${conflate_all}`),
  });
  const client = (id: string, priority: number, tenant: string, bytes: number): Holding => {
    const holding: Holding = holdings.add({
      id,
      priority,
      tenant,
      evict() {
        gone.push(id);
        holdings.remove(holding);
      },
    });
    holding.set(bytes);
    return holding;
  };
  const counter = (name: string, ...labels: string[]) => metrics.counter(name, "").with(...labels).value;
  return { clock, memory, guard, client, gone, steps, counter, remove, holdings };
}

Deno.test("guard: from 70 % pools refuse and conflate, until it is well under that for a while", () => {
  const { clock, memory, guard, gone, steps, counter } = stage();
  assert.deepEqual(steps, ["false false"]);
  memory.base_bytes = 700 * MIB;
  clock.advance(100);
  assert.deepEqual(steps, ["false false", "true true"]);
  assert.equal(guard.state.level, 1);
  // Just below is not enough, and neither is a moment.
  memory.base_bytes = 660 * MIB;
  clock.advance(10_000);
  assert.equal(guard.state.level, 1);
  memory.base_bytes = 600 * MIB;
  clock.advance(100);
  assert.deepEqual(steps, ["false false", "true true", "false false"]);
  memory.base_bytes = 710 * MIB;
  clock.advance(100);
  memory.base_bytes = 600 * MIB;
  clock.advance(1_900);
  assert.equal(guard.state.level, 1, "come back at once, it is held twice as long");
  clock.advance(200);
  assert.equal(guard.state.level, 0);
  assert.equal(guard.state.oscillations, 1);
  assert.equal(counter("mdg_memory_oscillations_total"), 1);
  assert.equal(counter("mdg_memory_levels_total", "1"), 2);
  assert.deepEqual(gone, []);
  guard[Symbol.dispose]();
  assert.equal(clock.pending, 0);
});

Deno.test("guard: at 80 % the largest of the lowest class goes, and no more than needed", () => {
  const { clock, memory, guard, client, gone, counter } = stage();
  client("low-small", 1, "a", 20 * MIB);
  client("low-large", 1, "a", 40 * MIB);
  client("high-huge", 5, "b", 300 * MIB);
  memory.base_bytes = 450 * MIB;
  clock.advance(100);
  assert.deepEqual(gone, ["low-large", "low-small"]);
  assert.equal(guard.state.used_bytes, 750 * MIB);
  assert.equal(counter("mdg_memory_evictions_total", "class"), 2);
  assert.equal(counter("mdg_memory_evicted_bytes_total", "class"), 60 * MIB);
  const [last, first] = guard.acts(2);
  assert.deepEqual(
    [first.target, first.pool, first.tenant, first.priority, first.bytes, first.reason, last.target],
    ["low-large", "pool", "a", 1, 40 * MIB, "evict the lowest class first", "low-small"],
  );
  clock.advance(10_000);
  assert.equal(gone.length, 2);
  guard[Symbol.dispose]();
});

Deno.test("guard: at 90 % the tenant far over its share pays first, whatever its class", () => {
  const { clock, memory, guard, client, gone } = stage();
  client("modest", 1, "modest", 120 * MIB);
  for (let i = 0; i < 6; i++) client(`greedy-${i}`, 9, "greedy", (100 + i) * MIB);
  memory.base_bytes = 200 * MIB;
  clock.advance(100);
  // 935 MiB: by share until under 90 %, then by class again.
  assert.deepEqual(gone, ["greedy-5", "greedy-4"]);
  assert.equal(guard.acts(1)[0].reason, "evict by size over the tenant's share");
  guard[Symbol.dispose]();
});

Deno.test("guard: at 95 % upstreams that can wait are paused, until it is under 90 % for a while", () => {
  const { clock, memory, guard } = stage();
  const said: string[] = [];
  const upstream = (name: string, recoverable: boolean) => ({
    name,
    recoverable,
    pause: (reason: string) => said.push(`${name} paused: ${reason}`),
    resume: () => said.push(`${name} resumed`),
  });
  guard.addUpstream(upstream("live", true));
  guard.addUpstream(upstream("simulator", false));
  memory.base_bytes = 960 * MIB;
  clock.advance(100);
  assert.deepEqual(said.splice(0), ["live paused: memory is short"]);
  assert.deepEqual(guard.state.paused, ["live"]);
  const take_back = guard.addUpstream(upstream("late", true));
  assert.deepEqual(said.splice(0), ["late paused: memory is short"]);
  take_back();
  assert.deepEqual(said.splice(0), ["late resumed"]);
  memory.base_bytes = 880 * MIB;
  clock.advance(100);
  assert.deepEqual(said, []);
  clock.advance(1_000);
  assert.deepEqual(said.splice(0), ["live resumed"]);
  memory.base_bytes = 990 * MIB;
  clock.advance(100);
  said.splice(0);
  guard[Symbol.dispose]();
  assert.deepEqual(said, ["live resumed"], "nobody stays paused when the guard goes");
});

Deno.test("guard: memory that clients do not hold costs none of them the connection", () => {
  const { clock, memory, guard, client, gone } = stage();
  for (let i = 0; i < 10; i++) client(`c${i}`, 1, "a", 100_000);
  memory.base_bytes = 990 * MIB;
  clock.advance(60_000);
  assert.deepEqual(gone, []);
  assert.equal(guard.state.level, 4);
  guard[Symbol.dispose]();
});

Deno.test("guard: memory given back late, or never, is not evicted for twice", () => {
  const { clock, memory, guard, client, gone, holdings } = stage();
  memory.base_bytes = 400 * MIB;
  for (let i = 0; i < 20; i++) client(`c${String(i).padStart(2, "0")}`, 1, "a", 20 * MIB + i);
  clock.advance(100);
  const count = gone.length;
  assert.ok(count >= 3 && count <= 4, `${count} gone`);
  // The resident set stays where it was, as if nothing had been collected.
  memory.base_bytes += 400 * MIB - holdings.client_bytes;
  clock.advance(10_000);
  assert.equal(gone.length, count);
  guard[Symbol.dispose]();
});

Deno.test("guard: much that is queued brings the next look forward, after the caller's turn", async () => {
  const { memory, guard, client, gone } = stage();
  client("c", 1, "a", 200 * MIB);
  memory.base_bytes = 700 * MIB;
  guard.noteAdmitted(15 * MIB);
  await undefined;
  assert.deepEqual(gone, []);
  guard.noteAdmitted(2 * MIB);
  assert.deepEqual(gone, []);
  await undefined;
  assert.deepEqual(gone, ["c"]);
  guard[Symbol.dispose]();
  guard.noteAdmitted(100 * MIB);
  await undefined;
});

Deno.test("guard: a pool that throws and a client that does not go keep it from nothing", () => {
  const { clock, memory, guard, client, gone, counter } = stage();
  const broken = () => {
    throw new Error("broken");
  };
  guard.addPool({
    name: "broken",
    measure: broken,
    candidates: broken,
    tenantBytes: broken,
    setPressure: broken,
  });
  guard.addPool({
    name: "deaf",
    measure: () => ({ client_bytes: 90 * MIB, unique_bytes: 90 * MIB, clients: 1 }),
    candidates: () => [{ id: "deaf", priority: 0, tenant: "a", held_bytes: 90 * MIB, evict() {} }],
    tenantBytes: () => new Map(),
    setPressure() {},
  });
  client("c", 1, "a", 100 * MIB);
  memory.base_bytes = 720 * MIB;
  clock.advance(100);
  assert.deepEqual(gone, ["c"]);
  assert.ok(counter("mdg_memory_faults_total") >= 3);
  guard[Symbol.dispose]();
});

Deno.test("guard: garbage is collected before anybody is ended for it, and ends nobody", async () => {
  const clock = new ManualClock();
  const holdings = new Holdings();
  const gone: string[] = [];
  const said: string[] = [];
  let garbage_bytes = 0;
  let reclaiming = Promise.withResolvers<boolean>();
  let asked = 0;
  const rss = () => 300 * MIB + holdings.client_bytes + garbage_bytes;
  using guard = new BudgetGuard({
    budget_bytes: BUDGET,
    budget_from: "the test",
    sample_interval_ms: 100,
    readMemory: () => ({ rss_bytes: rss(), heap_used_bytes: 0, external_bytes: garbage_bytes }),
    reclaim: () => {
      asked++;
      reclaiming = Promise.withResolvers();
      return reclaiming.promise;
    },
    clock,
    log: silentLog,
    metrics: new Metrics(),
  });
  guard.addPool({
    name: "pool",
    measure: () => ({
      client_bytes: holdings.client_bytes,
      unique_bytes: holdings.client_bytes,
      clients: holdings.clients,
    }),
    candidates: (limit) => holdings.candidates(limit),
    tenantBytes: () => holdings.tenantBytes(),
    setPressure() {},
    collect: () => said.push("collect"),
  });
  guard.addUpstream({
    name: "live",
    recoverable: true,
    pause: () => said.push("pause"),
    resume: () => said.push("resume"),
  });
  const holding: Holding = holdings.add({
    id: "c",
    priority: 1,
    tenant: "a",
    evict() {
      gone.push("c");
      holdings.remove(holding);
    },
  });
  holding.set(300 * MIB);
  garbage_bytes = 250 * MIB;
  clock.advance(100);
  assert.deepEqual([asked, said.splice(0)], [1, ["collect"]]);
  assert.equal(guard.state.level, 1, "what may be garbage is reason to refuse newcomers, for nothing worse");
  // It goes on meanwhile: what makes it has to wait, and still nobody is ended.
  garbage_bytes = 360 * MIB;
  clock.advance(100);
  assert.deepEqual([asked, gone, said.splice(0)], [1, [], ["pause"]]);
  garbage_bytes = 0;
  reclaiming.resolve(true);
  await reclaiming.promise;
  await undefined;
  await undefined;
  clock.advance(100);
  assert.deepEqual([gone, said.splice(0)], [[], ["resume"]]);
  // What a collection leaves is in use: now somebody has to go, and at once.
  holding.set(550 * MIB);
  clock.advance(100);
  assert.deepEqual([asked, gone], [2, []]);
  reclaiming.resolve(true);
  for (let i = 0; i < 5; i++) await undefined;
  assert.deepEqual(gone, ["c"]);
  assert.equal(guard.state.reclaims, 2);
});

Deno.test("guard: a collection that never ends is given up", async () => {
  const { clock, memory, client, gone, guard } = stage();
  guard[Symbol.dispose]();
  using stuck = new BudgetGuard({ ...guard.options, reclaim: () => new Promise(() => {}) });
  const holdings = new Holdings();
  stuck.addPool({
    name: "pool",
    measure: () => ({ client_bytes: 200 * MIB, unique_bytes: 200 * MIB, clients: 1 }),
    candidates: (limit) => holdings.candidates(limit),
    tenantBytes: () => holdings.tenantBytes(),
    setPressure() {},
  });
  client("unreachable", 1, "a", 200 * MIB);
  const own: Holding = holdings.add({
    id: "own",
    priority: 1,
    tenant: "a",
    evict() {
      gone.push("own");
      holdings.remove(own);
    },
  });
  own.set(200 * MIB);
  memory.base_bytes = 680 * MIB;
  clock.advance(100);
  assert.deepEqual(gone, []);
  clock.advance(1_000);
  for (let i = 0; i < 10; i++) await undefined;
  assert.deepEqual(gone, ["own"]);
});
