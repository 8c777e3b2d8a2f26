/**
 * A process with real sockets and real bytes for real_storm_test.ts: every client gets a copy of its own of every frame,
 * as inside TLS, in a queue of at most 4 MiB. Its clients never read. Arguments: budget in bytes, "guarded" or
 * "unguarded", turns of 2 ms. Prints its port, then what came of it.
 */
import net from "node:net";
import { sleep, systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import type { PressureStep } from "../../../../lib/flow/memory_guard.ts";
import { BudgetGuard } from "../../../../lib/flow/memory_guard/budget_guard.ts";
import { type Holding, Holdings } from "../../../../lib/flow/memory_guard/holdings.ts";
import { memoryInUse } from "../../../../lib/os/memory_limit.ts";
import { reclaimMemory } from "../../../../lib/os/reclaim_memory.ts";

const FRAME_BYTES = 32 * 1024;
const WINDOW_BYTES = 256 * 1024;
const MAX_QUEUE_BYTES = 4 * 1024 * 1024;
/** Every tenth client is worth more. */
const WORTHY = 10;

const [budget_bytes, mode, turns] = [Number(Deno.args[0]), Deno.args[1], Number(Deno.args[2])];
const holdings = new Holdings();
const clients = new Set<QueuedClient>();
const evicted = { low: 0, high: 0, by_share: 0, before_lower: 0 };
let refused = 0;
let pressure: PressureStep = { refuse_newcomers: false, conflate_all: false };
let born = 0;

class QueuedClient {
  readonly id = `client-${++born}`;
  readonly tenant = `tenant-${born % 3}`;
  readonly priority = born % WORTHY === 0 ? 5 : 1;
  readonly holding: Holding = holdings.add(this);
  #queue: Uint8Array[] = [];
  #in_flight_bytes = 0;

  constructor(readonly socket: net.Socket) {
    clients.add(this);
    socket.on("error", () => {});
    socket.on("close", () => this.#forget());
  }
  evict(): void {
    evicted[this.priority === 1 ? "low" : "high"]++;
    const by_share = guard.acts(1)[0].reason.includes("share");
    if (by_share) evicted.by_share++;
    else if ([...clients].some((one) => one.priority < this.priority && one.holding.held_bytes > 0)) {
      evicted.before_lower++;
    }
    this.#forget();
    this.socket.destroy();
    say({ gone: this.id });
  }
  push(frame: Uint8Array): void {
    if (this.holding.held_bytes + frame.length > MAX_QUEUE_BYTES) this.#queue.shift();
    this.#queue.push(frame);
    this.#write();
    this.#count();
  }
  #write(): void {
    while (this.#queue.length > 0 && this.#in_flight_bytes + FRAME_BYTES <= WINDOW_BYTES) {
      const frame = this.#queue.shift()!;
      this.#in_flight_bytes += frame.length;
      this.socket.write(frame, () => {
        this.#in_flight_bytes -= frame.length;
        if (!clients.has(this)) return;
        this.#write();
        this.#count();
      });
    }
  }
  #count(): void {
    this.holding.set(this.#queue.length * FRAME_BYTES + this.#in_flight_bytes);
  }
  #forget(): void {
    clients.delete(this);
    this.#queue = [];
    holdings.remove(this.holding);
  }
}

const server = net.createServer((socket) => {
  if (pressure.refuse_newcomers) {
    refused++;
    socket.destroy();
  } else new QueuedClient(socket);
});
server.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));

using guard = new BudgetGuard({
  budget_bytes,
  budget_from: "the test",
  sample_interval_ms: 100,
  readMemory: memoryInUse,
  reclaim: () => reclaimMemory(systemClock),
  clock: systemClock,
  log: silentLog,
  metrics: new Metrics(),
});
if (mode === "guarded") {
  guard.addPool({
    name: "storm",
    measure: () => {
      const { client_bytes, clients } = holdings;
      return { client_bytes, unique_bytes: client_bytes, clients };
    },
    candidates: (limit) => holdings.candidates(limit),
    tenantBytes: () => holdings.tenantBytes(),
    setPressure: (step) => pressure = step,
  });
}
let paused: PromiseWithResolvers<void> | undefined;
let pauses = 0;
if (mode === "guarded") {
  guard.addUpstream({
    name: "frames",
    recoverable: true,
    pause: () => {
      pauses++;
      paused = Promise.withResolvers();
    },
    resume: () => {
      paused?.resolve();
      paused = undefined;
    },
  });
}
const say = (what: unknown) => Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(what) + "\n"));
say({ port: (server.address() as net.AddressInfo).port });

let queued_bytes = 0;
for (let turn = 0; turn < turns; turn++) {
  await sleep(systemClock, 2);
  await paused?.promise;
  for (const client of [...clients]) {
    client.push(new Uint8Array(FRAME_BYTES).fill(turn));
    guard.noteAdmitted(FRAME_BYTES);
    queued_bytes += FRAME_BYTES;
  }
}
const { state } = guard;
say({
  queued_bytes,
  rss_bytes: state.rss_bytes,
  client_bytes: holdings.client_bytes,
  high_left: [...clients].filter((one) => one.priority > 1).length,
  evicted,
  refused,
  oscillations: state.oscillations,
  reclaims: state.reclaims,
  pauses,
});
for (const client of [...clients]) client.socket.destroy();
server.close();
