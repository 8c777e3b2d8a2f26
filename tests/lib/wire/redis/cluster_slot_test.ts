import assert from "node:assert/strict";
import { channelOf } from "../../../../lib/wire/redis/channel_of.ts";
import { clusterSlot } from "../../../../lib/wire/redis/cluster_slot.ts";

Deno.test("slots are those of the Redis Cluster specification", () => {
  assert.equal(clusterSlot("123456789"), 0x31c3);
  assert.equal(clusterSlot(""), 0);
  assert.equal(clusterSlot("{user1000}.following"), clusterSlot("{user1000}.followers"));
  assert.equal(clusterSlot("foo{{bar}}zap"), clusterSlot("{bar"));
  assert.equal(clusterSlot("foo{bar}{zap}"), clusterSlot("bar"));
  // Nothing between the braces: the whole name counts.
  assert.notEqual(clusterSlot("foo{}{bar}"), clusterSlot("bar"));
});

const share = (template: string, symbols: number, masters: number) => {
  const loads = new Array(masters).fill(0);
  for (let i = 0; i < symbols; i++) {
    loads[Math.floor(clusterSlot(channelOf(template, "v", `SYM${i}USDT`)) * masters / 16_384)]++;
  }
  return Math.max(...loads) * masters / symbols;
};

Deno.test("{shard} spreads the channels of a hundred symbols over masters better than their names do", () => {
  for (const masters of [2, 3, 5, 8]) {
    const even = share("{shard}:orderbook:{symbol}", 100, masters);
    assert.ok(even < 1.35, `${masters} masters: the busiest has ${even} of its share`);
  }
  // Why it is there at all.
  assert.ok(share("orderbook:{symbol}", 100, 5) > 1.9);
});

Deno.test("names: words are filled in as they are, a shard is a hash tag and always the same", () => {
  assert.equal(channelOf("{venue}:{symbol}:{symbol}", "v", "$&A"), "v:$&A:$&A");
  assert.equal(channelOf("{symbol}", "v", "{venue}"), "{venue}");
  assert.match(channelOf("{shard}:{symbol}", "v", "BTCUSDT"), /^\{\d+\}:BTCUSDT$/);
  const [book, trades] = ["b:{shard}:{symbol}", "t:{shard}:{symbol}"].map((one) =>
    channelOf(one, "v", "BTCUSDT")
  );
  assert.equal(clusterSlot(book), clusterSlot(trades));
});
