/** Faults repeat with their seed, differ between slots, and stop when the plan is calmed. */
import assert from "node:assert/strict";
import { FaultPlan } from "../../../../lib/mocks/stage/fault_plan.ts";
import { parseFaults } from "../../../../lib/mocks/fault_spec.ts";

function draws(plan: FaultPlan, slot = 0): (string | undefined)[] {
  return Array.from({ length: 5_000 }, (_, i) => plan.ofFrame(i, slot, "btcusdt@depth")?.fault);
}

Deno.test("same seed, same faults; another seed or slot, others", () => {
  const specs = parseFaults(["all", "drop=0.01"]);
  const first = draws(new FaultPlan(specs, "7"));
  assert.deepEqual(draws(new FaultPlan(specs, "7")), first);
  assert.notDeepEqual(draws(new FaultPlan(specs, "8")), first);
  assert.notDeepEqual(draws(new FaultPlan(specs, "7"), 1), first);
});

Deno.test("adding a fault moves no other", () => {
  const alone = draws(new FaultPlan(parseFaults(["drop=0.05"]), "1"));
  const both = draws(new FaultPlan(parseFaults(["drop=0.05", "duplicate=0.05"]), "1"));
  for (let i = 0; i < alone.length; i++) if (alone[i]) assert.equal(both[i], "drop");
});

Deno.test("the rate is kept and every hit is counted", () => {
  const plan = new FaultPlan(parseFaults(["corrupt=0.1"]), "3");
  const hits = draws(plan).filter((one) => one === "corrupt").length;
  assert.ok(hits > 400 && hits < 600, `${hits} hits of 5000`);
  assert.equal(plan.injected.corrupt, hits);
});

Deno.test("a calmed plan injects nothing; subscriptions are drawn per attempt", () => {
  const plan = new FaultPlan(parseFaults(["all", "lying-ack=0.5", "429=0.5"]), "5");
  const lies = Array.from({ length: 64 }, () => plan.ofSubscription("btcusdt@depth").lies);
  assert.ok(lies.includes(true) && lies.includes(false));
  const refusals = Array.from({ length: 64 }, () => plan.ofRequest(true).refuse);
  assert.ok(refusals.includes(true) && refusals.includes(false));
  plan.active = false;
  const before = { ...plan.injected };
  assert.deepEqual(new Set(draws(plan)), new Set([undefined]));
  assert.equal(plan.ofSubscription("btcusdt@depth").lies, false);
  assert.deepEqual(plan.ofRequest(true).refuse || plan.ofRequest(true).late, false);
  assert.deepEqual(plan.injected, before);
});
