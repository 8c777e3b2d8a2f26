import assert from "node:assert/strict";
import { permissionsFor, SINKS } from "../../../lib/gateway/catalog.ts";

Deno.test("native calls and child processes are kept for the sinks that say so, and for nobody else", () => {
  assert.deepEqual(permissionsFor([]), []);
  assert.deepEqual(permissionsFor([{ kind: "redis" }, { kind: "log" }]), []);
  assert.deepEqual(permissionsFor([{ kind: "redis" }, { kind: "shared_memory" }]), ["ffi"]);
  assert.deepEqual(permissionsFor([{ kind: "speak" }, { kind: "redis" }]), ["run"]);
  for (const kind of Object.keys(SINKS)) assert.ok(Array.isArray(permissionsFor([{ kind }])));
});
