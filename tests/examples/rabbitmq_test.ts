/** examples/rabbitmq: a stream read by AMQP 0-9-1, by RabbitMQ's own stream client, and by mdg. */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { RabbitmqNode } from "../../scripts/services/rabbitmq_node.ts";
import { GatewayProcess } from "../end_to_end/gateway_process.ts";
import { deleteStreams } from "../live/stream_reader.ts";
import { mdgCommand, path } from "../mdg_process.ts";
import { consumerTest, denoArgs, linesOf, ownName, withProgram } from "./consumer.ts";

interface Writing extends AsyncDisposable {
  stream: string;
  url: string;
}

/** A broker whose AMQP port is known too: a node of the test's own, where the one at hand has no standard ports. */
async function amqpBroker(url: string): Promise<{ url: string; port: number } & AsyncDisposable> {
  if (new URL(url).port === "5552") {
    return {
      url,
      port: 5672,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  return await RabbitmqNode.start(systemClock);
}

/** A gateway that writes to a stream of the test's own, removed at the end. */
async function writing(url: string): Promise<Writing> {
  await using all = new AsyncDisposableStack();
  const stream = ownName("mdg-example-");
  const symbol = ownName("EX");
  const subscriptions = `${stream}-subscriptions`;
  all.defer(() => deleteStreams(url, [stream, subscriptions]));
  const gateway = all.use(
    await GatewayProcess.start({
      sources: [{ kind: "simulator", symbols: [symbol], interval_ms: 20, rate: 200 }],
      sinks: [{
        kind: "rabbitmq_stream",
        url,
        streams: { market: stream, subscriptions },
      }],
      servers: [{ kind: "health", listen: "127.0.0.1:0" }],
    }),
  );
  await gateway.untilReady(); // then the streams are there
  const kept = all.move();
  return { stream, url, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const ADAPTED = "tests/examples/adapt_stream_client.ts";

function assertUpdates(updates: readonly Record<string, unknown>[], count: number): void {
  assert.equal(updates.length, count);
  for (const { kind, venue, symbol } of updates) {
    assert.ok(["trade", "book", "quote", "book_status"].includes(String(kind)), String(kind));
    assert.equal(venue, "simulator");
    assert.match(String(symbol), /^EX/);
  }
}

consumerTest(["rabbitmq", "python_pika"], "RabbitMQ streams in Python, by AMQP 0-9-1", async (at) => {
  await using broker = await amqpBroker(at.rabbitmq);
  await using written = await writing(broker.url);
  const url = `amqp://guest:guest@127.0.0.1:${broker.port}/`;
  const args = [path("examples/rabbitmq/updates.py"), url, written.stream];
  const updates = (lines: string[]) =>
    lines.map((line) => line.split(" ")).map(([offset, kind, venue, symbol]) => ({
      offset,
      kind,
      venue,
      symbol,
    }));
  const first = updates(await linesOf(at.python_pika, [...args, "first", "50"]));
  assertUpdates(first, 50);
  assert.deepEqual(
    first.map(({ offset }) => Number(offset)),
    Array.from({ length: 50 }, (_, index) => index),
  );
  const [next] = updates(await linesOf(at.python_pika, [...args, "50", "1"]));
  assert.equal(next.offset, "50");
});

consumerTest(
  ["rabbitmq", "c_compiler", "librabbitmq"],
  "RabbitMQ streams in C, by AMQP 0-9-1",
  async (at) => {
    await using broker = await amqpBroker(at.rabbitmq);
    await using written = await writing(broker.url);
    await withProgram(at.c_compiler, "examples/rabbitmq/updates.c", [at.librabbitmq], async (program) => {
      const lines = await linesOf(program, ["127.0.0.1", String(broker.port), written.stream, "first", "50"]);
      assertUpdates(lines.map((line) => JSON.parse(line)), 50);
    });
  },
);

consumerTest(["rabbitmq"], "RabbitMQ streams in shell", async (at) => {
  await using written = await writing(at.rabbitmq);
  const { program, args } = mdgCommand();
  const lines = await linesOf(path("examples/rabbitmq/updates.sh"), [written.url, written.stream, "50"], {
    MDG: [program, ...args].join(" "),
    MDG_RABBITMQ_PASSWORD: "guest",
  });
  assert.equal(lines.length, 50);
  assert.match(lines[0], /"symbol":"EX/);
});

consumerTest(["rabbitmq"], "RabbitMQ streams in TypeScript, by the broker's own client", async (at) => {
  await using written = await writing(at.rabbitmq);
  const url = written.url.replace("://", "://guest:guest@");
  const args = denoArgs("examples/rabbitmq/updates.ts", [url, written.stream, "50"], ADAPTED);
  const lines = await linesOf(Deno.execPath(), args);
  assertUpdates(
    lines.map((line) => line.split(" ")).map(([_, kind, venue, symbol]) => ({ kind, venue, symbol })),
    50,
  );
});
