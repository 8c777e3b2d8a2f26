/** Secrets: masked when shown, absent from every error, marked in the JSON Schema. */
import assert from "node:assert/strict";
import { z } from "zod";
import { composeConfigSchema } from "../../../lib/config/compose_schema.ts";
import { configJsonSchema } from "../../../lib/config/json_schema.ts";
import { readConfig } from "../../../lib/config/load.ts";
import { isSecret, markSecret, secret, withoutUrlPasswords } from "../../../lib/config/secret.ts";
import { REDACTED as MASK } from "../../../lib/base/redact.ts";
import { SourceText } from "../../../lib/formats/source_text.ts";

const vault = z.object({
  plain: secret(),
  wrapped: secret("a token").min(4).optional(),
  listed: z.array(secret()).default([]),
  mapped: z.record(z.string(), secret()).optional(),
  either: z.union([secret(), z.number()]).optional(),
  whole: markSecret(z.object({ a: z.number() })).optional(),
  pin: markSecret(z.number().int().max(9999)).optional(),
  form: markSecret(z.enum(["alpha", "beta"])).optional(),
  url: z.string().default("redis://u:from-default@h"),
  api_token: z.string().default("unmarked, but named"),
});
const schema = composeConfigSchema({ sources: { vault }, sinks: {}, servers: {} });
const read = (text: string) => readConfig(schema, new SourceText("f.yaml", text), "yaml", {});

Deno.test("show masks every marked value, through wrappers, lists, maps and unions, and URL passwords", () => {
  const text =
    "sources: [{kind: vault, plain: s3cret, wrapped: s3cret, listed: [s3cret], mapped: {k: s3cret}, " +
    "either: s3cret, whole: {a: 1}, pin: 1234, form: alpha}]";
  const loaded = read(text);
  assert.deepEqual(loaded.masked().sources, [{
    kind: "vault",
    plain: MASK,
    wrapped: MASK,
    listed: [MASK],
    mapped: { k: MASK },
    either: MASK,
    whole: MASK,
    pin: MASK,
    form: MASK,
    url: `redis://${MASK}@h`,
    api_token: MASK,
  }]);
  assert.ok(JSON.stringify(loaded.config).includes("s3cret"), "the config itself keeps them");
});

Deno.test("no error repeats a secret", () => {
  const text =
    "sources:\n  - {kind: vault, plain: [s3cret], wrapped: s3, listed: [{s3cret: 1}], pin: 83721, form: alhpa, " +
    "either: [83721], mapped: {k: 83721}, url: 5}";
  assert.throws(() => read(text), (error: Error) => {
    for (const leak of ["s3cret", "83721", '"s3"', "alhpa"]) {
      assert.ok(!error.message.includes(leak), error.message);
    }
    assert.match(error.message, /: 8 problems\n/);
    return true;
  });
});

Deno.test("the mark survives further checks and reaches the JSON Schema", () => {
  assert.ok(isSecret(secret().min(3).optional()));
  assert.ok(!isSecret(z.string().optional()));
  assert.ok(JSON.stringify(configJsonSchema(schema)).includes('"writeOnly":true'));
});

Deno.test("URL passwords and tokens are masked wherever they stand", () => {
  const cases: [string, string][] = [
    ["redis://:pw@h:1/0", `redis://${MASK}@h:1/0`],
    ["a postgres://u:p@h/d and redis://x:y@z", `a postgres://${MASK}@h/d and redis://${MASK}@z`],
    ["wss://h/p?token=abc&x=1", `wss://h/p?token=${MASK}&x=1`],
    ["https://h:8080/a@b", "https://h:8080/a@b"],
    ["x".repeat(9_000), "x".repeat(9_000)],
  ];
  for (const [given, wanted] of cases) assert.equal(withoutUrlPasswords(given), wanted);
});

Deno.test("a syntax error in a line that seems to hold a secret does not show the line", () => {
  assert.throws(() => read("sources:\n  - password: 's3cret\n"), (error: Error) => {
    assert.ok(!error.message.includes("s3cret"), error.message);
    return true;
  });
  const json5 = new SourceText("f.json5", "{ a: 1,\n  api_key: s3cret }");
  assert.throws(() => readConfig(schema, json5, "json5", {}), (error: Error) => {
    assert.match(
      error.message,
      /f\.json5:2:12: syntax error \(the line seems to hold a secret and is not shown\)$/,
    );
    return true;
  });
});
