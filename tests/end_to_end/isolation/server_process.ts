/**
 * The server of the isolation runs: a real restream server with the real memory guard and a small budget, on a market made
 * from a seed: calm, then a burst of many times as much, then calm again, by an open schedule. Each delta's
 * `last_update_id` is the microsecond it was meant for. Argument: the plan as JSON. Says its address; `start` on stdin
 * begins; then it says the book at the end and what memory did, and stays until stdin ends.
 */
import { nextTurn, systemClock } from "../../../lib/base/clock.ts";
import { Random } from "../../../lib/base/random.ts";
import type { MemoryGuard } from "../../../lib/flow/memory_guard.ts";
import { BudgetGuard } from "../../../lib/flow/memory_guard/budget_guard.ts";
import type { BookDelta } from "../../../lib/market/event.ts";
import { memoryInUse } from "../../../lib/os/memory_limit.ts";
import { prepareReclaim, reclaimMemory } from "../../../lib/os/reclaim_memory.ts";
import { restream } from "../../../lib/servers/restream/restream.ts";
import { FakeHub, levels } from "../../lib/servers/fake_hub.ts";
import type { IsolationPlan } from "./plan.ts";

class GuardedHub extends FakeHub {
  memory: MemoryGuard | undefined;
}

const plan: IsolationPlan = JSON.parse(Deno.args[0]);
const { symbol, venue } = plan;
const random = new Random(plan.seed);
const hub = new GuardedHub(systemClock);
prepareReclaim();
const guard = new BudgetGuard({
  budget_bytes: plan.budget_bytes,
  budget_from: "the plan",
  sample_interval_ms: 100,
  readMemory: memoryInUse,
  reclaim: () => reclaimMemory(systemClock),
  clock: systemClock,
  log: hub.log,
  metrics: hub.metrics,
});
if (plan.guarded) hub.memory = guard;
hub.sync(symbol, [[50_000, 1]], [[50_001, 1]], Math.floor(systemClock.now_us()), venue);
const server = await restream.open(
  restream.schema.parse({
    listen: "127.0.0.1:0",
    access: "open",
    max_clients: 2_000,
    max_connections_per_address: 2_000,
    accepts_per_second_per_address: 10_000,
    max_unauthenticated: 2_000,
    ...plan.server,
  }),
  hub,
);
const say = (value: object) => Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));
say({ address: server.address });

function change(id: number): void {
  const state = hub.book(venue, symbol)!;
  const side = (low: number, high: number): [number, number][] =>
    Array.from({ length: plan.levels }, () => [
      random.integer(low, high),
      random.chance(0.3) ? 0 : random.integer(1, 1_000_000) / 1_000,
    ]);
  const delta: BookDelta = {
    kind: "book_delta",
    venue,
    symbol,
    received_us: id,
    first_id: state.last_update_id + 1,
    last_id: id,
    bids: levels(side(49_500, 50_000)),
    asks: levels(side(50_001, 50_500)),
  };
  state.book.apply(delta.bids, delta.asks);
  state.last_update_id = id;
  state.sequence++;
  hub.offer({
    kind: "book",
    venue,
    symbol,
    book: state.book,
    delta,
    sequence: state.sequence,
    last_update_id: id,
    received_us: id,
  });
}

let trades = 0;
/** `per_second` updates for `seconds`, each with its trade, none later than its schedule where the machine allows it. */
async function phase(per_second: number, seconds: number): Promise<void> {
  const from_us = systemClock.now_us();
  const total = Math.round(per_second * seconds);
  let done = 0;
  while (done < total) {
    const due = Math.min(total, Math.floor((systemClock.now_us() - from_us) * per_second / 1e6) + 1);
    if (done < due) {
      while (done < due) {
        const id = Math.floor(from_us + done++ / per_second * 1e6);
        change(id);
        hub.trade(symbol, id, 50_000, 0.5, venue);
        trades++;
      }
      hub.flush();
    }
    await nextTurn();
  }
}

function facts(): object {
  const { book, sequence } = hub.book(venue, symbol)!;
  const side = (one: typeof book.bids) =>
    Array.from({ length: one.size }, (_, i) => [one.price(i), one.quantity(i)]);
  const counted = (name: string, labels: string[], ...values: string[]) =>
    hub.metrics.counter(name, "", labels).with(...values).value;
  const skipped = (channel: string) => counted("mdg_websocket_skipped_frames_total", ["channel"], channel);
  const closes = [...hub.metrics.counter("mdg_websocket_closes_total", "", ["reason"]).children.values()];
  const { level, reclaims, evicted } = { ...guard.state, evicted: guard.acts(1_000).length };
  return {
    bids: side(book.bids),
    asks: side(book.asks),
    sequence,
    trades,
    skipped: { book: skipped("book"), trades: skipped("trades") },
    closes: Object.fromEntries(closes.map(({ labels, value }) => [labels[0], value.value])),
    guard: { level, reclaims, acts: evicted },
    peak_bytes: Number(/VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"))![1]) * 1024,
  };
}

const buffer = new Uint8Array(64);
await Deno.stdin.read(buffer);
await phase(plan.calm_per_s, plan.calm_s);
await phase(plan.calm_per_s * plan.burst_factor, plan.burst_s);
await phase(plan.calm_per_s, plan.calm_s);
say(facts());
// Whoever lags is served on; asked again, it tells how it stands now.
while (await Deno.stdin.read(buffer) !== null) say(facts());
Deno.exit(0);
