import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { defineCommand, defineGroup, type Registry } from "../../../lib/cli/command.ts";
import { parseCommandLine } from "../../../lib/cli/parse_command_line.ts";

const run = () => Promise.resolve(0 as const);
const feed = defineCommand({
  summary: "Feed",
  description: "Feeds at length.",
  arguments: [{ name: "FILE", doc: "what to feed", many: true }],
  flags: {
    config: { type: "text", value: "FILE", short: "c", doc: "the config" },
    mode: { type: "text", value: "MODE", doc: "how", choices: ["fast", "slow"], default: "fast" },
    symbols: { type: "list", value: "SYMBOL", doc: "which", default: ["BTCUSDT"] },
    "max-clients": {
      type: "number",
      value: "N",
      doc: "how many",
      default: 10,
      integer: true,
      min: 1,
      max: 100,
    },
    "no-audit": { type: "boolean", doc: "skip the audit" },
  },
  examples: [{ command: "mdg feed a", doc: "feed a" }],
  run,
});
const must = defineCommand({
  summary: "Must",
  flags: { addr: { type: "text", value: "HOST:PORT", doc: "where", required: true } },
  examples: [],
  run,
});
const registry: Registry = {
  feed,
  "dir-to-yaml": must,
  config: defineGroup("Config", { check: must, show: feed }),
};

const parse = (...argv: string[]) => parseCommandLine(registry, argv, { name: "mdg", version: "1.2.3" });

function chosen(...argv: string[]) {
  const line = parse(...argv);
  assert.equal(line.kind, "run");
  return line as typeof line & { kind: "run" };
}

function refused(...argv: string[]): { message: string; hint?: string } {
  try {
    parse(...argv);
  } catch (error) {
    assert.ok(error instanceof UserError);
    assert.equal(error.code, 2);
    return { message: error.message, hint: error.hint };
  }
  return assert.fail("it was taken");
}

Deno.test("defaults, and a flag is what it is called", () => {
  assert.deepEqual(chosen("feed").flags, {
    config: undefined,
    mode: "fast",
    symbols: ["BTCUSDT"],
    "max-clients": 10,
    "no-audit": false,
  });
});

Deno.test("every kind of value", () => {
  const line = chosen(
    "feed",
    "x",
    "-c",
    "a.yaml",
    "--mode=slow",
    "--symbols",
    "A, B",
    "--symbols",
    "C",
    "--max-clients",
    "7",
    "--no-audit",
    "y",
  );
  assert.deepEqual(line.flags, {
    config: "a.yaml",
    mode: "slow",
    symbols: ["A", "B", "C"],
    "max-clients": 7,
    "no-audit": true,
  });
  assert.deepEqual(line.args, ["x", "y"]);
});

Deno.test("global flags stand before or after the words", () => {
  for (const argv of [["--log-level", "debug", "feed"], ["feed", "--log-level", "debug"]]) {
    assert.equal(chosen(...argv).global["log-level"], "debug");
  }
  assert.deepEqual(chosen("feed").global, { "log-level": "info", "log-format": "auto", "no-color": false });
});

Deno.test("groups lead to their commands", () => {
  const line = chosen("config", "check", "--addr", "h:1");
  assert.deepEqual([line.words, line.flags], [["config", "check"], { addr: "h:1" }]);
  assert.equal(line.command, must);
});

Deno.test("a group with a bare command: its words first, else its argument", () => {
  const bare = defineCommand({
    summary: "Keep",
    arguments: [{ name: "FILE", doc: "what", required: true }],
    flags: {},
    examples: [],
    run,
  });
  const keep = defineGroup("Keep", { check: must, show: feed }, { bare });
  const asked = (...argv: string[]) => {
    const line = parseCommandLine({ keep }, argv, { name: "mdg", version: "1" });
    assert.equal(line.kind, "run");
    return line as typeof line & { kind: "run" };
  };
  assert.equal(asked("keep", "check", "--addr", "h:1").command, must);
  const line = asked("keep", "a.yaml");
  assert.deepEqual([line.command, line.words, line.args], [bare, ["keep"], ["a.yaml"]]);
  assert.equal(asked("keep", "show", "x", "--log-level", "debug").global["log-level"], "debug");
  assert.throws(() => asked("keep"), /missing required argument "FILE"/);
  assert.throws(() => defineGroup("Keep", {}, { bare: feed }), /has flags, want none/);
});

Deno.test("all wrong values are told at once", () => {
  const { message, hint } = refused("feed", "--mode", "odd", "--symbols", ",", "--max-clients", "1.5");
  assert.deepEqual(message.split("\n"), [
    'read "--mode": "odd", want one of fast, slow',
    'read "--symbols": empty list, want SYMBOL[,SYMBOL…]',
    'read "--max-clients": "1.5", want a whole number from 1 to 100',
  ]);
  assert.equal(hint, "see mdg feed --help");
});

Deno.test("numbers are decimal, finite and within their bounds", () => {
  for (const text of ["0x10", "", " ", "ten", "Infinity", "NaN", "0", "101", "1e99"]) {
    assert.match(refused("feed", `--max-clients=${text}`).message, /^read "--max-clients"/, text);
  }
  assert.equal(chosen("feed", "--max-clients", "1e2").flags["max-clients"], 100);
});

Deno.test("a required flag that is missing", () => {
  assert.equal(refused("dir-to-yaml").message, 'read "--addr": not given, want HOST:PORT');
});

Deno.test("near misses are suggested, for words, groups and flags", () => {
  assert.equal(refused("fed").hint, "did you mean feed? see mdg --help");
  assert.equal(refused("config", "chekc").hint, "did you mean check? see mdg config --help");
  assert.equal(
    refused("config", "check", "--adr", "x").hint,
    "did you mean --addr? see mdg config check --help",
  );
  assert.equal(refused("feed", "--log-lvel", "x").hint, "did you mean --log-level? see mdg feed --help");
});

Deno.test("words that objects have by birth are unknown commands", () => {
  assert.equal(refused("constructor").message, 'unknown command "constructor"');
  assert.equal(refused("toString", "x").hint, "see mdg --help");
});

Deno.test("help says each flag with what its declaration implies, and the examples", () => {
  const line = parse("feed", "--help");
  assert.ok(line.kind === "say" && line.code === 0);
  for (
    const text of [
      "Feeds at length.",
      "-c, --config <FILE>",
      "how (one of fast, slow; default fast)",
      "which (repeat it or use commas; default BTCUSDT)",
      "how many (a whole number from 1 to 100; default 10)",
      "--no-audit ",
      "Examples:\n  mdg feed a  # feed a",
      "--log-level <LEVEL>",
    ]
  ) assert.ok(line.text.includes(text), text);
});

Deno.test("no command, or only a group: help, and code 2", () => {
  for (const argv of [[], ["config"]]) {
    const line = parse(...argv);
    assert.ok(line.kind === "say" && line.code === 2 && line.text.startsWith("Usage: mdg"));
  }
});

Deno.test("a command may not declare a flag of the frame", () => {
  const greedy = defineCommand({
    summary: "x",
    flags: { "log-level": { type: "boolean", doc: "x" } },
    examples: [],
    run,
  });
  assert.throws(
    () => parseCommandLine({ greedy }, ["greedy"], { name: "mdg", version: "1" }),
    /the frame has it already/,
  );
});
