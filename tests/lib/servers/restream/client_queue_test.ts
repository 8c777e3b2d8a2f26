import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { Random } from "../../../../lib/base/random.ts";
import { ClientQueue } from "../../../../lib/servers/restream/edge/client_queue.ts";
import { ReadWindow } from "../../../../lib/servers/restream/edge/read_window.ts";
import { queueLimits } from "../../../../lib/servers/restream/config.ts";
import type { Frame } from "../../../../lib/wire/websocket_frame.ts";

type Fault = "none" | "forget_in_flight" | "reorder";

/** Random pushes, takes and completions; throws where a promise of the queue is broken. */
function exercise(seed: string, fault: Fault, steps = 3_000): { refused: number; max_queued_bytes: number } {
  const random = new Random(seed);
  const limits = queueLimits(65_536 * random.integer(1, 4));
  const clock = new ManualClock();
  const window = new ReadWindow(clock, 500, limits.max_queue_bytes / 4);
  const queue = new ClientQueue(limits, window);
  const pings: Uint8Array[] = [];
  const accepted: Frame[] = [];
  const flying: Frame[][] = [];
  let sent = 0;
  let refused = 0;
  let max_queued_bytes = 0;
  const expected_bytes = () =>
    accepted.slice(sent).reduce((sum, frame) => sum + frame.length, 0) +
    flying.flat().reduce((sum, frame) => sum + frame.length, 0);
  for (let step = 0; step < steps; step++) {
    const bytes = random.chance(0.02) ? random.integer(1, limits.max_queue_bytes) : random.integer(1, 2_000);
    if (random.chance(0.6)) {
      const frame = new Uint8Array(bytes);
      const before = queue.queued_bytes;
      if (queue.push(frame)) accepted.push(frame);
      else {
        refused++;
        assert.ok(before + bytes > limits.max_queue_bytes, "refused though there was room");
      }
    } else if (queue.sendable) {
      const in_flight = flying.flat().reduce((sum, frame) => sum + frame.length, 0);
      const batch = queue.take();
      assert.ok(batch.length > 0);
      const batch_bytes = batch.reduce((sum, frame) => sum + frame.length, 0);
      assert.ok(in_flight === 0 && batch.length === 1 || in_flight + batch_bytes <= limits.window_bytes);
      const { under_way_bytes, max_bytes } = window;
      assert.ok(
        under_way_bytes === batch_bytes && batch.length === 1 || under_way_bytes <= max_bytes,
        `${under_way_bytes} bytes under way, at most ${max_bytes}`,
      );
      if (fault === "reorder") batch.reverse();
      for (const frame of batch) assert.equal(frame, accepted[sent++], "out of order");
      flying.push(batch);
    }
    if (flying.length > 0 && random.chance(0.3)) {
      const done = flying.shift()!;
      if (fault !== "forget_in_flight") queue.written(done.reduce((sum, frame) => sum + frame.length, 0));
    }
    if (window.wants_ping || (queue.pending > 0 && window.is_blind)) pings.push(window.next());
    if (pings.length > 0 && random.chance(0.2)) {
      clock.advance(random.integer(0, 2_000));
      // It may answer the latest only.
      const payload = pings.splice(0, random.integer(1, pings.length)).at(-1)!;
      assert.notEqual(window.answered(payload), undefined);
    }
    assert.equal(queue.queued_bytes, expected_bytes());
    assert.ok(queue.queued_bytes <= limits.max_queue_bytes);
    assert.equal(queue.pending, accepted.length - sent);
    if (queue.queued_bytes > limits.conflate_bytes) assert.ok(queue.lagging);
    max_queued_bytes = Math.max(max_queued_bytes, queue.queued_bytes);
  }
  // Whatever state it is in: where pings are answered and the kernel takes, everything goes out.
  for (let i = 0; queue.queued_bytes > 0; i++) {
    assert.ok(i < 10_000, "it is stuck");
    while (queue.sendable) flying.push(queue.take());
    for (const done of flying.splice(0)) queue.written(done.reduce((sum, frame) => sum + frame.length, 0));
    if (window.wants_ping || window.is_blind) pings.push(window.next());
    if (pings.length > 0) window.answered(pings.splice(0).at(-1)!);
  }
  return { refused, max_queued_bytes };
}

Deno.test("client queue: order, exact account, strict bound, over random use", () => {
  let refused = 0;
  for (let seed = 0; seed < 30; seed++) refused += exercise(`queue ${seed}`, "none").refused;
  assert.ok(refused > 0, "the bound was never reached: the test shows nothing");
});

Deno.test("client queue: canary, a broken account or order is found", () => {
  assert.throws(() => exercise("canary", "forget_in_flight"));
  assert.throws(() => exercise("canary", "reorder"));
});

Deno.test("client queue: lagging has hysteresis, and the in-band measure counts by itself", () => {
  const limits = queueLimits(65_536);
  const queue = new ClientQueue(limits, new ReadWindow(new ManualClock(), 500, 65_536));
  queue.push(new Uint8Array(limits.conflate_bytes));
  assert.equal(queue.lagging, false);
  queue.push(new Uint8Array(limits.resume_bytes));
  assert.equal(queue.lagging, true);
  queue.take();
  queue.written(limits.conflate_bytes - 1);
  assert.equal(queue.lagging, true);
  queue.take();
  queue.written(1);
  assert.equal(queue.lagging, false);
  queue.late = true;
  assert.equal(queue.lagging, true);
  queue.clear();
  assert.equal(queue.lagging, true);
  queue.late = false;
  assert.equal(queue.lagging, false);
});
