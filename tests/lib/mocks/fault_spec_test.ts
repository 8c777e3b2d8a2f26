/** How `--fault NAME[=RATE]` is read. */
import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { FAULT_DOCS, parseFaults, withRates } from "../../../lib/mocks/fault_spec.ts";
import { FAULTS } from "../../../lib/mocks/mock.ts";

Deno.test("a fault has its default rate, or the given one; the last mention counts", () => {
  assert.deepEqual(parseFaults(["drop", "429=1", "drop=0.25"]), [
    { name: "drop", rate: 0.25 },
    { name: "429", rate: 1 },
  ]);
  assert.deepEqual(withRates(["stall"]), [{ name: "stall", rate: FAULT_DOCS.stall.rate }]);
});

Deno.test("all means every fault, and single ones may be set beside it", () => {
  const specs = parseFaults(["all", "stall=0.5"]);
  assert.deepEqual(specs.map((one) => one.name), [...FAULTS]);
  assert.equal(specs.find((one) => one.name === "stall")!.rate, 0.5);
});

Deno.test("unknown names and bad rates are refused with what there is", () => {
  for (const text of ["dorp", "all=0.5", "drop=", "drop=0", "drop=1.01", "drop=-1", "drop=x", "=1", ""]) {
    assert.throws(() => parseFaults([text]), (error) => error instanceof UserError && error.code === 2, text);
  }
  assert.throws(() => parseFaults(["dorp"]), /"dorp": unknown, want drop, duplicate, .*lying-ack or all/);
});
