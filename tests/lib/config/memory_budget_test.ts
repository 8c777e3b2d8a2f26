import assert from "node:assert/strict";
import { memorySchema, readBudget } from "../../../lib/config/memory_budget.ts";

Deno.test("memory budget: shares, amounts, bytes; and what is neither", () => {
  assert.deepEqual(readBudget("60%"), { share: 0.6 });
  assert.deepEqual(readBudget("12.5 %"), { share: 0.125 });
  assert.deepEqual(readBudget("512MiB"), { bytes: 512 * 2 ** 20 });
  assert.deepEqual(readBudget("1.5 GB"), { bytes: 1_500_000_000 });
  assert.deepEqual(readBudget(268_435_456), { bytes: 268_435_456 });
  assert.deepEqual(readBudget("268435456B"), { bytes: 268_435_456 });
  for (
    const bad of [
      "",
      "60",
      "0%",
      "4%",
      "96%",
      "100%",
      "127MiB",
      "-1GiB",
      "1e9",
      "1 PB",
      "1024TiB1",
      "MiB",
      "5%%",
      NaN,
    ]
  ) assert.equal(readBudget(bad), undefined, String(bad));
  assert.deepEqual(memorySchema.parse(undefined), { budget: "60%", sample_interval_ms: 100 });
  assert.throws(
    () => memorySchema.parse({ budget: "lots" }),
    /want \\"5%\\" to \\"95%\\", or at least 128 MiB/,
  );
  assert.throws(() => memorySchema.parse({ budgets: "60%" }));
});
