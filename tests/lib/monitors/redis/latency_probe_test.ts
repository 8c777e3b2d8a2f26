/**
 * No coordinated omission: a server that stands still counts once for every ping that was due meanwhile. The server is a
 * model on a clock that the test moves, so the true distribution is known; service times are drawn from a seed.
 */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { Random } from "../../../../lib/base/random.ts";
import { latencyFigures } from "../../../../lib/monitors/latency_windows.ts";
import { LatencyProbe } from "../../../../lib/monitors/redis/latency_probe.ts";
import type { RedisAnswer } from "../../../../lib/wire/redis/redis_link.ts";
import type { RespWriter } from "../../../../lib/wire/redis/resp_writer.ts";

const PERIOD_MS = 10;

/** Answers in order, after a time drawn from the seed, and not at all while it stands still. */
class ModelServer {
  ready = true;
  stalled = false;
  pings = 0;
  #waiting: ((answers: RedisAnswer[]) => void)[] = [];
  readonly #random: Random;

  constructor(readonly clock: ManualClock, seed: string) {
    this.#random = new Random(seed);
  }
  exec(_: RespWriter): Promise<RedisAnswer[]> {
    this.pings++;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.stalled) this.clock.after(0.05 + this.#random.unit() / 2, () => this.#answer());
    });
  }
  resume(): void {
    this.stalled = false;
    while (this.#waiting.length > 0) this.#answer();
  }
  /** The connection ends: what waits is told so. */
  drop(): void {
    this.ready = false;
    for (const resolve of this.#waiting.splice(0)) {
      resolve([[new Error("connection closed before the answer")]]);
    }
  }
  #answer(): void {
    if (!this.stalled) this.#waiting.shift()?.([[null, "PONG"]]);
  }
}

function rig(seed: string) {
  const clock = new ManualClock();
  const server = new ModelServer(clock, seed);
  const probe = new LatencyProbe(server, clock, PERIOD_MS);
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1) {
      clock.advance(Math.min(1, left));
      // promises of answers settle in between
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return { clock, server, probe, pass };
}

Deno.test("a stall of 15 s: as many slow pings as were due in it, each with its full wait, over 20 seeds", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { server, probe, pass } = rig(`stall:${seed}`);
    await pass(1_000);
    assert.ok(latencyFigures(probe.look().last).max_us! < 2_000, "healthy");
    server.stalled = true;
    await pass(15_000);
    server.resume();
    await pass(1_000);
    const { count, p50_us, p90_us, p99_us, max_us } = latencyFigures(probe.look().last);
    // 1,500 pings were due in the stall, waiting 15 s … 0, and 100 after it.
    assert.ok(Math.abs(count - 1_600) <= 2, `${count} pings`);
    const near = (found: number | undefined, wanted_s: number) =>
      assert.ok(Math.abs(found! / 1e6 - wanted_s) < 0.05, `${found} µs, want ${wanted_s} s`);
    near(max_us, 15);
    // Sorted, the n-th of 1,600 waited (n - 100) × 10 ms.
    near(p50_us, 7);
    near(p90_us, 13.4);
    near(p99_us, 14.84);
    probe.close();
  }
});

Deno.test("a stall shows while it lasts, with the waits so far", async () => {
  const { server, probe, pass } = rig("lasting");
  await pass(500);
  probe.look();
  server.stalled = true;
  await pass(5_000);
  const look = probe.look();
  assert.ok(Math.abs(look.pending - 500) <= 3, `${look.pending} wait`);
  assert.ok(look.pending_us > 4_980_000 && look.pending_us <= 5_001_000);
  assert.ok(latencyFigures(look.last).p50_us! > 2_000_000);
  await pass(1_000);
  const later = latencyFigures(probe.look().last);
  assert.ok(later.max_us! > 5_980_000, "the same pings go on waiting");
  server.resume();
  await pass(100);
  assert.equal(probe.look().pending, 0);
  const total = latencyFigures(probe.look().total);
  assert.ok(Math.abs(total.count - 660) <= 3, `each is counted once in the end: ${total.count}`);
  probe.close();
});

Deno.test("without a connection pings count from when they were due, and one PING answers them", async () => {
  const { server, probe, pass } = rig("away");
  await pass(100);
  server.stalled = true;
  await pass(200);
  server.drop();
  await pass(800);
  const { pings } = server;
  server.stalled = false;
  server.ready = true;
  probe.resume();
  assert.equal(server.pings, pings + 1);
  await pass(5);
  const { max_us, count } = latencyFigures(probe.look().total);
  assert.ok(max_us! > 980_000 && max_us! < 1_010_000, `${max_us}`);
  assert.ok(Math.abs(count - 110) <= 2, `${count}`);
  probe.close();
});

Deno.test("our own delay is told apart: a loop that was blocked is no wait of the server's", async () => {
  let now_ms = 0;
  let tick = () => {};
  const clock = new ManualClock();
  clock.monotonic_ms = () => now_ms;
  clock.every = (_, callback) => {
    tick = callback;
    return { cancel: () => {} };
  };
  let answer = () => {};
  const exec = () => new Promise<RedisAnswer[]>((resolve) => answer = () => resolve([[null, "PONG"]]));
  const probe = new LatencyProbe({ ready: true, exec }, clock, PERIOD_MS);
  const settle = () => new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
  // Each tick sends a ping, whose answer we read so much later.
  for (const [at_ms, read_after_ms] of [[10, 1], [20, 300], [530, 1], [540, 5], [550, 40]]) {
    now_ms = at_ms;
    tick();
    now_ms += read_after_ms;
    answer();
    await settle();
  }
  // The loop was blocked between a ping and the next tick, which runs before the answer is read.
  now_ms = 560;
  tick();
  const first = answer;
  now_ms = 600;
  tick();
  first();
  await settle();
  now_ms = 600.3;
  answer();
  await settle();
  const look = probe.look();
  assert.equal(look.own_delay_us, 500_000);
  const { count, max_us } = latencyFigures(look.last);
  assert.equal(count, 4, "1, 1, 5 and 0.3 ms; 300, 40 and 40 ms were our own");
  assert.equal(max_us, 5_000);
  assert.equal(look.not_measured, 50 + 3 + 3);
  probe.close();
});
