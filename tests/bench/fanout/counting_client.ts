/**
 * The other side of the fan-out bench: many WebSocket clients in one process that do nothing but count. Says how many
 * are connected, then answers a line of JSON each: `count`, `sample` (begin to measure lateness), `lateness`.
 * `--credit` tells on its own every few milliseconds how far the slowest client is.
 * Run: deno run -A counting_client.ts HOST:PORT CLIENTS text|binary [--credit] REQUEST…
 */
import { systemClock } from "../../../lib/base/clock.ts";
import { quantile } from "../figures.ts";
import { FrameCounter } from "./frame_counter.ts";
import { say, words } from "./pinned_process.ts";
import { openRawClient, pongFrame } from "./raw_client.ts";

const READ_BYTES = 262_144;
const MAX_SAMPLES = 40_000;
const CREDIT_MS = 5;
const TIMER_MS = 5;

const [address, count, form, ...rest] = Deno.args;
const requests = rest.filter((word) => word !== "--credit");
const counters: FrameCounter[] = [];
for (let i = 0; i < Number(count); i++) {
  const { conn, left } = await openRawClient(address, requests, form === "binary" ? 2 : 1);
  const counter = new FrameCounter((payload) => void conn.write(pongFrame(payload)).catch(() => {}));
  counter.take(left);
  counters.push(counter);
  void read(conn, counter);
}
say({ connected: counters.length });
if (rest.includes("--credit")) {
  systemClock.every(CREDIT_MS, () => say({ slowest: Math.min(...counters.map(({ frames }) => frames)) }));
}

async function read(conn: Deno.Conn, counter: FrameCounter): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    const size = await conn.read(buffer);
    if (size === null) return;
    counter.take(buffer.subarray(0, size), counter.samples ? systemClock.now_us() : 0);
  }
}

/** How late a bare timer is: what the machine itself adds. */
let timer_late_us: number[] = [];
let due_ms = systemClock.monotonic_ms() + TIMER_MS;
systemClock.every(TIMER_MS, () => {
  const now_ms = systemClock.monotonic_ms();
  timer_late_us.push(Math.max(0, now_ms - due_ms) * 1000);
  due_ms = now_ms + TIMER_MS;
});

function sum(value: (counter: FrameCounter) => number): number {
  return counters.reduce((total, counter) => total + value(counter), 0);
}

for await (const word of words()) {
  if (word.do === "sample") {
    for (const counter of counters) {
      counter.sample_every = word.every;
      counter.sampled = 0;
      counter.samples = new Float64Array(MAX_SAMPLES);
    }
    timer_late_us = [];
    say({ sampling: true });
  } else if (word.do === "lateness") {
    const all = new Float64Array(sum((one) => one.sampled));
    let at = 0;
    for (const counter of counters) {
      all.set(counter.samples!.subarray(0, counter.sampled), at);
      at += counter.sampled;
      counter.samples = undefined;
    }
    const of = (q: number) => all.length === 0 ? NaN : quantile(all, q);
    const timer_p99_us = quantile(Float64Array.from(timer_late_us), 0.99);
    say({
      samples: all.length,
      p50_us: of(0.5),
      p99_us: of(0.99),
      p999_us: of(0.999),
      max_us: all.at(-1),
      timer_p99_us,
    });
  } else {
    const at_ms = systemClock.monotonic_ms();
    say({ frames: sum((one) => one.frames), payload_bytes: sum((one) => one.payload_bytes), at_ms });
  }
}
Deno.exit(0);
