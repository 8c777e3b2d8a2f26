/**
 * The fixture of the sink `redis` as configured by default: pub/sub. Nobody keeps what a subscriber misses, so the sink
 * is held back while ours is away, and what a killed server had answered for may be lost.
 */
import { RedisServer, redisServerMissing, RedisSubscriber } from "../../live/redis_server.ts";
import type { Arrived, ArrivedTrade, SinkFixture } from "../sink_fixture.ts";

const url = "redis://127.0.0.1";

export const fixture: SinkFixture = {
  missing: redisServerMissing(),
  refused: [
    {},
    { url: "http://127.0.0.1" },
    { url: "redis://" },
    { url, order_book_depth: 0 },
    { url, channels: { book: "orderbook" } },
    { url, max_queued_trades: 0 },
  ],
  deduplicates: false,
  keeps_acknowledged: false,
  async open() {
    const server = await RedisServer.start();
    const subscriber = new RedisSubscriber(server.url, "*");
    await subscriber.until(() => subscriber.subscribed);
    return {
      config: { url: server.url },
      remote: server,
      readerAway: () => subscriber.subscribed ? undefined : "the subscriber is away",
      arrived: () => Promise.resolve(read(subscriber)),
      async [Symbol.asyncDispose]() {
        await subscriber[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};

function read(subscriber: RedisSubscriber): Arrived {
  const trades: ArrivedTrade[] = [];
  const books = new Map<string, number>();
  for (const { channel, payload } of subscriber.received) {
    const { symbol, trade_id, price, quantity, last_update_id } = JSON.parse(payload);
    if (channel === `trades:${symbol}`) trades.push({ symbol, trade_id, price, quantity });
    else if (channel === `orderbook:${symbol}`) books.set(symbol, last_update_id);
  }
  return { trades, books };
}
