/**
 * Files of Databento and Tardis played like recordings: books, trades and quotes as they say, in every version, packed
 * and torn; market-by-order through queues; rows grouped as messages.
 */
import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Books } from "../../../../lib/flow/books.ts";
import { FEEDS } from "../../../../lib/gateway/catalog.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";
import { DbnMapper } from "../../../../lib/sources/dataset/dbn_mapper.ts";
import { openReplay } from "../../../../lib/sources/replay/open_replay.ts";
import { playThrough } from "../../../../lib/sources/replay/play_through.ts";
import { inFolder } from "../../../in_folder.ts";
import { type DbnEvent, mbo, mbp, writeDbn } from "./write_dbn.ts";

const never = new AbortController().signal;
const AT_NS = 1_796_000_000_123_456_789n;

async function play(content: string | Uint8Array): Promise<{ updates: string[]; trouble: string[] }> {
  const result = { updates: [] as string[], trouble: [] as string[] };
  await inFolder(async (folder) => {
    const path = `${folder}/file`;
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    const context = {
      name: "replay",
      clock: systemClock,
      log: silentLog,
      metrics: new Metrics(),
      seed: "replay",
      feeds: FEEDS,
    };
    const replay = await openReplay({ paths: [path], speed: Infinity, symbols: [], stays: false }, context);
    await playThrough(replay, context, {
      publish(update) {
        if (update.kind === "book") {
          const side = (one: typeof update.book.bids) =>
            Array.from(
              { length: one.size },
              (_, i) => `${one.price(i)}x${one.exactQuantity(i) ?? one.quantity(i)}`,
            ).join(" ");
          result.updates.push(`book ${update.symbol} ${side(update.book.bids)} | ${side(update.book.asks)}`);
        } else if (update.kind === "trade") {
          const { symbol, price, exact_quantity, quantity, aggressor, trade_id, venue_trade_id } = update;
          result.updates.push(
            `trade ${symbol} ${price}x${exact_quantity ?? quantity} ${aggressor} ${
              trade_id ?? venue_trade_id
            }`,
          );
        } else if (update.kind === "quote") {
          const { symbol, bid, bid_quantity, ask, ask_quantity } = update;
          result.updates.push(`quote ${symbol} ${bid}x${bid_quantity} ${ask}x${ask_quantity}`);
        } else if (update.kind === "book_status") {
          result.updates.push(`${update.symbol} in sync: ${update.in_sync}`);
        }
      },
    }, never);
    await replay.player.finished();
    result.trouble = replay.records.flatMap((one) => one.trouble);
  });
  return result;
}

function event(n: number, action: string, side: string, more: Partial<DbnEvent> = {}): DbnEvent {
  return { instrument: 11, at_ns: AT_NS + BigInt(n) * 1_000_000n, action, side, ...more };
}
const ORDERS: DbnEvent[] = [
  event(0, "R", "N", { flags: 0x28 }),
  event(1, "A", "B", { order_id: 1, price: 100.25, size: 5, flags: 0x20 }),
  event(1, "A", "B", { order_id: 2, price: 100.25, size: 3, flags: 0x20 }),
  event(1, "A", "A", { order_id: 3, price: 100.5, size: 7, flags: 0xa0 }),
  event(2, "T", "A", { price: 100.25, size: 4, flags: 0 }),
  event(2, "F", "B", { order_id: 1, price: 100.25, size: 4, flags: 0 }),
  event(2, "C", "B", { order_id: 1, price: 100.25, size: 4 }),
  event(3, "M", "B", { order_id: 2, price: 100, size: 9 }),
  event(4, "C", "A", { order_id: 3, price: 100.5, size: 7 }),
];
const ORDERS_WANT = [
  "ES in sync: true",
  "book ES 100.25x8 | 100.5x7",
  "trade ES 100.25x4 sell undefined",
  "book ES 100.25x4 | 100.5x7",
  "book ES 100.25x1 100x9 | 100.5x7",
  "book ES 100.25x1 100x9 | ",
];

for (const version of [1, 2, 3] as const) {
  Deno.test(`DBN ${version}, market by order: books by queue, trades, names; plain, packed, with ts_out`, async () => {
    for (const ts_out of [false, true]) {
      const records = ORDERS.map((one) => mbo({ ...one, ts_out }));
      const file = writeDbn({ version, dataset: "GLBX.MDP3", ts_out, symbols: { NQ: 12, ES: 11 }, records });
      for (const content of [file, zstdCompressSync(file)]) {
        const { updates, trouble } = await play(content);
        assert.deepEqual(
          updates,
          ORDERS_WANT,
        );
        assert.deepEqual(trouble, []);
      }
    }
  });
}

Deno.test("DBN market by order keeps every order's place; orders from before are anomalies", () => {
  const mapper = new DbnMapper("GLBX.MDP3");
  const batch = new EventBatch();
  const all = [...ORDERS.slice(0, 4), event(9, "C", "B", { order_id: 77, price: 1, size: 1 })];
  for (const one of all) mapper.map(mbo(one), 1, batch);
  const orders = mapper.orders("11")!;
  assert.deepEqual(orders.position(2), {
    side: "bid",
    price: 100.25,
    better_levels: 0,
    orders_ahead: 1,
    quantity_ahead: 5,
  });
  assert.equal(orders.anomalies.unknown_orders, 1);
  const huge = 2n ** 64n - 5n;
  mapper.map(mbo(event(10, "A", "A", { order_id: huge, price: 101, size: 1 })), 1, batch);
  assert.equal(orders.order(huge)?.price, 101);
});

Deno.test("DBN market by order says what happened to each order, whole first, a fill as executed", () => {
  const mapper = new DbnMapper("GLBX.MDP3");
  const batch = new EventBatch();
  const last = (n: number, action: string, side: string, order_id: number, price: number, size: number) =>
    event(n, action, side, { order_id, price, size });
  const records = [
    ...ORDERS,
    last(5, "A", "A", 4, 101, 6),
    event(6, "F", "A", { order_id: 4, price: 101, size: 2, flags: 0 }),
    last(6, "M", "A", 4, 101, 4),
    last(7, "M", "A", 5, 102, 3),
    last(8, "C", "A", 99, 1, 1),
    event(9, "A", "A", { order_id: 6, price: 103, size: 1, flags: 0xc0 }),
    event(10, "R", "N"),
  ];
  for (const one of records) mapper.map(mbo(one), 1, batch);
  const said = batch.events.flatMap((one, i) => {
    if (one.kind !== "orders") return [];
    const book = batch.events[i - 1];
    assert.ok(book.kind === "book_delta" || book.kind === "book_snapshot");
    assert.equal(one.last_id, book.last_id, "it belongs to the book event before it");
    assert.equal(one.whole === true, book.kind === "book_snapshot");
    const changes = one.changes.map(({ action, side, id, price, quantity }) =>
      `${action} ${side} ${id} ${quantity}@${price}`
    );
    return [`${one.whole ? "whole" : "then"}: ${changes.join(", ")}`];
  });
  assert.deepEqual(said, [
    "whole: add bid 1 5@100.25, add bid 2 3@100.25, add ask 3 7@100.5",
    "then: execute bid 1 1@100.25",
    "then: modify bid 2 9@100",
    "then: cancel ask 3 0@100.5",
    "then: add ask 4 6@101",
    "then: execute ask 4 4@101",
    "then: add ask 5 3@102",
    "then: cancel ask 4 0@101, cancel ask 5 0@102, add ask 6 1@103",
    "whole: ",
  ]);
});

Deno.test("DBN market by order from a place within: orders are told whole there, then go on", () =>
  inFolder(async (folder) => {
    const path = `${folder}/file`;
    const records = ORDERS.map((one) => mbo(one));
    await Deno.writeFile(path, writeDbn({ version: 3, dataset: "GLBX.MDP3", symbols: { ES: 11 }, records }));
    const context = {
      name: "replay",
      clock: systemClock,
      log: silentLog,
      metrics: new Metrics(),
      seed: "replay",
      feeds: FEEDS,
    };
    const from_us = Number(AT_NS / 1_000n) + 2_500;
    const options = { paths: [path], speed: Infinity, symbols: [], stays: false, from_us };
    const { player, parts: [part] } = await openReplay(options, context);
    const said: string[] = [];
    const books = new Books(part.venue, part.sequence, {
      ...context,
      publish(update) {
        if (update.kind !== "orders") return;
        const resting = [...update.orders.orders("bid"), ...update.orders.orders("ask")];
        const what = update.changes?.map(({ action, id }) => `${action} ${id}`).join(", ") ?? "whole";
        said.push(
          `${what}: ${resting.map(({ id, quantity, price }) => `${id} ${quantity}@${price}`).join(", ")}`,
        );
      },
      requestSnapshot() {},
      can_refresh: false,
    }, true);
    for await (const batch of part.batches(never, { interrupted() {} })) books.process(batch);
    await player.finished();
    assert.deepEqual(said, [
      "whole: 1 1@100.25, 2 3@100.25, 3 7@100.5",
      "modify 2: 1 1@100.25, 2 9@100, 3 7@100.5",
      "cancel 3: 1 1@100.25, 2 9@100",
    ]);
  }));

Deno.test("DBN market by price: ten levels become deltas, one level also quotes, trades alone are trades", async () => {
  const records = [
    mbp(10, event(0, "A", "B"), [[10, 1, 11, 2], [9, 3, 12, 4]]),
    mbp(10, event(1, "A", "B"), [[10.5, 7, 11, 2], [10, 1, 12, 4]]),
    mbp(10, event(2, "T", "B", { price: 11, size: 2 }), [[10.5, 7, 12, 4], [10, 1, undefined, 0]]),
  ];
  const ten = await play(writeDbn({ version: 3, dataset: "XNAS.ITCH", symbols: { AAPL: 11 }, records }));
  assert.deepEqual(ten.updates, [
    "AAPL in sync: true",
    "book AAPL 10x1 9x3 | 11x2 12x4",
    "book AAPL 10.5x7 10x1 | 11x2 12x4",
    "trade AAPL 11x2 buy undefined",
    "book AAPL 10.5x7 10x1 | 12x4",
  ]);
  const one_level = [
    mbp(1, event(0, "A", "B"), [[10, 1, 11, 2]]),
    mbp(1, event(1, "C", "A"), [[10, 1, undefined, 0]]),
  ];
  const one = await play(
    writeDbn({ version: 1, dataset: "XNAS.ITCH", symbols: { AAPL: 11 }, records: one_level }),
  );
  assert.deepEqual(one.updates, [
    "AAPL in sync: true",
    "book AAPL 10x1 | 11x2",
    "quote AAPL 10x1 11x2",
    "book AAPL 10x1 | ",
    "quote AAPL 10x1 undefinedxundefined",
  ]);
  const trades = [mbp(0, event(0, "T", "N", { price: 10.000000001, size: 3 }))];
  const alone = await play(writeDbn({ version: 2, dataset: "XNAS.ITCH", symbols: {}, records: trades }));
  assert.deepEqual(alone.updates, ["trade 11 10.000000001x3 undefined undefined"]);
});

Deno.test("a torn DBN file gives its whole records and says so; an unknown version is refused", async () => {
  const records = ORDERS.map((one) => mbo(one));
  const file = writeDbn({ version: 3, dataset: "GLBX.MDP3", symbols: { ES: 11 }, records });
  const torn = await play(file.subarray(0, file.length - 20));
  assert.deepEqual(torn.updates, ORDERS_WANT.slice(0, -1));
  assert.match(torn.trouble[0], /36 bytes at the end are no whole record/);
  file[3] = 9;
  await assert.rejects(play(file), /DBN version 9, want 1 to 3/);
});

Deno.test("Tardis incremental_book_L2: rows of a local time are one message, snapshots start over", async () => {
  const csv = [
    "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount",
    "bitmex,XBTUSD,1796000000000000,1796000000100000,true,bid,100.5,10",
    "bitmex,XBTUSD,1796000000000000,1796000000100000,true,bid,100,20",
    "bitmex,XBTUSD,1796000000000000,1796000000100000,true,ask,101,30",
    "bitmex,XBTUSD,1796000000200000,1796000000300000,false,bid,100.5,0",
    "bitmex,XBTUSD,1796000000200000,1796000000300000,false,ask,101,0.1234567890123456",
    "bitmex,ETHUSD,1796000000200000,1796000000300000,false,ask,7,1",
    "bitmex,XBTUSD,1796000000500000,1796000000600000,true,ask,105,1",
  ].join("\n") + "\n";
  const want = [
    "XBTUSD in sync: true",
    "book XBTUSD 100.5x10 100x20 | 101x30",
    "book XBTUSD 100x20 | 101x0.1234567890123456",
    "book XBTUSD  | 105x1",
  ];
  for (const content of [csv, gzipSync(csv), csv.replaceAll("\n", "\r\n")]) {
    assert.deepEqual((await play(content)).updates, want);
  }
});

Deno.test("Tardis trades, quotes, snapshots of N levels, and the NDJSON of its machine", async () => {
  const trades = await play(
    "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n" +
      "binance,BTCUSDT,1796000000000000,1796000000100000,12,buy,60000.1,0.5\n" +
      "binance,BTCUSDT,1796000000000000,1796000000100000,abc-1,unknown,60000.2,1\n",
  );
  assert.deepEqual(trades.updates, [
    "trade BTCUSDT 60000.1x0.5 buy 12",
    "trade BTCUSDT 60000.2x1 undefined abc-1",
  ]);
  const quotes = await play(
    "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n" +
      "binance,BTCUSDT,1796000000000000,1796000000100000,1,11,10,\n",
  );
  assert.deepEqual(quotes.updates, ["quote BTCUSDT 10xundefined 11x1"]);
  const snapshots = await play(
    "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount\n" +
      "deribit,BTC-PERPETUAL,1796000000000000,1796000000100000,11,1,10,2\n",
  );
  assert.deepEqual(snapshots.updates.at(-1), "book BTC-PERPETUAL 10x2 | 11x1");
  const head = '"symbol":"XBTUSD","exchange":"bitmex","timestamp":"2026-11-30T00:00:00.000Z"';
  const lines = await play([
    `{"type":"book_change",${head},"isSnapshot":true,"bids":[{"price":10,"amount":1}],"asks":[],"localTimestamp":"2026-11-30T00:00:00.0000001Z"}`,
    `{"type":"book_change",${head},"isSnapshot":false,"bids":[{"price":10,"amount":3}],"asks":[{"price":11.5,"amount":2}],"localTimestamp":"2026-11-30T00:00:01.5Z"}`,
    `{"type":"trade",${head},"id":"x","price":11.5,"amount":1,"side":"sell","localTimestamp":"2026-11-30T00:00:02.000Z"}`,
    "nothing of theirs",
  ].join("\n"));
  assert.deepEqual(lines.updates, [
    "XBTUSD in sync: true",
    "book XBTUSD 10x1 | ",
    "book XBTUSD 10x3 | 11.5x2",
    "trade XBTUSD 11.5x1 sell x",
  ]);
  assert.match(lines.trouble[0], /1 lines are none of theirs/);
});
