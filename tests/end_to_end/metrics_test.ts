/** /metrics of a gateway at work: Prometheus's own checker finds nothing, and the old dashboards find all they read. */
import assert from "node:assert/strict";
import { RedisServer, redisServerMissing } from "../live/redis_server.ts";
import { serviceAddress, testUnless } from "../services.ts";
import { BookFollower } from "./book_follower.ts";
import { GatewayProcess, metricIn } from "./gateway_process.ts";
import { booksAndTrades, liveConfig } from "./live_config.ts";
import { MockProcess } from "./mock_process.ts";
import { until } from "./until.ts";

const VENUE = "binance-futures";
const SYMBOLS = ["AAAUSDT", "BBBUSDT"];
const MARKET = ["--symbols", SYMBOLS.join(","), "--interval", "20", "--rate", "200"];

/** Requirements B: name, type, labels beside `symbol`, and whether a healthy busy run is above 0. */
const CONTRACT: [name: string, type: string, labels: Record<string, string>, expected: "some" | 0 | 1][] = [
  ["websocket_connected", "gauge", {}, 1],
  ["websocket_disconnects_total", "counter", {}, 0],
  ["messages_processed_total", "counter", { type: "depth" }, "some"],
  ["messages_processed_total", "counter", { type: "trade" }, "some"],
  ["messages_error_total", "counter", {}, 0],
  ["processing_latency_microseconds", "histogram", {}, "some"],
  ["orderbook_updates_total", "counter", {}, "some"],
  ["sequence_errors_total", "counter", {}, 0],
  ["trades_processed_total", "counter", {}, "some"],
  ["redis_publishes_total", "counter", { type: "orderbook" }, "some"],
  ["redis_publishes_total", "counter", { type: "trade" }, "some"],
  ["redis_errors_total", "counter", {}, 0],
];

/** Runs `body` on the metrics page of a gateway that has done some of everything. */
async function atWork(body: (text: string, gateway: GatewayProcess) => void | Promise<void>): Promise<void> {
  await using redis = await RedisServer.start();
  await using mock = await MockProcess.start(VENUE, MARKET);
  await using gateway = await GatewayProcess.start(
    liveConfig({ venue: VENUE, ws_url: mock.ws_url, symbols: SYMBOLS, redis_url: redis.url }),
  );
  await gateway.untilReady();
  await using follower = new BookFollower(gateway.ws_url, booksAndTrades(SYMBOLS));
  await follower.until(
    "books and trades",
    () => SYMBOLS.every((one) => follower.of(one).deltas > 20 && follower.of(one).trade_ids.length > 5),
  );
  const text = await until("trades taken by redis", async () => {
    const page = await gateway.metricsText();
    const taken = (symbol: string) => metricIn(page, "redis_publishes_total", { symbol, type: "trade" }) ?? 0;
    return SYMBOLS.every((symbol) => taken(symbol) > 0) && page;
  });
  await body(text, gateway);
}

testUnless(redisServerMissing(), "every metric of the contract is there, labelled and sane", async () => {
  await atWork((text) => {
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((one) => [one[1], one[2]]));
    for (const [name, type, labels, expected] of CONTRACT) {
      assert.equal(types.get(name), type, name);
      for (const symbol of SYMBOLS) {
        const sample = type === "histogram" ? `${name}_count` : name;
        const value = metricIn(text, sample, { symbol, ...labels });
        assert.notEqual(value, undefined, `${sample} ${symbol} ${JSON.stringify(labels)}: absent`);
        if (expected === "some") assert.ok(value! > 0, `${sample} ${symbol}: ${value}`);
        else assert.equal(value, expected, `${sample} ${symbol}`);
      }
    }
    for (const symbol of SYMBOLS) {
      const of = (name: string, labels = {}) => metricIn(text, name, { symbol, ...labels })!;
      const latency = "processing_latency_microseconds";
      assert.equal(of(`${latency}_bucket`, { le: "+Inf" }), of(`${latency}_count`));
      assert.ok(of(`${latency}_sum`) > 0);
      assert.ok(of("orderbook_updates_total") <= of("messages_processed_total", { type: "depth" }));
      assert.equal(of("trades_processed_total"), of("messages_processed_total", { type: "trade" }));
      assert.equal(of("book_in_sync"), 1);
    }
    assert.ok(metricIn(text, "process_resident_memory_bytes")! > 10_000_000);
  });
});

const promtool = serviceAddress("promtool");
testUnless(
  redisServerMissing() ?? ("missing" in promtool ? promtool.missing : undefined),
  "promtool finds nothing but the unit in the contract's own histogram name",
  async () => {
    if (!("address" in promtool)) return;
    await atWork(async (text) => {
      const child = new Deno.Command(promtool.address, {
        args: ["check", "metrics"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      const [{ code, stdout, stderr }] = await Promise.all([
        child.output(),
        writer.write(new TextEncoder().encode(text)).then(() => writer.close()),
      ]);
      const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
      // The unit stands in the contract's own name; 3: there was something to say.
      const wanted = 'processing_latency_microseconds use base unit "seconds" instead of "microseconds"\n';
      assert.deepEqual([code, said], [3, wanted]);
    });
  },
);
