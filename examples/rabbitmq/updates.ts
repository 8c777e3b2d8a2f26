// deno-lint-ignore-file no-console -- what an example prints is its result
/**
 * Updates that mdg writes to a RabbitMQ stream, read with RabbitMQ's own client (it wants a broker from 3.11 on).
 * deno run -A examples/rabbitmq/updates.ts rabbitmq-stream://guest:guest@127.0.0.1:5552 marketupdates [COUNT]
 */
import { connect, Offset } from "rabbitmq-stream-js-client";

const [url, stream, count = "0"] = Deno.args;
const { hostname, port, username, password } = new URL(url);
let left = Number(count);
const client = await connect({ hostname, port: Number(port), username, password, vhost: "/", heartbeat: 30 });
await client.declareConsumer({ stream, offset: Offset.first() }, ({ content, offset }) => {
  const { kind, venue, symbol } = JSON.parse(content.toString());
  console.log(`${offset} ${kind} ${venue} ${symbol}`);
  if (--left === 0) client.close();
});
