/** Environment variables: replaced, defaulted, escaped, typed as the schema wants, and all missing ones named at once. */
import assert from "node:assert/strict";
import { coreScalar } from "../../../lib/formats/yaml/core_scalar.ts";
import { problems, read } from "./invented_kinds.ts";

const simulator = "sources: [{kind: simulator}]\n";

Deno.test("values, defaults and escapes", () => {
  const text = simulator + [
    "sinks:",
    '  - {kind: redis, url: "redis://${USER_NAME}:${PW:-none}@${HOST}/$${x}/$5/${EMPTY:-filled}${EMPTY}"}',
    "  - {kind: redis, url: '${URL:-redis://h:1}', labels: {a: '${SPACED:-a b}'}}",
  ].join("\n");
  const { config } = read(text, "yaml", { USER_NAME: "u", HOST: "h", EMPTY: "" });
  assert.deepEqual(config.sinks.map((sink) => sink.kind === "redis" && sink.url), [
    "redis://u:none@h/${x}/$5/filled",
    "redis://h:1",
  ]);
});

Deno.test("all missing variables and bad references at once, each at its place", () => {
  const text = simulator + [
    "name: ${A}",
    "sinks:",
    "  - kind: redis",
    '    url: "x\\t${B}-${C_1}"',
    "    password: ${D",
    "    labels: {k: '${9}', l: '$${OK}', m: '$${E}${F}'}",
  ].join("\n");
  assert.deepEqual(problems(text, "yaml"), [
    '2:7 name: environment variable "A" is not set: set it, or write "${A:-default}"',
    '5:14 sinks[0].url: environment variable "B" is not set: set it, or write "${B:-default}"',
    '5:19 sinks[0].url: environment variable "C_1" is not set: set it, or write "${C_1:-default}"',
    '6:15 sinks[0].password: variable reference "${D": want "${NAME}", or "$${" for a literal "${"',
    '7:18 sinks[0].labels.k: variable reference "${9}": want "${NAME}", or "$${" for a literal "${"',
    '7:47 sinks[0].labels.m: environment variable "F" is not set: set it, or write "${F:-default}"',
  ]);
});

Deno.test("a scalar that is one variable takes the type the schema wants", () => {
  const text =
    "drain_timeout_ms: ${DRAIN:-250}\nname: ${NAME}\nsources: [{kind: '${KIND}', seed: \"${SEED}\"}]\n" +
    "sinks: [{kind: redis, url: x, tls: {verify: '${VERIFY}'}, labels: {n: '${NAME}'}}]";
  const { config } = read(text, "yaml", { NAME: "123", KIND: "simulator", SEED: "0x1F", VERIFY: "False" });
  assert.equal(config.drain_timeout_ms, 250);
  assert.equal(config.name, "123", "a text stays a text");
  assert.deepEqual(config.sources, [{ kind: "simulator", seed: 31 }]);
  const [sink] = config.sinks;
  assert.ok(sink.kind === "redis");
  assert.equal(sink.tls?.verify, false);
  assert.deepEqual(sink.labels, { n: "123" });
});

Deno.test("a variable of the wrong type is reported as what it is", () => {
  const text = "drain_timeout_ms: ${DRAIN}\nsources: [{kind: simulator, seed: '${SEED}'}]\nname: ${EMPTY}";
  assert.deepEqual(problems(text, "yaml", { DRAIN: "soon", SEED: "99999999999999999999", EMPTY: "" }), [
    '1:19 drain_timeout_ms: "soon", want a number',
    "2:35 sources[0].seed: 100000000000000000000, want ≤ 9007199254740991",
    "3:7 name: empty, want at least 1 character",
  ]);
});

Deno.test("names of the prototype are no variables", () => {
  assert.match(problems(simulator + "name: ${constructor}")[0], /"constructor" is not set/);
});

Deno.test("plain words are typed as YAML 1.2 core types them", () => {
  const cases: [string, unknown][] = [
    ["1", 1],
    ["-0", 0],
    ["-0.0", -0],
    ["+12", 12],
    ["0o17", 15],
    ["0x1f", 31],
    ["1e3", 1000],
    [".5", 0.5],
    ["5.", 5],
    [".inf", Infinity],
    ["-.INF", -Infinity],
    [".NaN", NaN],
    ["true", true],
    ["FALSE", false],
    ["", ""],
    ["null", "null"],
    ["~", "~"],
    ["yes", "yes"],
    ["0b1", "0b1"],
    ["1_000", "1_000"],
    ["1 ", "1 "],
    ["tRue", "tRue"],
    ["0x", "0x"],
    ["1e", "1e"],
    ["-0x1", "-0x1"],
  ];
  for (const [text, wanted] of cases) assert.ok(Object.is(coreScalar(text), wanted), text);
});
