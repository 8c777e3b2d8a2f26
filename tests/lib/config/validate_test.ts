/** Every problem at once, each with its path, line and column, in words that say what to do. */
import assert from "node:assert/strict";
import { problems, read } from "./invented_kinds.ts";

Deno.test("a right config is typed, with defaults filled and kind first", () => {
  const { config, form, warnings } = read(
    "name: gw\nsources:\n  - {kind: live, venue: binance-spot, symbols: [BTCUSDT]}\n",
  );
  assert.equal(form, "sectioned");
  assert.deepEqual(warnings, []);
  assert.deepEqual(config, {
    name: "gw",
    drain_timeout_ms: 5_000,
    memory: { budget: "60%", sample_interval_ms: 100 },
    sources: [{
      kind: "live",
      venue: "binance-spot",
      symbols: ["BTCUSDT"],
      reconnect_delay_ms: 1_000,
      max_reconnect_delay_ms: 60_000,
      order_book_depth: 20,
    }],
    sinks: [],
    servers: [],
  });
  const [source] = config.sources;
  assert.ok(source.kind === "live" && source.venue === "binance-spot", "the union is typed by kind");
  assert.equal(Object.keys(source)[0], "kind");
});

Deno.test("five problems in one YAML file, each at its place", () => {
  const text = [
    "log_level: loud",
    "sources:",
    "  - kind: live",
    "    venue: binance-futures",
    "    symbols: [BTCUSDT, 7]",
    "    reconect_delay_ms: 5",
    "sinks:",
    "  - kind: redsi",
    "  - kind: redis",
    "    order_book_depth: 0",
    "    tls: {verfy: true}",
    "srevers: []",
  ].join("\n");
  assert.deepEqual(problems(text), [
    '1:12 log_level: unknown value "loud": want one of "trace", "debug", "info", "warn", "error"',
    "5:24 sources[0].symbols[1]: 7, want text: put it in quotes",
    '6:5 sources[0].reconect_delay_ms: unknown key: did you mean "reconnect_delay_ms"?',
    '8:11 sinks[0].kind: unknown kind "redsi": did you mean "redis"? Known: "redis", "shared_memory"',
    "9:5 sinks[1].url: missing, want text",
    "10:23 sinks[1].order_book_depth: 0, want ≥ 1",
    '11:11 sinks[1].tls.verfy: unknown key: did you mean "verify"?',
    '12:1 srevers: unknown key: did you mean "servers"?',
  ]);
});

Deno.test("the same in JSON5, JSONC and JSON", () => {
  const text =
    '{\n  "sources": [{ "kind": "simulator", "seed": 1.5 }],\n  "sinks": {},\n  "servers": [],\n  "sinks": []\n}';
  for (const format of ["json5", "jsonc", "json"] as const) {
    // A repeated key's value is not judged: which of the two was meant is the open question.
    assert.deepEqual(problems(text, format), [
      "2:46 sources[0].seed: 1.5, want a whole number",
      "5:3 sinks: repeats a key of line 3: keep one",
    ]);
  }
  assert.deepEqual(problems(text.replace('"sinks": []', '"name": 1'), "json"), [
    "2:46 sources[0].seed: 1.5, want a whole number",
    "3:12 sinks: a mapping, want a list",
    "5:11 name: 1, want text: put it in quotes",
  ]);
});

Deno.test("schema messages that start with want get the value before them", () => {
  const text = "sources: [{kind: live, venue: binance-spot, symbols: [btc-usdt]}]";
  assert.deepEqual(problems(text), [
    '1:55 sources[0].symbols[0]: "btc-usdt", want upper-case letters, digits and _',
  ]);
});

Deno.test("shape errors: empty file, wrong root, missing kind, item that is no mapping, no source", () => {
  assert.deepEqual(problems(""), ["1:1 empty, want a mapping"]);
  assert.deepEqual(problems("- a\n"), ["1:1 a list, want a mapping"]);
  assert.deepEqual(problems("sources: [{seed: 1}, 5]"), [
    '1:11 sources[0].kind: missing, want one of "live", "simulator"',
    "1:22 sources[1]: 5, want a mapping",
  ]);
  assert.deepEqual(problems("name: x"), ["1:1 sources: missing, want a list"]);
  assert.deepEqual(problems("sources: []"), ["1:10 sources: 0 items, want at least 1 item"]);
});

Deno.test("numbers that a double cannot hold are refused, not rounded", () => {
  assert.deepEqual(problems("sources: [{kind: simulator, seed: 9007199254740993}]"), [
    "1:35 sources[0].seed: 9007199254740993 cannot be held exactly: want a smaller number, or quotes",
  ]);
  const [line] = problems("{sources: [{kind: 'simulator', seed: 0xFFFFFFFFFFFFFFFFF}]}", "json5");
  assert.match(line, /^1:38 sources\[0\]\.seed: 0xF+ cannot be held exactly/);
});

Deno.test("an empty key counts as absent, where null is no value of its own", () => {
  const { config } = read("name:\nsources:\n  - kind: simulator\n    seed:\n");
  assert.equal("name" in config, false);
  assert.deepEqual(config.sources, [{ kind: "simulator", seed: 1 }]);
  assert.deepEqual(
    problems("sources: [{kind: live, venue: binance-spot, symbols: }]"),
    [
      "1:54 sources[0].symbols: empty, want a list",
    ],
  );
});

Deno.test("anchors and merge keys work in YAML, unknown keys in them point at the anchor", () => {
  const { config } = read(
    "sources: [{kind: simulator}]\nsinks:\n  - &r {kind: redis, url: a}\n  - <<: *r\n    url: b\n",
  );
  assert.deepEqual(config.sinks.map((sink) => sink.kind === "redis" && sink.url), ["a", "b"]);
});

Deno.test("hostile keys do no harm", () => {
  const [line] = problems(
    '{"sources": [{"kind": "simulator"}], "__proto__": {"log_level": "debug"}}',
    "json",
  );
  assert.match(line, /^1:38 __proto__: unknown key/);
  const { config } = read(
    '{"sources":[{"kind":"simulator"}],"sinks":[{"kind":"redis","url":"x","labels":{"__proto__":"y"}}]}',
    "json",
  );
  assert.equal(({} as Record<string, unknown>).log_level, undefined);
  assert.equal(config.sinks.length, 1);
});

Deno.test("thousands of problems are counted, and printed up to a bound", () => {
  const text = "sources:\n" + "  - {kind: simulator, sed: 1}\n".repeat(900) + "x: 1\n".repeat(5_000);
  assert.throws(() => read(text), (error: Error) => {
    assert.match(error.message, /^read config "f\.yaml": 5900 problems\n/);
    assert.match(error.message, /… and 5850 more$/);
    return true;
  });
});

Deno.test("a config of absurd size is refused, whatever its format", () => {
  const list = `[${"1,".repeat(60_000)}1]`;
  assert.match(
    problems(`{ name: ${list} }`, "json5")[0],
    /^1:\d+ more than 50000 values and keys: want fewer$/,
  );
  assert.match(
    problems(`{"name": ${list}}`, "yaml")[0],
    /more than 50000 nodes with its aliases written out$/,
  );
  const few = problems(
    `{ sources: [{ kind: 'live', venue: 'binance-spot', symbols: [${"1,".repeat(45_000)}] }] }`,
    "json5",
  );
  assert.equal(few.length, 1_000);
});
