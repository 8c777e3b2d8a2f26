/** What is under way to a client: bounded by what it reads, found out by pings, never stuck. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { ReadWindow } from "../../../../lib/servers/restream/edge/read_window.ts";

const TARGET_MS = 500;
const LIMIT_BYTES = 1_048_576;
const PING_BYTES = 6;
const TICK_MS = 10;
const MAX_FRAMES_A_TICK = 1_000;

interface Reader {
  /** Bytes a second of the line between. */
  rate: number;
  /** Until an answer is back, beside the line's own time. */
  round_trip_ms: number;
}

/** A line with a reader at its end, whose pace may change. */
class Line {
  readonly clock = new ManualClock();
  readonly window = new ReadWindow(this.clock, TARGET_MS, LIMIT_BYTES);
  readonly #queued: { ping?: Uint8Array; left: number }[] = [];
  readonly #answers: { payload: Uint8Array; due_ms: number }[] = [];

  /** Sends frames as the window lets them through; how much, and what was under way at most. */
  send(reader: Reader, seconds: number, frame_bytes: number): { sent_bytes: number; most_bytes: number } {
    const { window, clock } = this;
    const figures = { sent_bytes: 0, most_bytes: 0 };
    for (let tick = 0; tick < seconds * 1_000 / TICK_MS; tick++) {
      for (let i = 0; i < MAX_FRAMES_A_TICK && window.admits(frame_bytes); i++) {
        window.count(frame_bytes);
        this.#queued.push({ left: frame_bytes });
        figures.sent_bytes += frame_bytes;
        if (window.wants_ping) this.#ping();
      }
      if (window.is_blind) this.#ping();
      figures.most_bytes = Math.max(figures.most_bytes, window.under_way_bytes);
      clock.advance(TICK_MS);
      this.#read(reader);
      while (this.#answers.length > 0 && this.#answers[0].due_ms <= clock.monotonic_ms()) {
        assert.notEqual(window.answered(this.#answers.shift()!.payload), undefined);
      }
    }
    return figures;
  }
  #ping(): void {
    this.#queued.push({ ping: this.window.next(), left: PING_BYTES });
  }
  #read({ rate, round_trip_ms }: Reader): void {
    for (let budget = rate * TICK_MS / 1_000; budget > 0 && this.#queued.length > 0;) {
      const [first] = this.#queued;
      const step = Math.min(budget, first.left);
      first.left -= step;
      budget -= step;
      if (first.left > 0) return;
      this.#queued.shift();
      if (first.ping) {
        this.#answers.push({ payload: first.ping, due_ms: this.clock.monotonic_ms() + round_trip_ms });
      }
    }
  }
}

Deno.test("read window: 64 kbit/s hold kilobytes under way, seconds of them, and the line is never idle", () => {
  const line = new Line();
  const slow = { rate: 8_000, round_trip_ms: 20 };
  // What it starts with, once.
  const first = line.send(slow, 60, 1_000);
  assert.ok(first.most_bytes <= 140_000, `${first.most_bytes} bytes under way`);
  const then = line.send(slow, 60, 1_000);
  assert.ok(then.most_bytes <= 17_000, `${then.most_bytes} bytes under way`);
  assert.ok(then.sent_bytes > 0.9 * 60 * slow.rate, `${then.sent_bytes} bytes sent`);
  assert.ok(line.window.lag_ms! < 2_500, `${line.window.lag_ms} ms`);
});

Deno.test("read window: a fast line far away gets all it can take", () => {
  const line = new Line();
  const far = { rate: 4_000_000, round_trip_ms: 180 };
  line.send(far, 3, 5_000);
  const { sent_bytes } = line.send(far, 10, 5_000);
  assert.ok(sent_bytes > 0.8 * 10 * far.rate, `${sent_bytes} bytes sent`);
});

Deno.test("read window: a client that turns slow and recovers is followed both ways", () => {
  const line = new Line();
  const { window } = line;
  const fast = { rate: 10_000_000, round_trip_ms: 1 };
  line.send(fast, 2, 2_000);
  assert.equal(window.max_bytes, LIMIT_BYTES);
  line.send({ rate: 100_000, round_trip_ms: 1 }, 60, 2_000);
  assert.ok(window.max_bytes <= 100_000, `${window.max_bytes} bytes`);
  line.send(fast, 2, 2_000);
  assert.equal(window.max_bytes, LIMIT_BYTES);
});

Deno.test("read window: frames larger than the window go one by one", () => {
  const { sent_bytes, most_bytes } = new Line().send({ rate: 20_000, round_trip_ms: 5 }, 120, 150_000);
  assert.ok(sent_bytes >= 120 * 20_000 * 0.9, `${sent_bytes} bytes sent`);
  assert.ok(most_bytes <= 150_000 + 2 * PING_BYTES, `${most_bytes} bytes under way`);
});

Deno.test("read window: answers nobody asked for, and those to forgotten pings, tell nothing", () => {
  const clock = new ManualClock();
  const window = new ReadWindow(clock, TARGET_MS, LIMIT_BYTES);
  window.count(1_000);
  const [first, second] = [window.next(), window.next()];
  for (
    const payload of [new Uint8Array(0), new Uint8Array(4), new Uint8Array(5), Uint8Array.of(0, 0, 0, 9)]
  ) {
    assert.equal(window.answered(payload), undefined);
  }
  assert.equal(window.under_way_bytes, 1_000 + 2 * PING_BYTES);
  clock.advance(7);
  assert.deepEqual([window.waiting_ms, window.lag_ms], [7, 7]);
  // The later one counts for both (RFC 6455 §5.5.3).
  assert.equal(window.answered(second), 7);
  assert.equal(window.under_way_bytes, 0);
  assert.equal(window.answered(first), undefined);
  assert.deepEqual([window.waiting_ms, window.lag_ms], [0, 7]);
});
