/** examples/redis against what a running gateway publishes. */
import assert from "node:assert/strict";
import { GatewayProcess } from "../end_to_end/gateway_process.ts";
import { until } from "../end_to_end/until.ts";
import { path } from "../mdg_process.ts";
import { assertPrices, consumerTest, denoArgs, linesOf, ownName, withProgram } from "./consumer.ts";

async function publishing(url: string, symbol: string): Promise<GatewayProcess> {
  const gateway = await GatewayProcess.start({
    sources: [{ kind: "simulator", symbols: [symbol], interval_ms: 20, rate: 200 }],
    sinks: [{ kind: "redis", url }, { kind: "redis", url, deliver: "streams" }],
    servers: [{ kind: "health", listen: "127.0.0.1:0" }],
  });
  await gateway.untilReady();
  return gateway;
}

const addressOf = (url: string) => {
  const { hostname, port } = new URL(url);
  return [hostname, port || "6379"];
};

consumerTest(["redis", "python_redis"], "Redis pub/sub in Python", async ({ redis, python_redis }) => {
  const symbol = ownName("PY");
  await using _ = await publishing(redis, symbol);
  const lines = await linesOf(python_redis, [path("examples/redis/books.py"), redis, symbol, "5"]);
  assertPrices(lines, symbol, 5);
});

consumerTest(
  ["redis", "python_redis"],
  "Redis streams in Python: a second run goes on where the first ended",
  async ({ redis, python_redis }) => {
    const symbol = ownName("PS");
    const position = await Deno.makeTempFile();
    await Deno.remove(position);
    await using _ = await publishing(redis, symbol);
    const run = () =>
      linesOf(python_redis, [path("examples/redis/trades_stream.py"), redis, symbol, position, "3"]);
    const ids = [...await run(), ...await run()].map((line) => Number(line.split(" ")[1]));
    await Deno.remove(position);
    assert.deepEqual(ids.slice(1), ids.slice(0, -1).map((id) => id + 1), ids.join(" "));
  },
);

consumerTest(["redis"], "Redis pub/sub in TypeScript", async ({ redis }) => {
  const symbol = ownName("TS");
  await using _ = await publishing(redis, symbol);
  const args = denoArgs("examples/redis/books.ts", [redis, `orderbook:${symbol}*`, "5"]);
  assertPrices(await linesOf(Deno.execPath(), args), symbol, 5);
});

consumerTest(["redis", "c_compiler", "hiredis"], "Redis pub/sub in C", async (at) => {
  const symbol = ownName("CC");
  await using _ = await publishing(at.redis, symbol);
  await withProgram(at.c_compiler, "examples/redis/books.c", [at.hiredis], async (program) => {
    const books = (await linesOf(program, [...addressOf(at.redis), symbol, "5"])).map((line) =>
      JSON.parse(line)
    );
    assert.equal(books.length, 5);
    assert.ok(books.every((book) => book.symbol === symbol && book.bids[0][0] < book.asks[0][0]));
  });
});

consumerTest(["redis", "redis_cli", "jq"], "Redis pub/sub and streams in shell", async ({ redis }) => {
  const symbol = ownName("SH");
  await using _ = await publishing(redis, symbol);
  const books = await linesOf(path("examples/redis/books.sh"), [...addressOf(redis), symbol, "5"]);
  assertPrices(books, symbol, 5);
  const args = [...addressOf(redis), symbol, "3"];
  const trades = await until("three trades", async () => {
    const lines = await linesOf(path("examples/redis/trades_stream.sh"), args);
    return lines.length === 3 && lines;
  });
  const ids = trades.map((line) => JSON.parse(line)[0]);
  assert.deepEqual(ids, [ids[0], ids[0] + 1, ids[0] + 2]);
});
