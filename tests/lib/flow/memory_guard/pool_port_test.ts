/** A worker's pool through a port: what the guard sees, what it says, and what counts as gone meanwhile. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { type Holding, Holdings } from "../../../../lib/flow/memory_guard/holdings.ts";
import { servePool, WorkerPool } from "../../../../lib/flow/memory_guard/pool_port.ts";
import type { GuardedPool } from "../../../../lib/flow/memory_guard.ts";

/** Two ends that hand messages over only when told, as clones. */
function wire() {
  const ends = [new EventTarget(), new EventTarget()];
  const waiting: (() => void)[] = [];
  const end = (own: number) => ({
    postMessage: (message: unknown) => {
      const data = structuredClone(message);
      waiting.push(() => ends[1 - own].dispatchEvent(new MessageEvent("message", { data })));
    },
    addEventListener: ends[own].addEventListener.bind(ends[own]) as MessagePort["addEventListener"],
    removeEventListener: ends[own].removeEventListener.bind(ends[own]) as MessagePort["removeEventListener"],
  });
  const deliver = (count = waiting.length) => waiting.splice(0, count).forEach((one) => one());
  return { main: end(0), worker: end(1), deliver };
}

Deno.test("pool port: a snapshot is what the guard works on; those told to go count as gone at once", () => {
  const clock = new ManualClock();
  const { main, worker, deliver } = wire();
  const holdings = new Holdings();
  const gone: string[] = [];
  const steps: boolean[] = [];
  for (let i = 1; i <= 40; i++) {
    const id = `c${i}`;
    const holding: Holding = holdings.add({
      id,
      priority: i % 2,
      tenant: `t${i % 3}`,
      evict() {
        gone.push(id);
        holdings.remove(holding);
      },
    });
    holding.set(i * 10_000);
  }
  const pool: GuardedPool = {
    name: "in the worker",
    measure: () => ({
      client_bytes: holdings.client_bytes,
      unique_bytes: holdings.client_bytes / 2,
      clients: holdings.clients,
    }),
    candidates: (limit) => holdings.candidates(limit),
    tenantBytes: () => holdings.tenantBytes(),
    setPressure: ({ conflate_all }) => steps.push(conflate_all),
  };
  const seen = new WorkerPool("worker-1", main);
  assert.deepEqual(seen.measure(), { client_bytes: 0, unique_bytes: 0, clients: 0 });
  const stop = servePool(pool, worker, clock);
  deliver();
  assert.deepEqual(seen.measure(), pool.measure());
  assert.deepEqual(seen.tenantBytes(), pool.tenantBytes());
  assert.equal(seen.candidates().length, 32);
  seen.setPressure({ refuse_newcomers: true, conflate_all: true });
  const before = seen.measure();
  const victim = seen.candidates()[0];
  victim.evict();
  victim.evict();
  const after = seen.measure();
  assert.equal(after.client_bytes, before.client_bytes - victim.held_bytes);
  assert.equal(after.unique_bytes, before.unique_bytes - victim.held_bytes / 2);
  assert.equal(after.clients, 39);
  assert.ok(!seen.candidates().some(({ id }) => id === victim.id));
  // A snapshot from before the word arrived does not bring it back.
  clock.advance(50);
  deliver();
  assert.equal(seen.measure().clients, 39);
  assert.deepEqual(gone, [victim.id]);
  assert.deepEqual(steps, [true]);
  clock.advance(50);
  deliver();
  assert.deepEqual(seen.measure(), pool.measure());
  stop();
  seen[Symbol.dispose]();
  assert.equal(clock.pending, 0);
  assert.equal(seen.measure().clients, 0);
});
