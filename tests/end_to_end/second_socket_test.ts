/** One stream more than a connection may carry opens a second one, at a venue that holds its clients to it. */
import assert from "node:assert/strict";
import { sleep } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { FEEDS, MOCKS, SOURCES } from "../../lib/gateway/catalog.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import { FeedClient } from "../contracts/feed_client.ts";
import { TurnClock } from "../turn_clock.ts";

const VENUE = "mexc-spot";
const LIMIT = FEEDS[VENUE].limits.max_streams_per_connection;
const symbols = (count: number) => Array.from({ length: count }, (_, i) => `A${i}USDT`);
const LIMIT_MS = 30_000;

/** A market of so many symbols that never ends. */
async function staged(count: number, clock: TurnClock) {
  return await MOCKS[VENUE].open({
    ...{ listen: "127.0.0.1:0", symbols: symbols(count), speed: 4, faults: [], seed: "sockets" },
    ...{ rate_per_s: 10 },
  }, { clock, log: silentLog, signal: new AbortController().signal });
}

Deno.test("the venue's limit is one: it refuses the stream past it on the same connection", async () => {
  const clock = new TurnClock();
  await clock.drive((async () => {
    await using venue = await staged(LIMIT + 1, clock);
    const client = await FeedClient.open(FEEDS[VENUE], clock, venue.ws_url, venue.symbols, ["book"]);
    await sleep(clock, 1_000);
    await client.close();
    assert.equal(client.complaints.length, 1, client.complaints.join("\n"));
    assert.match(client.complaints[0], /limit/);
  })());
});

for (const [count, sockets] of [[LIMIT, 1], [LIMIT + 1, 2], [2 * LIMIT + 1, 3]]) {
  Deno.test(`${count} streams of ${LIMIT} a connection: ${sockets} connections, and every book lives`, async () => {
    const clock = new TurnClock();
    await clock.drive((async () => {
      await using venue = await staged(count, clock);
      const config = SOURCES.live.schema.parse({
        ...{ venue: VENUE, symbols: symbols(count), channels: ["book"], connections: 1 },
        ...{ ws_url: venue.ws_url, rest_url: venue.rest_url },
      });
      const gateway = await Gateway.start(
        { sources: [{ kind: "live", ...config }], sinks: [], servers: [], drain_timeout_ms: 1_000 },
        { clock, log: silentLog, metrics: new Metrics(), version: "test", seed: "sockets" },
      );
      try {
        const living = () => symbols(count).filter((one) => gateway.hub.book(VENUE, one)?.in_sync).length;
        for (let waited_ms = 0; living() < count && waited_ms < LIMIT_MS; waited_ms += 100) {
          await sleep(clock, 100);
        }
        assert.equal(living(), count);
        assert.equal(venue.stats().clients, sockets);
      } finally {
        await gateway[Symbol.asyncDispose]();
      }
    })());
  });
}
