import assert from "node:assert/strict";
import { checkRuntime } from "../../../lib/cli/check_runtime.ts";

Deno.test("which Deno may run mdg, from source and compiled", () => {
  const table: [version: string, source: boolean, compiled: boolean][] = [
    ["2.7.10", false, false],
    ["2.7.11", false, true],
    ["2.8.2", false, true],
    ["2.8.3", true, true],
    ["2.9.3", true, true],
    ["2.9.4", false, false],
    ["2.9.6", false, false],
    ["2.9.6-rc.1", false, false],
    ["2.9.7", true, true],
    ["2.10.0", true, true],
    ["3.0.0+abc", true, true],
    ["1.46.3", false, false],
    ["canary", false, false],
  ];
  for (const [version, source, compiled] of table) {
    assert.equal(checkRuntime(version, false) === undefined, source, version);
    assert.equal(checkRuntime(version, true) === undefined, compiled, `${version} compiled`);
  }
});

Deno.test("a refusal names the version, the cause and the way out", () => {
  const refusal = checkRuntime("2.9.5", false)!;
  assert.match(refusal.message, /^start on Deno "2\.9\.5": .*36788.*want/);
  assert.match(refusal.hint!, /npx -y deno@2\.8\.3/);
});
