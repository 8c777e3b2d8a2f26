/**
 * Two gateways in a row: a venue with faults → mdg → its WebSocket server → mdg with the source `gateway` → SQLite. The
 * second one's book is the clean book of the capture in the end, it never shows a state that the first one had not, and
 * what is stored is what the first one published.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import { composedConfig } from "../../lib/gateway/config_schema.ts";
import { FEEDS, MOCKS } from "../../lib/gateway/catalog.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import { path } from "../mdg_process.ts";
import { cleanBooks, firstDifference } from "./clean_book.ts";
import { until } from "./until.ts";

const VENUE = "binance-futures";
const CAPTURE = path(`fixtures/feeds/${VENUE}/capture.ndjson`);

/** Books as they were published, by update id: best bid and offer. */
class Witness {
  readonly name = "witness";
  readonly tops = new Map<string, string>();
  readonly trades: number[] = [];
  offer(update: MarketUpdate): void {
    if (update.kind === "trade") this.trades.push(update.trade_id!);
    if (update.kind !== "book") return;
    const { best_bid, best_ask } = update.book;
    this.tops.set(`${update.symbol} ${update.last_update_id}`, `${best_bid} ${best_ask}`);
  }
}

function start(config: Record<string, unknown>, seed: string): Promise<Gateway> {
  const world = { clock: systemClock, log: silentLog, metrics: new Metrics(), version: "test", seed };
  return Gateway.start(composedConfig(config), world);
}

Deno.test("a second gateway behind the first has its books and trades, through all faults of the venue", async () => {
  const stop = new AbortController();
  const folder = await Deno.makeTempDir({ prefix: "mdg-chain-" });
  const file = join(folder, "market.sqlite");
  const clean = await cleanBooks(FEEDS[VENUE], CAPTURE);
  const symbols = [...clean.keys()];
  await using mock = await MOCKS[VENUE].open({
    listen: "127.0.0.1:0",
    capture: CAPTURE,
    symbols: [],
    speed: 2,
    faults: [{ name: "drop", rate: 0.02 }, { name: "reorder", rate: 0.02 }],
    seed: "chain",
    start_delay_ms: 2_000,
  }, { clock: systemClock, log: silentLog, signal: stop.signal });
  const live = {
    kind: "live",
    venue: VENUE,
    symbols,
    ws_url: mock.ws_url,
    rest_url: mock.rest_url,
    reconnect_delay_ms: 20,
    max_reconnect_delay_ms: 200,
  };
  const first = await start(
    { sources: [live], servers: [{ kind: "websocket", listen: "127.0.0.1:0" }] },
    "1",
  );
  const upstream = new Witness();
  first.hub.subscribe(upstream);
  const [{ url }] = first.servers;
  const second = await start({
    sources: [{ kind: "gateway", url, venue: VENUE, symbols }],
    sinks: [{ kind: "sql", url: `sqlite:${file}`, flush_interval_ms: 20 }],
  }, "2");
  const downstream = new Witness();
  second.hub.subscribe(downstream);
  try {
    await until(
      "the second gateway's books to stand where the capture ends",
      () =>
        symbols.every((symbol) => {
          const book = second.hub.book(VENUE, symbol);
          return book?.in_sync && book.last_update_id === clean.get(symbol)!.last_update_id;
        }),
      60_000,
      () => JSON.stringify([...second.hub.readiness().reasons, ...first.hub.readiness().reasons]),
    );
    for (const symbol of symbols) {
      const { book } = second.hub.book(VENUE, symbol)!;
      const want = clean.get(symbol)!.book;
      assert.equal(firstDifference(book.bids, want.bids), undefined, `${symbol} bids`);
      assert.equal(firstDifference(book.asks, want.asks), undefined, `${symbol} asks`);
    }
    assert.ok(downstream.tops.size > 20, `${downstream.tops.size} books`);
    for (const [id, top] of downstream.tops) assert.equal(top, upstream.tops.get(id), id);
    const reported = new Set(upstream.trades);
    assert.ok(downstream.trades.every((id) => reported.has(id)), "a trade that the first one never had");
  } finally {
    stop.abort();
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
  }
  {
    using database = new DatabaseSync(file, { readOnly: true });
    const stored = database.prepare("SELECT trade_id FROM trades ORDER BY trade_id").all();
    assert.deepEqual(
      stored.map(({ trade_id }) => Number(trade_id)),
      downstream.trades.toSorted((a, b) => a - b),
    );
    assert.ok(Number(database.prepare("SELECT count(*) AS n FROM books").get()!.n) > 0);
  }
  await Deno.remove(folder, { recursive: true });
});
