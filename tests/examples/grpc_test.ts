/** examples/grpc against a running gateway, and the same values by HTTP. */
import { freePort } from "../../scripts/services/daemon.ts";
import { GatewayProcess } from "../end_to_end/gateway_process.ts";
import { path } from "../mdg_process.ts";
import { assertPrices, consumerTest, linesOf } from "./consumer.ts";

const SYMBOL = "BTCUSD";

async function serving(): Promise<{ gateway: GatewayProcess; address: string } & AsyncDisposable> {
  const address = `127.0.0.1:${freePort()}`;
  const gateway = await GatewayProcess.start({
    sources: [{ kind: "simulator", symbols: [SYMBOL], interval_ms: 20, rate: 200 }],
    servers: [{ kind: "grpc", listen: address }, { kind: "health", listen: "127.0.0.1:0" }],
  });
  await gateway.untilReady();
  return { gateway, address, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

consumerTest(["python_grpc", "protoc"], "gRPC in Python", async (at) => {
  await using server = await serving();
  const folder = await Deno.makeTempDir({ prefix: "mdg-example-" });
  try {
    const words = ["-I", path("lib/servers/grpc/schema"), `--python_out=${folder}`, "market_data.proto"];
    await linesOf(at.protoc, words);
    const args = [path("examples/grpc/book.py"), server.address, SYMBOL, "5"];
    assertPrices(await linesOf(at.python_grpc, args, { PYTHONPATH: folder }), SYMBOL, 5);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

consumerTest(["grpc_js", "node"], "gRPC in JavaScript", async (at) => {
  await using server = await serving();
  const args = [path("examples/grpc/book.cjs"), server.address, SYMBOL, "5"];
  assertPrices(await linesOf(at.node, args, { NODE_PATH: `${at.grpc_js}/node_modules` }), SYMBOL, 5);
});

consumerTest(["curl", "jq"], "what gRPC answers, by HTTP in shell", async () => {
  await using server = await serving();
  const { host } = new URL(server.gateway.health_url);
  assertPrices(await linesOf(path("examples/grpc/book.sh"), [host, SYMBOL]), SYMBOL, 1);
});
