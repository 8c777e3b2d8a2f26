/**
 * What the sink `rabbitmq_stream` writes, seen by the official client; what that client writes, seen by ours; the command
 * that prints it; and the record of subscriptions.
 */
import assert from "node:assert/strict";
import { CompressionType } from "rabbitmq-stream-js-client/dist/compression.js";
import { Buffer } from "node:buffer";
import { rabbitmq_stream } from "../../lib/sinks/registry.ts";
import { eventually, SinkRig, TRADE, VENUE } from "../contracts/sink_rig.ts";
import { runMdg } from "../mdg_process.ts";
import { serviceTest } from "../services.ts";
import { officialClient, readByOfficialClient } from "./official_stream_client.ts";
import { deleteStreams, StreamReader } from "./stream_reader.ts";

/** A test with streams of its own, deleted afterwards. */
function streamTest(
  name: string,
  body: (url: string, market: string, subscriptions: string) => Promise<void>,
): void {
  serviceTest("rabbitmq", name, async (url) => {
    const market = `mdgtest-${crypto.randomUUID()}`;
    const subscriptions = `${market}-subscriptions`;
    try {
      await body(url, market, subscriptions);
    } finally {
      await deleteStreams(url, [market, subscriptions]);
    }
  });
}
/** Ready: what is offered before is conflated. */
async function open(url: string, market: string, subscriptions: string): Promise<SinkRig> {
  const rig = await SinkRig.open(rabbitmq_stream, { url, streams: { market, subscriptions } });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  return rig;
}

streamTest(
  "the official client reads what the sink wrote: content type, properties, JSON, publishing ids",
  async (url, market, subscriptions) => {
    const rig = await open(url, market, subscriptions);
    rig.book("BTCUSDT", 61_800);
    rig.trade("BTCUSDT");
    rig.queue.flush();
    rig.offer({
      kind: "book_status",
      venue: VENUE,
      symbol: "BTCUSDT",
      in_sync: false,
      reason: "gap",
      received_us: 1e15,
    });
    rig.queue.flush();
    await eventually("drained", () => rig.queue.queued === 0);
    assert.equal(await rig.close(), 0);
    const messages = await readByOfficialClient(url, market, 3);
    const [book, trade, status] = messages.map((one) => JSON.parse(one.content.toString()));
    assert.deepEqual(messages[1].applicationProperties, {
      schema: "mdg.update/1",
      kind: "trade",
      venue: VENUE,
      symbol: "BTCUSDT",
    });
    assert.equal(messages[1].messageProperties?.contentType, "application/json");
    assert.deepEqual(trade, {
      kind: "trade",
      venue: VENUE,
      symbol: "BTCUSDT",
      trade_id: 1,
      ...TRADE,
      aggressor: "sell",
      exchange_ms: 1_723_075_200_001,
      received_us: 1_723_075_200_000_500,
    });
    assert.equal(book.bids.length, 20);
    assert.deepEqual([book.bids[0], book.asks[0], book.sequence], [[61_800, 1], [61_801, 1], 1]);
    assert.deepEqual([status.kind, status.in_sync, status.reason], ["book_status", false, "gap"]);

    // The venue's time in ms, then 22 bits of its own id: what a restarted producer goes on from.
    const client = await officialClient(url);
    const publisher = await client.declarePublisher({
      stream: market,
      publisherRef: `mdg/${VENUE}/BTCUSDT/trade`,
    });
    assert.equal(await publisher.getLastPublishingId(), 1_723_075_200_001n << 22n | 1n);
    await client.close();
  },
);

streamTest(
  "messages of another producer are read: plain, with properties, and in compressed batches",
  async (url, market, subscriptions) => {
    const rig = await open(url, market, subscriptions);
    await rig.close();
    const client = await officialClient(url);
    const publisher = await client.declarePublisher({ stream: market });
    await publisher.send(Buffer.from('{"n":1}'), {
      applicationProperties: { text: "ключ", number: 7 },
      messageProperties: { contentType: "application/json", creationTime: new Date(1_723_075_200_000) },
    });
    await publisher.flush();
    await publisher.sendSubEntries(
      [{ content: Buffer.from('{"n":2}') }, { content: Buffer.from('{"n":3}') }],
      CompressionType.Gzip,
    );
    await publisher.sendSubEntries([{ content: Buffer.from(`{"n":4,"long":"${"x".repeat(400)}"}`) }]);
    await using reader = new StreamReader(url, [market]);
    await reader.until("all four", () => reader.updates.length === 4);
    assert.deepEqual(reader.updates.map((one) => one.n), [1, 2, 3, 4]);
    assert.deepEqual(reader.delivered.map((one) => one.offset), [0n, 1n, 2n, 3n]);
    const { content_type, application_properties } = reader.delivered[0].message!;
    assert.equal(content_type, "application/json");
    assert.deepEqual([...application_properties!], [["text", "ключ"], ["number", 7]]);
    await client.close();
  },
);

streamTest(
  "subscription changes go to their own stream, in order, kept while there is no connection",
  async (url, market, subscriptions) => {
    const streams = { market, subscriptions };
    const rig = await SinkRig.open(rabbitmq_stream, { url, streams });
    const change = { venue: VENUE, symbol: "BTCUSDT", channel: "trades", action: "subscribe" } as const;
    // Right after opening: nobody is connected yet.
    rig.sink.noteSubscription!({ ...change, state: "requested", at_us: 1 });
    rig.sink.noteSubscription!({ ...change, state: "acknowledged", subscription_id: "17", at_us: 2 });
    rig.sink.noteSubscription!({
      ...change,
      symbol: "NOPE",
      state: "refused",
      reason: "unknown symbol",
      at_us: 3,
    });
    await using reader = new StreamReader(url, [subscriptions]);
    await reader.until("all three", () => reader.updates.length === 3);
    assert.deepEqual(reader.updates.map((one) => [one.state, one.symbol, one.at_us]), [
      ["requested", "BTCUSDT", 1],
      ["acknowledged", "BTCUSDT", 2],
      ["refused", "NOPE", 3],
    ]);
    assert.equal(reader.updates[0].kind, "subscription");
    assert.equal(reader.delivered[1].message?.application_properties?.get("kind"), "subscription");
    await eventually("counted", () => rig.count("sink_subscriptions_published_total") === 3);
    assert.equal(await rig.close(), 0);
  },
);

streamTest(
  "mdg tail rabbitmq: from the beginning, from an offset, from a time; a count; what is not there",
  async (url, market, subscriptions) => {
    const rig = await open(url, market, subscriptions);
    await rig.traffic(["BTCUSDT"], 20);
    await eventually("drained", () => rig.queue.queued === 0);
    assert.equal(await rig.close(), 0);
    const tail = async (...args: string[]) => {
      const { code, stdout, stderr } = await runMdg({
        args: ["tail", "rabbitmq", "--url", url, "--timeout", "10", ...args],
      });
      return {
        code,
        stderr,
        lines: stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)),
      };
    };
    const all = await tail(market, "--from", "first", "--count", "40", "--properties");
    assert.equal(all.code, 0);
    assert.deepEqual(all.lines.map((one) => one.offset), Array.from({ length: 40 }, (_, i) => i));
    assert.equal(all.lines.filter((one) => one.payload.kind === "trade").length, 20);
    assert.equal(all.lines[0].properties.symbol, "BTCUSDT");
    assert.deepEqual((await tail(market, "--from", "37", "--count", "2")).lines.map((one) => one.offset), [
      37,
      38,
    ]);
    assert.equal((await tail(market, "--from", "2020-01-01T00:00:00Z", "--count", "1")).lines[0].offset, 0);
    assert.equal((await tail(market, "--from", "last", "--timeout", "0.5")).lines.at(-1)?.offset, 39);

    const late = await tail(market, "--count", "1", "--timeout", "0.3");
    assert.deepEqual([late.code, late.lines.length], [1, 0]);
    const missing = await tail(`${market}-nowhere`, "--from", "first");
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /read stream ".*-nowhere": the stream does not exist/);
    const wrong = await tail(market, "--from", "yesterday");
    assert.equal(wrong.code, 2);
  },
);
