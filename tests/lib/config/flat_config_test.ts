/** The older service's flat keys: accepted as they are, translated, and never mixed with sections. */
import assert from "node:assert/strict";
import { composeConfigSchema } from "../../../lib/config/compose_schema.ts";
import { baseOf } from "../../../lib/config/flat_config.ts";
import { readConfig } from "../../../lib/config/load.ts";
import { SourceText } from "../../../lib/formats/source_text.ts";
import { kinds, problems, read } from "./invented_kinds.ts";

const whole = `
symbols:
  - btcusdt
  - ETHUSDT
exchange_ws_url: wss://fstream.binance.com/ws
redis_url: redis://localhost:6379
order_book_depth: 10
health_port: 9091
shm_name: market_data
reconnect_delay_ms: 500
max_reconnect_delay_ms: 30000
`;

Deno.test("a whole flat config becomes sections", () => {
  const { config, form, warnings } = read(whole);
  assert.equal(form, "flat");
  assert.deepEqual(warnings, []);
  assert.deepEqual(config, {
    drain_timeout_ms: 5_000,
    memory: { budget: "60%", sample_interval_ms: 100 },
    sources: [{
      kind: "live",
      venue: "binance-futures",
      symbols: ["BTCUSDT", "ETHUSDT"],
      ws_url: "wss://fstream.binance.com",
      reconnect_delay_ms: 500,
      max_reconnect_delay_ms: 30_000,
      order_book_depth: 10,
    }],
    sinks: [
      { kind: "redis", url: "redis://localhost:6379", order_book_depth: 10, labels: {} },
      { kind: "shared_memory", name: "market_data" },
    ],
    servers: [{ kind: "health", listen: "0.0.0.0:9091" }],
  });
});

Deno.test("defaults of the older service", () => {
  const { config, warnings } = read("symbols: [BTCUSDT]\nredis_url: redis://h\nshm_name: ~\n");
  assert.deepEqual(warnings, []);
  const [source] = config.sources;
  assert.ok(source.kind === "live");
  assert.equal(source.reconnect_delay_ms, 1_000);
  assert.equal(source.max_reconnect_delay_ms, 60_000);
  assert.equal(source.order_book_depth, 20);
  assert.equal("ws_url" in source, false);
  assert.deepEqual(config.sinks.map((sink) => sink.kind), ["redis"]);
  assert.deepEqual(config.servers, [{ kind: "health", listen: "0.0.0.0:9090" }]);
});

Deno.test("general keys, a REST base and variables go with flat keys", () => {
  const text = "symbols: [A]\nredis_url: redis://h\nexchange_rest_url: http://127.0.0.1:8081/\n" +
    "health_port: ${PORT}\nname: old\nlog_level: debug\ndrain_timeout_ms: 1\n";
  const { config } = read(text, "yaml", { PORT: "0" });
  assert.deepEqual([config.name, config.log_level, config.drain_timeout_ms], ["old", "debug", 1]);
  const [source] = config.sources;
  assert.ok(source.kind === "live");
  assert.equal(source.rest_url, "http://127.0.0.1:8081");
  assert.deepEqual(config.servers, [{ kind: "health", listen: "0.0.0.0:0" }]);
});

Deno.test("warnings: no Redis, a symbol twice, no shared-memory sink in this build", () => {
  const text = "symbols: [A, a]\nshm_name: ring\n";
  const lines = (warnings: readonly { line: number; path: string; message: string }[]) =>
    warnings.map((w) => `${w.line} ${w.path}: ${w.message}`);
  assert.deepEqual(lines(read(text).warnings), [
    '1 symbols: "A" is given twice: it is taken once',
    "1 redis_url: missing: nothing will be published to Redis",
  ]);
  const without = composeConfigSchema({ ...kinds, sinks: { redis: kinds.sinks.redis } });
  const { config, warnings } = readConfig(without, new SourceText("f", text), "yaml", {});
  assert.deepEqual(config.sinks, []);
  assert.equal(lines(warnings).at(-1), "2 shm_name: ignored: this build has no shared-memory sink");
});

Deno.test("every flat problem at once, with places", () => {
  const text = [
    "symbols: []",
    "exchange_ws_url: https://x",
    "redis_url: redis://user:hunter2@h:port",
    "order_book_dept: 5",
    "health_port: 70000",
    "reconnect_delay_ms: 9",
    "max_reconnect_delay_ms: '5'",
  ].join("\n");
  assert.deepEqual(problems(text), [
    "1:10 symbols: 0 items, want at least 1 item",
    '2:18 exchange_ws_url: "https://x", want a URL like wss://host[:port]',
    '3:12 redis_url: "redis://***@h:port", want a URL like redis://host:6379',
    '4:1 order_book_dept: unknown key: did you mean "order_book_depth"?',
    "5:14 health_port: 70000, want ≤ 65535",
    '7:25 max_reconnect_delay_ms: "5", want a number',
  ]);
  assert.deepEqual(problems("symbols: [A]\nreconnect_delay_ms: 9\nmax_reconnect_delay_ms: 5\n"), [
    "3:25 max_reconnect_delay_ms: 5, want at least reconnect_delay_ms",
  ]);
});

Deno.test("a problem after translation still points into the flat file", () => {
  assert.deepEqual(problems("redis_url: redis://h\nsymbols: [btc-usdt]\n"), [
    '2:10 sources[0].symbols[0]: "BTC-USDT", want upper-case letters, digits and _',
  ]);
});

Deno.test("flat keys and sections in one file are refused, naming both", () => {
  assert.deepEqual(problems("sinks: []\nsymbols: [A]\nredis_url: redis://h\nsources: []\n"), [
    '2:1 flat keys ("symbols", "redis_url") and sections ("sinks", "sources") in one file: want one form',
  ]);
});

Deno.test("a mistyped flat key alone is still recognised", () => {
  assert.match(problems("symbls: [A]\n").join("\n"), /1:1 symbls: unknown key: did you mean "symbols"\?/);
});

Deno.test("the exchange URL is reduced to its base", () => {
  const cases: [string, string][] = [
    ["wss://fstream.binance.com", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/ws", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/stream", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/stream?streams=btcusdt@depth", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/ws/btcusdt@depth@100ms", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/public/ws", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/market/stream/", "wss://fstream.binance.com"],
    ["wss://fstream.binance.com/public", "wss://fstream.binance.com"],
    ["ws://127.0.0.1:9001/proxy/ws", "ws://127.0.0.1:9001/proxy"],
    ["ws://u:p@h:1/ws", "ws://u:p@h:1"],
  ];
  for (const [given, wanted] of cases) assert.equal(baseOf(given), wanted, given);
});
