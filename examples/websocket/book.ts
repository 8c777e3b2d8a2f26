// deno-lint-ignore-file no-console -- what an example prints is its result
/**
 * A book kept right over reconnects, with mdg's own client: give several servers, and it goes to the next when one dies.
 * deno run --allow-net --allow-env examples/websocket/book.ts ws://127.0.0.1:8080[,ws://…] BTCUSD [COUNT]
 */
import { systemClock } from "../../lib/base/clock.ts";
import { Random } from "../../lib/base/random.ts";
import { RestreamClient } from "../../lib/client/client.ts";

const [urls, symbol, count = "0"] = Deno.args;
let left = count === "0" ? Infinity : Number(count);
const client = new RestreamClient(
  { urls: urls.split(",") },
  { clock: systemClock, random: new Random(crypto.randomUUID()) },
  {
    book({ in_sync, reason, book }) {
      if (left === 0) return;
      if (!in_sync) return console.error(`${symbol} not to be used: ${reason}`);
      const { bids, asks } = book!;
      console.log(
        `${symbol} ${bids.price(0)} x ${bids.quantity(0)} | ${asks.price(0)} x ${asks.quantity(0)}`,
      );
      if (--left === 0) client.close();
    },
    control(message) {
      if (message.type === "error") console.error(message.message); // an unknown symbol, say
    },
    gap: ({ channel, missed }) => console.error(`${channel}: ${missed} messages are lost`),
    down(reason, retry_ms) {
      if (left > 0) {
        console.error(`down: ${reason}; ${retry_ms === undefined ? "for good" : `again in ${retry_ms} ms`}`);
      }
    },
  },
);
client.subscribe({ symbol, channel: "book", depth: 20 });
