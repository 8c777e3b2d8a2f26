// deno-lint-ignore-file no-console -- what an example prints is its result
/**
 * Best prices of a book over gRPC, by grpc-js on Node.
 *   npm install @grpc/grpc-js @grpc/proto-loader
 *   node book.cjs 127.0.0.1:50051 BTCUSD [COUNT]
 */
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [address, symbol, count = "0"] = process.argv.slice(2);
const file = `${__dirname}/../../lib/servers/grpc/schema/market_data.proto`;
const { MarketDataService } =
  grpc.loadPackageDefinition(loader.loadSync(file, { keepCase: true })).market_data;
const client = new MarketDataService(address, grpc.credentials.createInsecure());
let left = Number(count);
const call = client.SubscribeToOrderBookUpdates({ symbol, depth: 5, update_speed: 100 });
call.on("data", ({ order_book: { bids: [bid], asks: [ask] } }) => {
  console.log(`${symbol} ${bid.price} x ${bid.quantity} | ${ask.price} x ${ask.quantity}`);
  if (--left === 0) {
    call.cancel();
    client.close();
  }
});
call.on("error", ({ code, details }) => {
  if (code === grpc.status.CANCELLED) return;
  console.error(`${grpc.status[code]}: ${details}`);
  process.exitCode = 1;
});
