import assert from "node:assert/strict";
import { redis } from "../../../lib/sinks/registry.ts";

Deno.test("a URL is enough; the rest is the old service's contract", () => {
  const config = redis.schema.parse({ url: "redis://localhost:6379" });
  assert.equal(config.order_book_depth, 20);
  assert.deepEqual(config.channels, { book: "orderbook:{symbol}", trades: "trades:{symbol}" });
  assert.equal(redis.target!(config, "binance-futures", "BTCUSDT"), "orderbook:BTCUSDT");
});

Deno.test("one template may be set without the other", () => {
  const config = redis.schema.parse({ url: "redis://h", channels: { book: "{venue}:{symbol}" } });
  assert.equal(config.channels.trades, "trades:{symbol}");
});

Deno.test("wrong settings are refused", () => {
  const url = "redis://h";
  const wrong: unknown[] = [
    {},
    { url: "http://h" },
    { url: "redis://" },
    { url: "redis://h/not-a-number" },
    { url: "redis://:%E0%A4%A@h" },
    { url, order_book_depth: 0 },
    { url, channels: { book: "orderbook" } },
    { url, latest_key: "latest" },
    { url, latest_interval_ms: 1 },
    { url, max_queued_trades: 0 },
    { url, unknown: 1 },
    { url, topology: "cluster", deliver: "streams", channels: { book: "{md}:{symbol}" } },
    { url: "redis://h/1", topology: "cluster" },
    { url, nodes: ["h:1"] },
    { url, topology: "sentinel", nodes: ["h"] },
    { url, tls: { ca_file: "ca.pem" } },
    { url: "rediss://h", tls: { cert_file: "cert.pem" } },
  ];
  for (const config of wrong) {
    assert.equal(redis.schema.safeParse(config).success, false, JSON.stringify(config));
  }
  for (const good of ["rediss://u:p%40@h:1/2", "redis://[::1]:6379", "redis://10.0.0.1"]) {
    assert.ok(redis.schema.safeParse({ url: good }).success, good);
  }
  const sharded = { book: "{shard}:b:{symbol}", trades: "{shard}:{venue}:{symbol}" };
  assert.ok(
    redis.schema.safeParse({ url, topology: "cluster", deliver: "streams", channels: sharded }).success,
  );
});

Deno.test("symbols may share a partition; the same symbol of two venues may not", () => {
  const partitions = { book: "b:{shard}", trades: "t:{shard}" };
  const { schema, target } = redis;
  const config = schema.parse({ url: "redis://h", channels: partitions });
  const targets = Array.from({ length: 1_000 }, (_, i) => target!(config, "v", `S${i}`));
  assert.equal(new Set(targets).size, 1_000);
  assert.equal(target!(config, "v", "S1"), target!(config, "w", "S1"));
  const apart = schema.parse({ url: "redis://h", channels: { ...partitions, book: "{venue}:{shard}" } });
  assert.notEqual(target!(apart, "v", "S1"), target!(apart, "w", "S1"));
});
