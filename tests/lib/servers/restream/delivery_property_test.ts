/**
 * Properties of delivery to many clients at any pace: a key is never reordered, nothing newer overtakes what waits, trades
 * are never merged, every skipped sequence is announced exactly once, the final state is the lossless one, the bytes
 * accounted are their sum and never over the bound. The seed is in the failure's name.
 */
import assert from "node:assert/strict";
import { Client } from "../../../../lib/servers/restream/edge/client.ts";
import { ClientQueue } from "../../../../lib/servers/restream/edge/client_queue.ts";
import { FrameHistory } from "../../../../lib/servers/restream/edge/frame_history.ts";
import { Subscription } from "../../../../lib/servers/restream/edge/subscription.ts";
import type { Frame } from "../../../../lib/wire/websocket_frame.ts";
import { is_long } from "../../../services.ts";
import { DeliveryRun, type RunFigures } from "./delivery/delivery_run.ts";

const RUNS = is_long ? 2_000 : 120;
const STEPS = 1_500;

async function runAll(name: string, runs: number): Promise<RunFigures> {
  const total: RunFigures = {
    delivered: 0,
    announced: 0,
    snapshots: 0,
    resumed: 0,
    slow_closes: 0,
    shared: 0,
  };
  for (let i = 0; i < runs; i++) {
    const seed = `${name} ${i}`;
    try {
      const figures = await new DeliveryRun(seed).run(STEPS);
      for (const key of Object.keys(total) as (keyof RunFigures)[]) total[key] += figures[key];
    } catch (error) {
      throw new Error(`seed "${seed}": ${error instanceof Error ? error.stack : error}`, { cause: error });
    }
  }
  return total;
}

Deno.test(`delivery: ${RUNS} random lives of clients, streams and slow-downs keep every promise`, async () => {
  const total = await runAll("delivery", RUNS);
  for (const [what, count] of Object.entries(total)) {
    assert.ok(count > 0, `${what}: never happened, the test shows nothing`);
  }
});

/** Breaks one method while `work` runs. */
async function broken<T extends object, K extends keyof T>(
  target: T,
  method: K,
  replacement: (original: T[K]) => T[K],
  work: () => Promise<unknown>,
): Promise<void> {
  const original = target[method];
  target[method] = replacement(original);
  try {
    await work();
  } finally {
    target[method] = original;
  }
}

Deno.test("delivery: canaries, each broken promise is found", async () => {
  const found = (why: RegExp) => assert.rejects(runAll("canary", 20), why);
  await broken(
    Subscription.prototype,
    "skip",
    () => function () {},
    () => found(/lost without a word|a hole/),
  );
  await broken(Subscription.prototype, "tellLag", () => function () {}, () => found(/lost without a word/));
  await broken(
    ClientQueue.prototype,
    "take",
    (take) =>
      function (this: ClientQueue): Frame[] {
        return take.call(this).reverse();
      },
    () => found(/out of order|without a word|without a book/),
  );
  await broken(ClientQueue.prototype, "written", () => function () {}, () => found(/their sum/));
  await broken(
    FrameHistory.prototype,
    "after",
    (after) =>
      function (this: FrameHistory, key, seq) {
        const frames = after.call(this, key, seq);
        return frames && frames.length > 1 ? frames.slice(1) : frames;
      },
    () => found(/lost without a word/),
  );
  await broken(
    Client.prototype,
    "takeBatch",
    (takeBatch) =>
      function (this: Client, bytes, frames) {
        return frames > 1 || takeBatch.call(this, bytes, frames);
      },
    () => found(/lost without a word|a hole/),
  );
});

Deno.test("delivery: canary, one that joins a cohort with a skip untold is found", async () => {
  const owes = Object.getOwnPropertyDescriptor(Subscription.prototype, "owes")!;
  Object.defineProperty(Subscription.prototype, "owes", {
    ...owes,
    get(this: Subscription) {
      return !this.live;
    },
  });
  try {
    await assert.rejects(runAll("canary", 20), /candles.*lost without a word/);
  } finally {
    Object.defineProperty(Subscription.prototype, "owes", owes);
  }
});
