/**
 * Several gateways, one stream: two at once, one that is killed -9, one that replays everything. Every trade of the
 * market is in the stream once and in order, no book goes back, and the last one is the last of the market.
 */
import assert from "node:assert/strict";
import { deleteStreams, type StreamedUpdate, StreamReader } from "../live/stream_reader.ts";
import { path, runMdg } from "../mdg_process.ts";
import { serviceTest } from "../services.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { MockProcess } from "./mock_process.ts";
import { until } from "./until.ts";

const VENUE = "binance-futures";
const SYMBOL = "BTCUSDT";
const capture = path(`fixtures/feeds/${VENUE}/capture.ndjson`);

/** A gateway with a stand-in of its own, which plays the market from its beginning. */
async function start(processes: AsyncDisposableStack, url: string, market: string): Promise<GatewayProcess> {
  const options = ["--capture", capture, "--symbols", SYMBOL, "--speed", "20"];
  const { ws_url, rest_url } = processes.use(await MockProcess.start(VENUE, options));
  const streams = { market, subscriptions: `${market}-subscriptions` };
  return processes.use(
    await GatewayProcess.start({
      sources: [{ kind: "live", venue: VENUE, symbols: [SYMBOL], ws_url, rest_url }],
      sinks: [{ kind: "rabbitmq_stream", url, streams }],
      servers: [{ kind: "health", listen: "127.0.0.1:0" }],
    }),
  );
}

const confirmedTrades = async (gateway: GatewayProcess) =>
  await gateway.metric("rabbitmq_stream_publishes_total", { symbol: SYMBOL, type: "trade" }) ?? 0;

/** Every trade of the market is confirmed to this gateway, whoever published it first. */
async function finished(gateway: GatewayProcess, trades: number): Promise<void> {
  const is_done = async () => await confirmedTrades(gateway) === trades;
  await until("all trades confirmed", is_done, 60_000, () => gateway.process.tail());
}

serviceTest(
  "rabbitmq",
  "two gateways at once, one killed -9, one that replays all: each trade once, in order",
  async (url) => {
    const { stdout } = await runMdg({ args: ["verify", capture] });
    const { trades, update_id } = JSON.parse(stdout);
    const market = `mdgtest-${crypto.randomUUID()}`;
    await using cleaning = new AsyncDisposableStack();
    cleaning.defer(() => deleteStreams(url, [market, `${market}-subscriptions`]));
    {
      await using processes = new AsyncDisposableStack();
      const starting = [1, 2, 3].map(() => start(processes, url, market));
      const [killed, ...others] = await Promise.all(starting);
      await until("a trade of the one to be killed", async () => await confirmedTrades(killed) > 0);
      await killed.process.kill();
      for (const gateway of others) await finished(gateway, trades);
      await finished(await start(processes, url, market), trades);
    }
    await using reader = new StreamReader(url, [market]);
    const books = () => reader.updates.filter((one) => one.kind === "book").map((one) => one.last_update_id);
    await reader.until(
      "the last book",
      () => reader.trades().length >= trades && books().at(-1) === update_id,
    );
    const ids = reader.trades().map((one) => one.trade_id);
    assert.deepEqual(ids, [...new Set(ids)].toSorted((a, b) => a - b));
    assert.equal(ids.length, trades);
    assert.deepEqual(books(), books().toSorted((a, b) => a - b));
    await using record = new StreamReader(url, [`${market}-subscriptions`]);
    const isAcknowledged = (one: StreamedUpdate) => one.symbol === SYMBOL && one.state === "acknowledged";
    await record.until("acknowledged subscriptions", () => record.updates.some(isAcknowledged));
  },
);
