/**
 * The snapshot queue against a real HTTP server with a clock of the test's own: single flight, sizes that fit the budget,
 * the venue's 429 and 418 obeyed, refreshes that wait for books out of sync.
 */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Random } from "../../../../lib/base/random.ts";
import type { SnapshotSpec } from "../../../../lib/feeds/feed.ts";
import { SnapshotQueue } from "../../../../lib/sources/live/snapshot_queue.ts";

const SPEC: SnapshotSpec = {
  sizes: [{ depth_limit: 1000, weight: 20 }, { depth_limit: 100, weight: 5 }],
  weight_per_minute: 1_000,
  path: (symbol, depth_limit) => `/${symbol}/${depth_limit}`,
  parse: () => undefined,
};

interface Rig extends AsyncDisposable {
  clock: ManualClock;
  queue: SnapshotQueue;
  /** "SYMBOL/depth" of every request that came. */
  requests: string[];
  arrived: string[];
  /** Resolves when so many answers were handled, good or bad. */
  handled(count: number): Promise<void>;
  respond: (path: string) => Response | Promise<Response>;
  ready: (symbol: string) => boolean;
}

function rig(): Rig {
  const clock = new ManualClock();
  const requests: string[] = [];
  const arrived: string[] = [];
  const stop = new AbortController();
  const metrics = new Metrics();
  const results = metrics.counter("snapshot_requests_total", "test", ["venue", "result"]);
  const self: Rig = {
    clock,
    requests,
    arrived,
    respond: () => new Response("{}"),
    ready: () => true,
    queue: undefined as unknown as SnapshotQueue,
    async handled(count) {
      for (;;) {
        let sum = 0;
        for (const { value } of results.children.values()) sum += value.value;
        if (sum >= count) return;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.shutdown();
    },
  };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const path = new URL(request.url).pathname.slice(1);
    requests.push(path);
    return self.respond(path);
  });
  self.queue = new SnapshotQueue({
    rest_url: `http://127.0.0.1:${server.addr.port}`,
    spec: SPEC,
    clock,
    log: silentLog,
    random: new Random("snapshots"),
    results,
    venue: "test",
    signal: stop.signal,
    ready: (symbol) => self.ready(symbol),
    arrived: (symbol, _body, _received_us, depth_limit) => arrived.push(`${symbol}/${depth_limit}`),
  });
  return self;
}

Deno.test("one request per symbol at a time, none before its stream flows", async () => {
  await using run = rig();
  run.ready = () => false;
  run.queue.request("A", true);
  run.queue.request("A", true);
  assert.equal(run.queue.waiting, 1);
  run.ready = () => true;
  run.queue.pump();
  run.queue.request("A", true);
  await run.handled(1);
  assert.deepEqual(run.requests, ["A/1000"]);
  assert.deepEqual(run.arrived, ["A/1000"]);
});

Deno.test("with many symbols waiting the snapshots are as deep as the budget lets all have them", async () => {
  await using run = rig();
  run.ready = () => false;
  for (let i = 0; i < 100; i++) run.queue.request(`S${i}`, true);
  run.ready = () => true;
  run.queue.pump();
  await run.handled(100);
  // 80 % of 1,000: a hundred shallow ones cost 500 and leave room for the last few to be deep.
  const deep = run.requests.filter((one) => one.endsWith("/1000")).length;
  const spent = deep * 20 + (100 - deep) * 5;
  assert.equal(run.arrived.length, 100);
  assert.ok(spent <= 800, `spent ${spent}`);
});

Deno.test("symbols that begin to flow one by one share the budget as if they had come together", async () => {
  await using run = rig();
  const flowing = new Set<string>();
  run.ready = (symbol) => flowing.has(symbol);
  for (let i = 0; i < 100; i++) run.queue.request(`S${i}`, true);
  for (let i = 0; i < 100; i++) {
    flowing.add(`S${i}`);
    run.queue.pump();
    await run.handled(i + 1);
  }
  assert.equal(run.arrived.length, 100);
});

Deno.test("the budget of a minute is never exceeded, and what waits goes out in the next", async () => {
  await using run = rig();
  run.ready = () => false;
  for (let i = 0; i < 200; i++) run.queue.request(`S${i}`, true);
  run.ready = () => true;
  run.queue.pump();
  await run.handled(160);
  assert.equal(run.requests.length, 160);
  run.clock.advance(59_000);
  run.queue.pump();
  assert.equal(run.queue.waiting, 40);
  run.clock.advance(1_001);
  run.queue.pump();
  await run.handled(200);
  assert.equal(run.queue.waiting, 0);
});

Deno.test("a live book's refresh is deep and leaves a reserve for books out of sync", async () => {
  await using run = rig();
  run.ready = () => false;
  for (let i = 0; i < 60; i++) run.queue.request(`R${i}`, false);
  run.ready = () => true;
  run.queue.pump();
  // 800 less the reserve of 250, in steps of 20: 27 refreshes.
  await run.handled(27);
  assert.ok(run.requests.every((one) => one.endsWith("/1000")));
  run.queue.request("U", true);
  await run.handled(28);
  assert.equal(run.requests.length, 28);
  assert.equal(run.requests.at(-1), "U/1000");
});

for (
  const [status, retry_after, pause_ms] of [[429, "7", 7_000], [429, undefined, 5_000], [
    418,
    undefined,
    120_000,
  ]] as const
) {
  Deno.test(`${status} with Retry-After ${retry_after ?? "absent"} stops all requests for ${pause_ms} ms`, async () => {
    await using run = rig();
    run.respond = () =>
      new Response("no", { status, headers: retry_after ? { "retry-after": retry_after } : {} });
    run.queue.request("A", true);
    await run.handled(1);
    run.respond = () => new Response("{}");
    run.queue.request("B", true);
    run.clock.advance(pause_ms - 1);
    run.queue.pump();
    assert.deepEqual(run.requests, ["A/1000"]);
    run.clock.advance(2);
    run.queue.pump();
    await run.handled(3);
    assert.deepEqual([...run.arrived].sort(), ["A/1000", "B/1000"]);
  });
}

Deno.test("errors are retried with growing pauses; an answer to a forgotten symbol is dropped", async () => {
  await using run = rig();
  run.respond = () => new Response("gone", { status: 500 });
  run.queue.request("A", true);
  await run.handled(1);
  run.queue.pump();
  assert.equal(run.requests.length, 1);
  run.clock.advance(200);
  run.queue.pump();
  await run.handled(2);
  let release!: () => void;
  const held = new Promise<void>((resolve) => release = resolve);
  run.respond = () => held.then(() => new Response("{}"));
  run.clock.advance(400);
  run.queue.pump();
  while (run.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  run.queue.forget("A");
  release();
  await run.handled(3);
  assert.deepEqual(run.arrived, []);
});
