// deno-lint-ignore-file no-console -- what an example prints is its result
/**
 * Best prices of books that mdg publishes to Redis, of all symbols or one.
 * deno run --allow-net --allow-env examples/redis/books.ts redis://127.0.0.1:6379 'orderbook:*' [COUNT]
 */
import { Redis } from "ioredis";

interface Book {
  symbol: string;
  bids: [price: number, quantity: number][];
  asks: [price: number, quantity: number][];
}

const [url, pattern, count = "0"] = Deno.args;
let left = Number(count);
const subscriber = new Redis(url);
subscriber.on("error", (error) => console.error(`redis: ${error.message}`)); // it connects again by itself
subscriber.on("pmessage", (_pattern: string, _channel: string, payload: string) => {
  const { symbol, bids: [bid], asks: [ask] }: Book = JSON.parse(payload);
  console.log(`${symbol} ${bid[0]} x ${bid[1]} | ${ask[0]} x ${ask[1]}`);
  if (--left === 0) subscriber.disconnect();
});
await subscriber.psubscribe(pattern);
