/**
 * The sink `rabbitmq_stream`, from update to confirm by a real broker, against the official client's bare loop: the same
 * payloads, made before, published as fast as it takes them, until all are confirmed. Runs where MDG_TEST_RABBITMQ_URL or
 * the standard stream port answers; its streams are deleted afterwards.
 */
import { Buffer } from "node:buffer";
import { nextTurn, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import { writeUpdateJson } from "../../lib/flow/update_json.ts";
import type { Trade } from "../../lib/market/event.ts";
import { rabbitmq_stream } from "../../lib/sinks/registry.ts";
import type { SinkContext } from "../../lib/sinks/sink.ts";
import { ByteWriter } from "../../lib/wire/byte_writer.ts";
import { Key } from "../../lib/wire/rabbitmq_stream/protocol.ts";
import { StreamSession } from "../../lib/wire/rabbitmq_stream/session.ts";
import { officialClient } from "../live/official_stream_client.ts";
import { brokerAt, deleteStreams } from "../live/stream_reader.ts";
import { fastest_ms, print, row } from "./figures.ts";

const PUBLISHED = 50_000;
const ENCODED = 200_000;
/** Updates that one frame or socket read brings along, and after how many the event loop gets its turn. */
const UPDATES_PER_FLUSH = 16;
const UPDATES_PER_TURN = 256;
const url = Deno.env.get("MDG_TEST_RABBITMQ_URL") ?? "rabbitmq-stream://127.0.0.1:5552";
const stream = `mdgbench-${crypto.randomUUID()}`;
const subscriptions = `${stream}-subscriptions`;
const head = { venue: "bench", symbol: "BTCUSDT", received_us: 1_723_075_200_000_000 };

let trade_id = 0;
const nextTrade = (): Trade => ({
  kind: "trade",
  ...head,
  trade_id: ++trade_id,
  price: 61_800.1,
  quantity: 0.123,
  aggressor: "buy",
  exchange_ms: 1_723_075_200_000 + trade_id,
});

/** Trades through the real sink and its queue until all are confirmed; per second. */
async function bySink(): Promise<number> {
  const ready = Promise.withResolvers<void>();
  const context: SinkContext = {
    name: "rabbitmq_stream",
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "bench",
    writable: ready.resolve,
  };
  const streams = { market: stream, subscriptions };
  const sink = await rabbitmq_stream.connect(rabbitmq_stream.schema.parse({ url, streams }), context);
  await ready.promise;
  const queue = new DeliveryQueue(sink, { ...context, readBook: () => undefined }, {
    max_trades: 2 * PUBLISHED,
  });
  const from_ms = systemClock.monotonic_ms();
  for (let i = 1; i <= PUBLISHED; i++) {
    queue.offer(nextTrade());
    if (i % UPDATES_PER_FLUSH === 0) queue.flush();
    if (i % UPDATES_PER_TURN === 0) await nextTurn();
  }
  const left = await queue.close(60_000);
  const elapsed_ms = systemClock.monotonic_ms() - from_ms;
  await sink[Symbol.asyncDispose]();
  if (left > 0) throw new Error(`publish: ${left} left`);
  return PUBLISHED * 1_000 / elapsed_ms;
}

function payloads(): Buffer[] {
  const writer = new ByteWriter();
  return Array.from({ length: PUBLISHED }, () => {
    writer.reset();
    writeUpdateJson(writer, nextTrade(), 20);
    return Buffer.from(writer.copy());
  });
}

/** The same through the official client alone: no queue, no encoding, `in_flight` at most. */
async function byClient(in_flight: number): Promise<number> {
  const client = await officialClient(url);
  const publisher = await client.declarePublisher({
    stream,
    publisherRef: crypto.randomUUID(),
    maxChunkLength: 1_000,
  });
  let confirmed = 0;
  let wake = () => {};
  publisher.on("publish_confirm", (error, ids) => {
    if (error) throw new Error(`publish: ${error}`);
    confirmed += ids.length;
    wake();
  });
  const options = {
    applicationProperties: { schema: "mdg.update/1", kind: "trade", venue: head.venue, symbol: head.symbol },
    messageProperties: { contentType: "application/json" },
  };
  const all = payloads();
  const from_ms = systemClock.monotonic_ms();
  for (const [i, payload] of all.entries()) {
    await publisher.send(payload, options);
    while (i - confirmed >= in_flight) await new Promise<void>((resolve) => wake = resolve);
  }
  await publisher.flush();
  while (confirmed < PUBLISHED) await new Promise<void>((resolve) => wake = resolve);
  const elapsed_ms = systemClock.monotonic_ms() - from_ms;
  await client.close();
  return PUBLISHED * 1_000 / elapsed_ms;
}

/** In turns, so that a busy machine is busy for both. */
async function best(measures: (() => Promise<number>)[], rounds = 3): Promise<number[]> {
  const found = measures.map(() => 0);
  for (let i = 0; i <= rounds; i++) {
    for (const [j, measure] of measures.entries()) {
      const rate = await measure();
      if (i > 0) found[j] = Math.max(found[j], rate);
    }
  }
  return found;
}

async function session(): Promise<StreamSession> {
  return await StreamSession.open(await brokerAt(url).open(), brokerAt(url).session, { onClosed() {} });
}

print("encode a trade of the normalised model");
const writer = new ByteWriter();
const encode_ms = fastest_ms(() => {
  for (let i = 0; i < ENCODED; i++) {
    writer.reset();
    writeUpdateJson(writer, nextTrade(), 20);
  }
});
const stringify_ms = fastest_ms(() => {
  for (let i = 0; i < ENCODED; i++) new TextEncoder().encode(JSON.stringify(nextTrade()));
});
row("baseline: JSON.stringify and its bytes", `${(stringify_ms * 1_000 / ENCODED).toFixed(2)} µs`);
row(
  "update JSON",
  `${(encode_ms * 1_000 / ENCODED).toFixed(2)} µs`,
  `${(stringify_ms / encode_ms).toFixed(1)}×`,
);

let control: StreamSession | undefined;
try {
  control = await session();
} catch (error) {
  print(`publish: skipped, no broker at ${url}: ${error instanceof Error ? error.message : error}`);
}
if (control) {
  print(`publish ${PUBLISHED} trades, confirmed by a real broker`);
  await control.request("create", Key.create, (frame) => frame.string(stream).map({}));
  const [bare, sink] = await best([() => byClient(10_000), bySink]);
  row("baseline: the official client's bare loop", `${(bare / 1_000).toFixed(1)} k/s`);
  row(
    "sink, encoding and queue included",
    `${(sink / 1_000).toFixed(1)} k/s`,
    `${(sink / bare).toFixed(1)}×`,
  );
  await control.close();
  await deleteStreams(url, [stream, subscriptions]);
}
