/**
 * The whole way: a mock venue, the gateway as a process, grpc-js as a process. Once the market has ended nothing moves any
 * more, and gRPC and HTTP must say the same of every symbol: books, tickers, trades; HTTP has candles besides.
 */
import assert from "node:assert/strict";
import { serviceTest } from "../services.ts";
import { IMPLEMENTATIONS, RemoteClient } from "../lib/servers/grpc/remote_client.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { MockProcess } from "./mock_process.ts";
import { until } from "./until.ts";

const VENUE = "bybit-linear";
const SYMBOLS = ["BTCUSDT", "ETHUSDT"];
const BOOK = "SubscribeToOrderBookUpdates";

type Json = Record<string, unknown>;

/** Absent, false and 0 are one in proto3. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== 0 && one !== false);
  return Object.fromEntries(entries.map(([name, one]) => [name, withoutDefaults(one)]));
}

/** The contract has no place for an id that is a text. */
function numericId({ id }: Json): Json {
  return typeof id === "string" ? { id: undefined } : {};
}

serviceTest("grpc_js", "grpc: the venue's market by gRPC and by HTTP is the same", async (place) => {
  const symbols = SYMBOLS.join(",");
  await using mock = await MockProcess.start(VENUE, [
    ...["--listen", "127.0.0.1:0", "--symbols", symbols, "--seed", "grpc", "--interval", "20"],
    ...["--duration", "4000"],
  ]);
  await using gateway = await GatewayProcess.start({
    sources: [{
      kind: "live",
      venue: VENUE,
      symbols: SYMBOLS,
      channels: ["book", "trades", "quote", "ticker", "candles"],
      candle_intervals: ["1m"],
      ws_url: mock.ws_url,
      rest_url: mock.rest_url,
    }],
    servers: [{ kind: "health", listen: "127.0.0.1:0" }, { kind: "grpc", listen: "127.0.0.1:0" }],
  });
  const { url } = await gateway.process.says("listening", { server: "grpc" });
  await gateway.untilReady();
  await using client = new RemoteClient(IMPLEMENTATIONS.grpc_js(place), new URL(String(url)).host);
  const kinds = [BOOK, "SubscribeToTrades", "SubscribeToTickers"];
  const streams = SYMBOLS.flatMap((symbol) =>
    kinds.map((method) => ({ name: `${method} ${symbol}`, method, request: { symbol } }))
  );
  await client.open(streams);
  // The market may be over before another trade.
  await client.until(streams.map(({ name }) => name).filter((name) => !name.includes("Trades")), {
    count: 1,
  });
  const http = async (path: string): Promise<Json> =>
    await (await fetch(`${gateway.health_url}${path}`)).json();
  let last = await http(`/book/${SYMBOLS[0]}?depth=100`);
  let same = 0;
  await until("the market's end", async () => {
    const next = await http(`/book/${SYMBOLS[0]}?depth=100`);
    same = next.last_update_id === last.last_update_id ? same + 1 : 0;
    last = next;
    return same > 50;
  });
  for (const symbol of SYMBOLS) {
    const of_http = async (path: string) => {
      const { venue, ...rest } = await http(path);
      assert.equal(venue, VENUE);
      return withoutDefaults(rest);
    };
    const book = await client.value("GetOrderBook", { symbol, depth: 100 });
    assert.deepEqual(book, await of_http(`/book/${symbol}?depth=100`));
    assert.ok(book.bids.length > 10);
    assert.deepEqual(await client.value("GetTicker", { symbol }), await of_http(`/ticker/${symbol}`));
    const { trades } = await client.value("GetRecentTrades", { symbol, limit: 1_000 });
    const of_route = await of_http(`/trades/${symbol}?limit=1000`) as { trades: Json[] };
    assert.deepEqual(
      trades,
      JSON.parse(JSON.stringify(of_route.trades.map((trade) => ({ symbol, ...trade, ...numericId(trade) })))),
    );
    const [stream] = await client.until([`${BOOK} ${symbol}`], {
      path: "order_book.last_update_id",
      equals: book.last_update_id,
    });
    assert.deepEqual(stream.last!.order_book.bids, book.bids.slice(0, 20));
    const { candles } = await http(`/candles/${symbol}?interval=1m`) as { candles: Json[] };
    assert.ok(candles.length > 0, "no candles");
  }
  await client.tell("cancel", streams.map(({ name }) => name));
  await until("no call", async () => await gateway.metric("mdg_grpc_calls") === 0);
  assert.equal(await gateway.metric("mdg_grpc_queued_bytes"), 0);
});
