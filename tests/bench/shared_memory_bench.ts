/**
 * Shared memory: what a write costs beside encoding the same update as JSON, and what a C reader in another process gets:
 * events a second, and latency from the writer's stamp to the reader's belief at a million events a second. Targets:
 * ≥ 1 M events/s, p99 < 10 µs. The reader part needs a C compiler and two CPUs. With leave (chrt) both run at real-time
 * priority, as who counts microseconds would; latency in runs of 0.7 s, since the kernel stops such threads for 50 ms of
 * every second.
 */
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import { bookPayload, tradePayload } from "../../lib/flow/json_payload.ts";
import { sharedMemory } from "../../lib/sinks/shared_memory.ts";
import { geometryOf } from "../../lib/sinks/shared_memory/layout.ts";
import { Segment } from "../../lib/sinks/shared_memory/segment.ts";
import { findProgram } from "../../scripts/debian.ts";
import { compileReader, witness, type WitnessOptions } from "../lib/sinks/shared_memory/c_reader.ts";
import { patternBook, patternTrade, setPattern } from "../lib/sinks/shared_memory/pattern.ts";
import { fastest_ms, print, row } from "./figures.ts";

const DEPTH = 20;
const WRITES = 50_000;
const UPDATES_PER_FLUSH = 16;
const RING = 65_536;
const name = `mdg-bench-${Deno.pid}`;

function writing(): void {
  print("one process writes");
  using segment = new Segment({
    name,
    geometry: geometryOf(4, DEPTH, RING),
    mode: 0o600,
    heartbeat_interval_ms: 100,
    started_us: systemClock.now_us(),
    keep: false,
  });
  const { writer } = segment;
  const trade = patternTrade(1);
  const ns = (write: (n: number) => void) => {
    const round = () => {
      for (let n = 0; n < WRITES; n++) write(n);
    };
    return fastest_ms(round) * 1e6 / WRITES;
  };
  const json_trade_ns = ns((n) => {
    setPattern(trade, n);
    tradePayload({ ...trade });
  });
  const trade_ns = ns((n) => {
    setPattern(trade, n);
    writer.trade(trade);
  });
  const book = patternBook(1_000, 100);
  const json_book_ns = ns((n) => {
    book.sequence = n;
    bookPayload({ ...book }, DEPTH);
  });
  const book_ns = ns((n) => {
    book.sequence = n;
    writer.book(book, false);
  });
  row("baseline: a trade as JSON, written nowhere", `${json_trade_ns.toFixed(0)} ns`);
  row("a trade to the ring", `${trade_ns.toFixed(0)} ns`, `${(json_trade_ns / trade_ns).toFixed(1)}×`);
  row(`baseline: a book of ${DEPTH} levels a side as JSON, written nowhere`, `${json_book_ns.toFixed(0)} ns`);
  row(
    "a book to its place and to the ring",
    `${book_ns.toFixed(0)} ns`,
    `${(json_book_ns / book_ns).toFixed(1)}×`,
  );
}

/** Trades offered to the delivery queue of the sink, as the gateway does it. */
async function throughQueue(): Promise<void> {
  const context = {
    name: "shared_memory",
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "bench",
    writable() {},
  };
  const target = await sharedMemory.connect(sharedMemory.schema.parse({ name }), context);
  const queue = new DeliveryQueue(target, { ...context, readBook: () => undefined });
  const trade = patternTrade(1);
  const elapsed_ms = fastest_ms(() => {
    for (let n = 0; n < 10 * WRITES; n++) {
      setPattern(trade, n);
      queue.offer(trade);
      if (n % UPDATES_PER_FLUSH === 0) queue.flush();
    }
  });
  row("trades through queue and sink", `${(10 * WRITES / elapsed_ms / 1e3).toFixed(2)} M/s`, "target 1 M/s");
  await queue.close(1_000);
  await target[Symbol.asyncDispose]();
}

/** "chrt -f 10" where the kernel allows it. */
async function realTime(): Promise<readonly string[]> {
  const prefix = ["chrt", "-f", "10"];
  try {
    const { success } = await new Deno.Command(prefix[0], { args: [...prefix.slice(1), "true"] }).output();
    return success ? prefix : [];
  } catch {
    return [];
  }
}

async function reading(compiler: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-bench-" });
  try {
    const reader = await compileReader(compiler, folder);
    const prefix = await realTime();
    const options = (watch: string[]): WitnessOptions => ({
      watch,
      reader_cpu: 1,
      prefix,
      v8_flags: prefix.length > 0 ? "--single-threaded" : undefined,
    });
    print("a C reader on another CPU proves every event");
    const events = 10_000_000;
    const fast = await witness(
      reader,
      { name, events, ring_events: 4 * RING, cpu: 0 },
      options(["witness", `${events}`]),
    );
    const count = (events_per_s: number) => `${(events_per_s / 1e6).toFixed(2)} M/s`;
    row(
      `written, ${events / 1e6} M events as fast as it goes`,
      count(events / fast.written_s),
      "target 1 M/s",
    );
    row(
      "taken by the reader",
      count(fast.accepted / fast.written_s),
      `${fast.accepted} whole, ${fast.lost} known to be lost, ${fast.torn} torn and refused, ${fast.corrupt} wrong`,
    );
    print(
      `latency at 1 M events/s${
        prefix.length > 0 ? ", real-time priority" : ""
      }, best of 5 runs and all of them`,
    );
    const runs: Awaited<ReturnType<typeof witness>>[] = [];
    for (let i = 0; i < 5; i++) {
      const plan = { name, events: 700_000, ring_events: RING, cpu: 0, rate: 1_000_000 };
      runs.push(await witness(reader, plan, options(["witness", "700000", "from=100000"])));
    }
    runs.sort((one, other) => one.p99_us - other.p99_us);
    const all = (of: "p50_us" | "p99_us" | "p999_us") => runs.map((run) => run[of].toFixed(1)).join("  ");
    row("p50", `${runs[0].p50_us.toFixed(1)} µs`, all("p50_us"));
    row("p99", `${runs[0].p99_us.toFixed(1)} µs`, `${all("p99_us")}  target 10 µs`);
    row("p99.9", `${runs[0].p999_us.toFixed(1)} µs`, all("p999_us"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (Deno.build.os !== "linux") print("skipped: no POSIX shared memory here");
else {
  writing();
  await throughQueue();
  const compiler = await findProgram("gcc");
  if (compiler && navigator.hardwareConcurrency > 1) await reading(compiler);
  else print("reader: skipped, needs gcc and two CPUs");
}
