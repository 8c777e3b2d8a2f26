/** Composition over registries: kinds by plugin name, refusals of what would be ambiguous, and the build's own schema. */
import assert from "node:assert/strict";
import { z } from "zod";
import { readConfig } from "../../../lib/config/load.ts";
import { SourceText } from "../../../lib/formats/source_text.ts";
import { configSchema, configSchemaOf } from "../../../lib/gateway/config_schema.ts";

const plugin = (name: string, schema: z.ZodObject = z.object({})) => ({
  name,
  summary: `the ${name}`,
  schema,
});

Deno.test("plugins are known by name, and their refinements stay", () => {
  const ranged = z.object({ low: z.number(), high: z.number() })
    .refine((range) => range.low <= range.high, { path: ["high"], error: "want at least low" });
  const schema = configSchemaOf({
    sources: { exportedName: plugin("my-source", ranged) },
    sinks: {},
    servers: {},
  });
  assert.deepEqual(schema.kinds, { sources: ["my-source"], sinks: [], servers: [] });
  const read = (text: string) => readConfig(schema, new SourceText("f.yaml", text), "yaml", {}).config;
  assert.deepEqual(read("sources: [{kind: my-source, low: 1, high: 2}]").sources, [
    { kind: "my-source", low: 1, high: 2 },
  ]);
  assert.throws(
    () => read("sources: [{kind: my-source, low: 3, high: 2}]"),
    /sources\[0\]\.high: 2, want at least low/,
  );
  assert.throws(
    () => read("sources: [{kind: my-source, low: 1, high: 2}]\nsinks: [{kind: redis}]"),
    /sinks\[0\]\.kind/,
  );
});

Deno.test("a schema with its own kind, and a name twice, are refused at once", () => {
  const with_kind = plugin("a", z.object({ kind: z.string() }));
  assert.throws(
    () => configSchemaOf({ sources: { with_kind }, sinks: {}, servers: {} }),
    /its schema has a key "kind"/,
  );
  const twice = { a: plugin("same"), b: plugin("same") };
  assert.throws(
    () => configSchemaOf({ sources: {}, sinks: twice, servers: {} }),
    /"same" is registered twice/,
  );
});

Deno.test("the build's own schema composes", () => {
  const { kinds } = configSchema();
  assert.deepEqual(Object.keys(kinds), ["sources", "sinks", "servers"]);
});
