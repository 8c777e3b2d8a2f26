/**
 * Random clients against the guard: whatever they do, live memory stays in the budget while evicting can help, classes
 * are kept, nobody goes without need, nothing flaps. And canaries: the same storms must break it where the guard is
 * deaf, and where the pool lies about classes.
 */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import type { GuardedClient } from "../../../../lib/flow/memory_guard.ts";
import { MIB, SimulatedStorm, type StormOptions } from "./simulated_clients.ts";

const BUDGET = 256 * MIB;
const STEPS = 300;
const SEEDS = 120;

function stormOptions(seed: number): StormOptions {
  const random = new Random(`storm ${seed}`);
  const copies = random.chance(0.8);
  return {
    seed: `clients ${seed}`,
    budget_bytes: BUDGET,
    base_bytes: Math.round(BUDGET * (0.1 + 0.5 * random.unit())),
    clients: random.integer(20, copies ? 300 : 60),
    stuck: random.unit(),
    raw: random.unit(),
    burst_bytes: copies ? random.integer(20, 200) * 1024 : random.integer(1, 8) * MIB,
    garbage_steps: random.integer(1, 6),
    kept_part: random.chance(0.5) ? 0 : random.unit() * 0.3,
    copies,
  };
}

interface Verdict {
  max_live_share: number;
  max_rss_share: number;
  wrong_class: number;
  needless: number;
  evictions: number;
  oscillations: number;
}

async function weather(options: StormOptions, storm = new SimulatedStorm(options)): Promise<Verdict> {
  const verdict = {
    max_live_share: 0,
    max_rss_share: 0,
    wrong_class: 0,
    needless: 0,
    evictions: 0,
    oscillations: 0,
  };
  storm.onEvict = (client, reason) => {
    verdict.evictions++;
    const is_lowest = !storm.clients.some((other) =>
      other.priority < client.priority && other.holding.held_bytes > 0
    );
    if (reason.includes("class") && !is_lowest) verdict.wrong_class++;
    if (storm.rss_bytes < 0.75 * BUDGET) verdict.needless++;
  };
  for (let i = 0; i < STEPS; i++) {
    await storm.step();
    verdict.max_live_share = Math.max(verdict.max_live_share, storm.live_bytes / BUDGET);
    verdict.max_rss_share = Math.max(verdict.max_rss_share, storm.rss_bytes / BUDGET);
  }
  verdict.oscillations = storm.guard.state.oscillations;
  storm.guard[Symbol.dispose]();
  assert.equal(storm.clock.pending, 0);
  return verdict;
}

Deno.test("whatever clients do, memory stays in the budget, classes are kept, nothing flaps", async () => {
  let evictions = 0;
  let pressed = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const verdict = await weather(stormOptions(seed));
    const told = `seed ${seed}: ${JSON.stringify(verdict)}`;
    assert.ok(verdict.max_live_share <= 1 && verdict.max_rss_share <= 1, told);
    assert.equal(verdict.wrong_class, 0, told);
    assert.equal(verdict.needless, 0, told);
    // 300 steps are half a minute: a level that came and went each second would be at 15.
    assert.ok(verdict.oscillations <= 8, told);
    evictions += verdict.evictions;
    if (verdict.max_live_share > 0.7) pressed++;
  }
  assert.ok(
    evictions > 100 && pressed > 10,
    `too calm to show anything: ${evictions} evictions, ${pressed} pressed`,
  );
});

Deno.test("canary: the same storms pass the budget where the guard can't reach the clients", async () => {
  let over = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const options = stormOptions(seed);
    if ((await weather(options, new SimulatedStorm(options, false))).max_live_share > 1) over++;
  }
  assert.ok(over >= 10, `only ${over} of ${SEEDS} storms are dangerous`);
});

Deno.test("canary: a pool that says classes the wrong way round is found out", async () => {
  class Liar extends SimulatedStorm {
    override candidates(limit: number): GuardedClient[] {
      return super.candidates(limit).map((client) => ({
        id: client.id,
        tenant: client.tenant,
        held_bytes: client.held_bytes,
        priority: 15 - client.priority,
        evict: () => client.evict(),
      }));
    }
  }
  let wrong = 0;
  for (let seed = 0; seed < 20; seed++) {
    const options = stormOptions(seed);
    wrong += (await weather(options, new Liar(options))).wrong_class;
  }
  assert.ok(wrong > 0);
});
