/** The source `rabbitmq_stream` on a real broker: what the sink wrote comes back, after breaks and restarts too. */
import assert from "node:assert/strict";
import { rabbitmq_stream as stream_sink } from "../../lib/sinks/registry.ts";
import { rabbitmq_stream } from "../../lib/sources/registry.ts";
import { eventually, SinkRig, VENUE } from "../contracts/sink_rig.ts";
import { serviceTest } from "../services.ts";
import { SourceReader } from "./source_reader.ts";
import { deleteStreams } from "./stream_reader.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT"];

class Reader extends SourceReader {
  constructor(config: Record<string, unknown>) {
    const full = rabbitmq_stream.schema.parse({ venue: VENUE, ...config });
    super((context) => rabbitmq_stream.create(full, context));
  }
}

function streamTest(name: string, body: (url: string, market: string) => Promise<void>): void {
  serviceTest("rabbitmq", name, async (url) => {
    const market = `mdgtest-${crypto.randomUUID()}`;
    try {
      await body(url, market);
    } finally {
      await deleteStreams(url, [market, `${market}-subscriptions`]);
    }
  });
}
async function open(url: string, market: string): Promise<SinkRig> {
  const streams = { market, subscriptions: `${market}-subscriptions` };
  const rig = await SinkRig.open(stream_sink, { url, streams });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  return rig;
}
async function published(rig: SinkRig, rounds = 50): Promise<void> {
  await rig.traffic(SYMBOLS, rounds);
  await eventually("published", () => rig.queue.queued === 0);
}
const isWhole = (reader: Reader, rig: SinkRig) =>
  reader.mirrors(rig) &&
  SYMBOLS.every((symbol) => reader.trades.get(symbol)?.length === rig.offered.get(symbol)!.length);

streamTest(
  "books and trades come back, symbols are learnt, a book out of sync is so here",
  async (url, market) => {
    // It waits for a stream that is not there yet.
    await using reader = new Reader({ url, stream: market, from: "first" });
    await eventually("the trouble", () => /does not exist/.test(reader.source.notReady() ?? ""));
    const rig = await open(url, market);
    await published(rig);
    await eventually("all read", () => isWhole(reader, rig));
    for (const symbol of SYMBOLS) assert.deepEqual(reader.trades.get(symbol), rig.offered.get(symbol));
    assert.equal(reader.source.notReady(), undefined);
    rig.status("BTCUSDT", false, "gap");
    rig.queue.flush();
    await eventually("out of sync", () => reader.books.instruments.get("BTCUSDT")!.in_sync === false);
    assert.equal(reader.books.instruments.get("BTCUSDT")!.reason, "gap");
    await using one = new Reader({ url, stream: market, from: "first", symbols: ["E*"] });
    await eventually("the one", () => one.trades.get("ETHUSDT")?.length === 50);
    assert.deepEqual(one.source.symbols, ["ETHUSDT"]);
    await rig.close();
  },
);

streamTest(
  "with a consumer's name a restart goes on where it was: nothing lost, nothing twice",
  async (url, market) => {
    const rig = await open(url, market);
    const config = { url, stream: market, from: "first", consumer: "edge" };
    const all = new Map<string, number[]>(SYMBOLS.map((symbol) => [symbol, []]));
    for (let run = 0; run < 3; run++) {
      await published(rig, 20);
      await using reader = new Reader(config);
      await eventually(
        "the rest",
        () =>
          SYMBOLS.every((symbol) =>
            all.get(symbol)!.length + (reader.trades.get(symbol)?.length ?? 0) ===
              rig.offered.get(symbol)!.length
          ),
      );
      for (const symbol of SYMBOLS) {
        all.get(symbol)!.push(...reader.trades.get(symbol)!);
      }
    }
    for (const symbol of SYMBOLS) assert.deepEqual(all.get(symbol), rig.offered.get(symbol));
    await rig.close();
  },
);

streamTest("quotes, tickers and candles keep what they say, and no more", async (url, market) => {
  const rig = await open(url, market);
  const head = { venue: VENUE, symbol: "BTCUSDT", received_us: 1e15 };
  const quote = { kind: "quote", ...head, update_id: 5, bid: 1.5, ask: 2 } as const;
  const ticker = {
    kind: "ticker",
    ...head,
    sent_ms: 7,
    last_price: 1e-7,
    session: "pre",
    extra: { a: 1 },
  } as const;
  const candle = {
    kind: "candle",
    ...head,
    interval: "1m",
    open_time_ms: 0,
    close_time_ms: 59_999,
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 10,
    trade_count: 3,
    closed: true,
    incomplete: true,
  } as const;
  const trade = {
    kind: "trade",
    ...head,
    venue_trade_id: "x-1",
    price: 1,
    quantity: 12345678901234567890,
    exact_quantity: "12345678901234567890.5",
  } as const;
  await using reader = new Reader({ url, stream: market, from: "first" });
  for (const update of [quote, ticker, candle, trade, trade]) {
    rig.offer(update);
    rig.queue.flush();
  }
  await eventually("the last", () => reader.updates.length >= 4);
  const plain = (update: object) => {
    const { received_us: _received, ...rest } = update as { received_us: number };
    return JSON.parse(JSON.stringify(rest));
  };
  assert.deepEqual(
    reader.updates.map(plain),
    [quote, ticker, candle, trade].map(plain),
  );
  await rig.close();
});

streamTest(
  "another venue's messages are not taken, and it stops at once whatever it waits for",
  async (url, market) => {
    const rig = await open(url, market);
    await published(rig, 20);
    await using foreign = new Reader({ url, stream: market, from: "first", venue: "another" });
    await using own = new Reader({ url, stream: market, from: "first" });
    await eventually("own", () => isWhole(own, rig));
    assert.deepEqual(foreign.source.symbols, []);
    for (const config of [{ url: "rabbitmq-stream://127.0.0.1:1" }, { url, stream: "not-there" }]) {
      const reader = new Reader({ stream: market, ...config });
      await eventually("the trouble", () => reader.source.notReady() !== undefined);
      await reader[Symbol.asyncDispose]();
    }
    await rig.close();
  },
);
