/** Paths of the two markets. */
import assert from "node:assert/strict";
import { parseStreamPath } from "../../../../lib/mocks/binance/stream_path.ts";

Deno.test("futures paths name a route, a framing and streams", () => {
  const routes = ["public", "market"];
  assert.deepEqual(parseStreamPath("/public/stream?streams=a@depth/b@bookTicker", routes), {
    route: "public",
    combined: true,
    streams: ["a@depth", "b@bookTicker"],
  });
  assert.deepEqual(parseStreamPath("/market/ws/btcusdt%40aggTrade", routes), {
    route: "market",
    combined: false,
    streams: ["btcusdt@aggTrade"],
  });
  assert.deepEqual(parseStreamPath("/ws", routes), { route: "", combined: false, streams: [] });
  assert.equal(parseStreamPath("/", routes), undefined);
  assert.equal(parseStreamPath("/elsewhere/ws", routes), undefined);
  assert.equal(parseStreamPath("/ws/%E0%A4%A", routes), undefined);
});

Deno.test("spot has no routes", () => {
  assert.equal(parseStreamPath("/public/ws", [""]), undefined);
  assert.deepEqual(parseStreamPath("/stream", [""]), { route: "", combined: true, streams: [] });
});
