/** The smaller of limit and machine, in words that say which; and what this machine says. */
import assert from "node:assert/strict";
import { memoryInUse, memoryLimit } from "../../../lib/os/memory_limit.ts";

const refuses = () => {
  throw new Deno.errors.NotCapable("no");
};

Deno.test("memory limit: the control group's where it is smaller than the machine", () => {
  const none_bytes = 9_223_372_036_854_772_000;
  const cases = [
    [512, 4_096, 512, "the control group's limit"],
    [none_bytes, 4_096, 4_096, "the machine's memory"],
    [0, 4_096, 4_096, "the machine's memory"],
  ] as const;
  for (const [limit, machine, bytes, from] of cases) {
    assert.deepEqual(memoryLimit({ limit_bytes: () => limit, machine_bytes: () => machine }), {
      bytes,
      from,
    });
  }
  assert.equal(memoryLimit({ limit_bytes: () => 512, machine_bytes: refuses }).bytes, 512);
  const unknown = memoryLimit({ limit_bytes: () => none_bytes, machine_bytes: refuses });
  assert.equal(unknown.bytes, 1024 ** 3);
  assert.match(unknown.from, /assumed/);
  assert.match(memoryLimit({ limit_bytes: refuses, machine_bytes: refuses }).from, /assumed/);
});

Deno.test("memory limit: this machine has one, and this process is within it", () => {
  const limit = memoryLimit();
  assert.ok(!limit.from.includes("assumed"), limit.from);
  const { rss_bytes, heap_used_bytes, external_bytes } = memoryInUse();
  assert.ok(rss_bytes > heap_used_bytes && rss_bytes < limit.bytes);
  assert.ok(external_bytes >= 0);
});
