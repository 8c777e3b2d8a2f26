/** `mdg config` run in-process against invented plugins: output, exit codes, warnings, errors. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { config, configCommands } from "../../commands/config.ts";
import { ManualClock } from "../../lib/base/clock.ts";
import { UserError } from "../../lib/base/errors.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { World } from "../../lib/cli/command.ts";
import type { KindSchemas } from "../../lib/config/compose_schema.ts";
import { ConfigError } from "../../lib/config/problem.ts";
import { configSchemaOf } from "../../lib/gateway/config_schema.ts";
import { kinds } from "../lib/config/invented_kinds.ts";

const plugins = (schemas: KindSchemas) =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, { name, summary: `the ${name}`, schema }]),
  );
const commands = configCommands(() =>
  Promise.resolve(configSchemaOf({
    sources: plugins(kinds.sources),
    sinks: plugins(kinds.sinks),
    servers: plugins(kinds.servers),
  }))
).commands;

async function run(
  command: string,
  files: Record<string, string>,
  flags: Record<string, unknown> = {},
  env: Record<string, string> = {},
) {
  const cwd = await Deno.makeTempDir();
  let stdout = "";
  let stderr = "";
  const world: World = {
    env,
    cwd,
    clock: new ManualClock(),
    log: silentLog,
    signal: new AbortController().signal,
    onReload: () => () => {},
    lendTerminal: () => () => {},
    takeScreen: () => () => {},
    color: false,
    restrict: () => {},
    stdin: new ReadableStream(),
    stdout: (text) => {
      stdout += typeof text === "string" ? text : new TextDecoder().decode(text);
      return Promise.resolve();
    },
    stderr: (text) => void (stderr += text),
    stdout_is_terminal: false,
    stderr_is_terminal: false,
    version: "0.0.0",
  };
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${cwd}/${name}`, text);
    const [path = "none.yaml"] = Object.keys(files);
    const code = await commands[command].run(world, flags, [path]);
    return { code, stdout, stderr };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

const flat = "symbols: [BTCUSDT]\nredis_url: redis://u:hunter2@h\n";

Deno.test("check says what a good file holds; warnings go to stderr", async () => {
  const { code, stdout, stderr } = await run("check", { "c.yaml": flat });
  assert.equal(code, 0);
  assert.equal(stdout, "c.yaml: valid, flat keys of the older service: 1 source, 1 sink, 1 server\n");
  assert.equal(stderr, "");
  const warned = await run("check", { "c.json5": "{ symbols: ['A'] }" });
  assert.equal(warned.code, 0);
  assert.match(
    warned.stderr,
    /^warning: c\.json5:1:1: redis_url: missing: nothing will be published to Redis\n$/,
  );
});

Deno.test("check fails with every problem, for people and as JSON", async () => {
  const files = { "c.yaml": "sources:\n  - kind: lvie\nlog_levl: info\nname: ${NOPE}\n" };
  await assert.rejects(run("check", files), (error: ConfigError) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 2);
    assert.equal(
      error.message,
      [
        'read config "c.yaml": 3 problems',
        '  c.yaml:2:11: sources[0].kind: unknown kind "lvie": did you mean "live"? Known: "live", "simulator"',
        '  c.yaml:3:1: log_levl: unknown key: did you mean "log_level"?',
        '  c.yaml:4:7: name: environment variable "NOPE" is not set: set it, or write "${NOPE:-default}"',
      ].join("\n"),
    );
    return true;
  });
  const { code, stdout } = await run("check", files, { json: true });
  assert.equal(code, 2);
  const verdict = JSON.parse(stdout);
  assert.equal(verdict.valid, false);
  assert.deepEqual(verdict.problems.map((p: { line: number }) => p.line), [2, 3, 4]);
  const missing = await run("check", {}, { json: true });
  assert.equal(missing.code, 2);
  assert.match(JSON.parse(missing.stdout).problems[0].message, /there is no such file/);
});

Deno.test("bad files: missing, wrong extension, tab, duplicate key, syntax", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /^read config "none\.yaml": there is no such file$/],
    [{ "c.toml": "" }, /extension "\.toml", want \.yaml/],
    [{ "c.yaml": "sources:\n\t- kind: live\n" }, /c\.yaml:2:1: tab in the indentation: want spaces\n/],
    [{ "c.yaml": flat + "symbols: [X]\n" }, /c\.yaml:3:1: symbols: repeats a key of line 1: keep one$/],
    [{ "c.json": "{'a': 1}" }, /c\.json:1:2: found a single quote: want double quotes in this dialect\n/],
  ];
  for (const [files, wanted] of cases) {
    await assert.rejects(run("check", files), (error: UserError) => {
      assert.match(error.message, wanted);
      assert.equal(error.code, 2);
      return true;
    });
  }
});

Deno.test("show prints the resolved config, masked, as YAML and as JSON", async () => {
  const yaml = await run("show", { "c.yaml": flat + "health_port: ${PORT:-1}\n" }, {}, { PORT: "9999" });
  const json = await run("show", { "c.yaml": flat + "health_port: 9999\n" }, { json: true });
  assert.equal(yaml.code, 0);
  assert.deepEqual(parse(yaml.stdout), JSON.parse(json.stdout));
  assert.ok(!yaml.stdout.includes("hunter2"));
  const shown = JSON.parse(json.stdout);
  assert.equal(shown.sinks[0].url, "redis://***@h");
  assert.equal(shown.servers[0].listen, "0.0.0.0:9999");
  assert.equal(shown.sources[0].order_book_depth, 20);
});

Deno.test("schema describes both forms, closed, with the plugins' own words", async () => {
  const { code, stdout } = await run("schema", {});
  assert.equal(code, 0);
  const [sections, old] = JSON.parse(stdout).oneOf;
  assert.equal(sections.additionalProperties, false);
  const [live] = sections.properties.sources.items.oneOf;
  assert.equal(live.description, "the live");
  assert.equal(live.properties.kind.const, "live");
  assert.equal(live.additionalProperties, false);
  assert.deepEqual(live.required, ["kind", "venue", "symbols"]);
  assert.equal(old.properties.health_port.default, 9090);
  assert.equal(old.additionalProperties, false);
});

Deno.test("the built-in group has its three words, each documented", () => {
  assert.deepEqual(Object.keys(config.commands), ["check", "show", "schema"]);
  for (const command of Object.values(config.commands)) {
    assert.ok(command.examples.length > 0 && !command.summary.endsWith("."));
  }
});
