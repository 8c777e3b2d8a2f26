import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { planCompile } from "../../scripts/compile.ts";

const HOST = "x86_64-unknown-linux-gnu";
const plan = (...args: string[]) => planCompile(args, HOST, manifest.tasks.start);

Deno.test("the binary has the permissions of the task start, and no prompt", () => {
  const { args, output, drops_denort } = plan();
  assert.equal(args[0], "compile");
  assert.ok(args.includes("--no-prompt") && args.includes("--allow-net"));
  assert.ok(!args.includes("--allow-all") && !args.includes("run"));
  assert.deepEqual([output, drops_denort, args.at(-1)], ["dist/mdg", false, "main.ts"]);
});

Deno.test("a foreign target gets its own name and not this machine's runtime", () => {
  const windows = plan("--target", "x86_64-pc-windows-msvc");
  assert.deepEqual([windows.output, windows.drops_denort], ["dist/mdg-x86_64-pc-windows-msvc", true]);
  assert.equal(plan(`--target=${HOST}`).drops_denort, false);
});

Deno.test("what is not known is refused", () => {
  assert.throws(() => plan("--target", "pdp11"), /want one of/);
  assert.throws(() => plan("--target"), /no value/);
  assert.throws(() => plan("--fast"), /unknown/);
});
