import assert from "node:assert/strict";
import { channelOf, isPartitioned, partitionsOf, patternOf } from "../../../../lib/wire/redis/channel_of.ts";
import { clusterSlot } from "../../../../lib/wire/redis/cluster_slot.ts";
import { escapeGlob, globMatcher, isGlob } from "../../../../lib/wire/redis/glob.ts";

Deno.test("globs mean what they mean to Redis", () => {
  const cases: [string, string, boolean][] = [
    ["*", "", true],
    ["BTC*", "BTCUSDT", true],
    ["BTC*", "ETHBTC", false],
    ["?TC", "BTC", true],
    ["?TC", "TC", false],
    ["[BE]TC", "ETC", true],
    ["[^BE]TC", "ETC", false],
    ["[^BE]TC", "LTC", true],
    ["a.b", "axb", false],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["(x|y)+$", "(x|y)+$", true],
    ["[]a", "a", false],
    ["[", "[", true],
  ];
  for (const [glob, text, fits] of cases) assert.equal(globMatcher(glob)(text), fits, `${glob} ${text}`);
  assert.ok(isGlob("A*") && isGlob("A?") && isGlob("[A]") && !isGlob("BTC-USDT"));
  for (const text of ["a*b", "x[1]", "\\", "plain"]) assert.ok(globMatcher(escapeGlob(text))(text));
});

Deno.test("patterns of templates fit the names of their symbols and no others", () => {
  for (const template of ["orderbook:{symbol}", "{shard}:book:{symbol}", "m[1]:{venue}:{symbol}"]) {
    const fits = globMatcher(patternOf(template, "v*", "BTC*"));
    assert.ok(fits(channelOf(template, "v*", "BTCUSDT")), template);
    assert.ok(!fits(channelOf(template, "v*", "ETHUSDT")), template);
    assert.ok(!fits(channelOf(template, "vx", "BTCUSDT")) || !template.includes("{venue}"), template);
  }
});

Deno.test("partitions: 128 names that lie evenly over the slots, every symbol in one of them", () => {
  assert.ok(isPartitioned("b:{shard}") && !isPartitioned("{shard}:{symbol}") && !isPartitioned("{symbol}"));
  const names = partitionsOf("book:{shard}", "v");
  assert.equal(new Set(names).size, 128);
  for (const masters of [3, 5, 6]) {
    const shares = new Map<number, number>();
    for (const name of names) {
      const master = Math.floor(clusterSlot(name) * masters / 16_384);
      shares.set(master, (shares.get(master) ?? 0) + 1);
    }
    assert.ok(Math.max(...shares.values()) - Math.min(...shares.values()) <= 1, `${masters} masters`);
  }
  for (let i = 0; i < 1_000; i++) assert.ok(names.includes(channelOf("book:{shard}", "v", `S${i}`)));
});
