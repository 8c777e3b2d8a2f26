/** What MEXC's fixtures can't show: any legal spelling of a message, the version chain, names in answers, percentages. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { mexcSpot } from "../../../../lib/feeds/mexc/spot.ts";
import { percentOf } from "../../../../lib/feeds/mexc/percent.ts";
import { BookReplica } from "../../../../lib/flow/book_replica.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";
import { ProtobufWriter } from "../../../../lib/wire/protobuf_writer.ts";
import { plainEvent } from "../plain_event.ts";

const NAME = "spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT";

type Field = (writer: ProtobufWriter) => void;
/** In the order given; what is repeated within a field keeps its order. */
function message(fields: readonly Field[]): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const write of fields) write(writer);
  return writer;
}
const text = (field: number, value: string): Field => (writer) => writer.text(field, value);
const within = (field: number, inner: ProtobufWriter): Field => (writer) => writer.message(field, inner);

interface Depth {
  asks: [string, string][];
  bids: [string, string][];
  first_id: number;
  last_id: number;
}
/** @param disturb what to do with the fields of every message inside */
function depthFrame(depth: Depth, disturb = (fields: Field[]) => fields): Uint8Array {
  const level = ([price, quantity]: [string, string]) =>
    message(disturb([text(1, price), text(2, quantity)]));
  const body = message(disturb([
    (writer) => depth.asks.forEach((one) => writer.message(1, level(one))),
    (writer) => depth.bids.forEach((one) => writer.message(2, level(one))),
    text(4, String(depth.first_id)),
    text(5, String(depth.last_id)),
  ]));
  return message(disturb([
    text(1, NAME),
    text(3, "BTCUSDT"),
    (writer) => writer.integer(6, 1_793_628_600_123),
    within(313, body),
  ])).finish();
}
function eventsOf(frame: Uint8Array): unknown[] {
  const batch = new EventBatch();
  assert.deepEqual(mexcSpot.createMapper(["BTCUSDT"]).map(frame, 1, batch), { kind: "events" });
  return batch.events.map(plainEvent);
}

Deno.test("mexc-spot: fields in any order and fields of tomorrow change nothing", () => {
  const random = new Random("mexc spelling");
  const decimal = () => `${random.integer(1, 99_999)}.${random.integer(1, 9)}`;
  const levels = () =>
    Array.from({ length: random.integer(0, 6) }, (): [string, string] => [decimal(), decimal()]);
  const novelties: Field[] = [
    text(99, "novelty".repeat(30)),
    (writer) => writer.integer(98, -1),
    (writer) => writer.float32(97, 1.5),
    (writer) => writer.float64(96, 1.5),
    // A known number with another wire type is another field.
    (writer) => writer.float32(1, 1.5),
  ];
  const disturb = (fields: Field[]) => {
    const mixed = [...fields, ...novelties.filter(() => random.chance(0.3))];
    for (let i = mixed.length - 1; i > 0; i--) {
      const j = random.integer(0, i);
      [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
    }
    return mixed;
  };
  for (let i = 0; i < 500; i++) {
    const first_id = random.integer(1, 2 ** 50);
    const depth = { asks: levels(), bids: levels(), first_id, last_id: first_id + random.integer(0, 9) };
    const plain = eventsOf(depthFrame(depth));
    const tidy = (side: [string, string][]) => side.map(([price, quantity]) => [price, quantity]);
    assert.deepEqual(plain, [{
      kind: "book_delta",
      venue: "mexc-spot",
      symbol: "BTCUSDT",
      sent_ms: 1_793_628_600_123,
      received_us: 1,
      first_id,
      last_id: depth.last_id,
      bids: tidy(depth.bids),
      asks: tidy(depth.asks),
    }]);
    assert.deepEqual(eventsOf(depthFrame(depth, disturb)), plain);
  }
});

Deno.test("mexc-spot: versions chain as numbers across a change of length, and a hole is a gap", () => {
  const asked: string[] = [];
  const left: unknown[] = [];
  const replica = new BookReplica(mexcSpot.sequence, {
    needSnapshot: (reason) => asked.push(reason),
    synced() {},
    unsynced: (why) => left.push(why),
    replaced() {},
    refreshed() {},
  });
  const mapper = mexcSpot.createMapper();
  const feed = (first_id: number, last_id: number) => {
    const batch = new EventBatch();
    mapper.map(depthFrame({ asks: [["2", "1"]], bids: [], first_id, last_id }), 1, batch);
    for (const event of batch.events) if (event.kind === "book_delta") replica.onDelta(event);
  };
  const snapshot = (lastUpdateId: number) => {
    const batch = new EventBatch();
    const body = new TextEncoder().encode(JSON.stringify({ lastUpdateId, bids: [["1", "1"]], asks: [] }));
    assert.equal(mexcSpot.snapshot.parse(body, "BTCUSDT", 1, batch, 5000), undefined);
    for (const event of batch.events) if (event.kind === "book_snapshot") replica.onSnapshot(event);
  };
  feed(990, 996);
  feed(997, 998);
  snapshot(980);
  assert.deepEqual([replica.live, asked.at(-1)], [false, "snapshot too old"]);
  snapshot(997);
  assert.deepEqual([replica.live, replica.last_id], [true, 998]);
  feed(999, 999);
  feed(1000, 1003);
  assert.deepEqual([replica.live, replica.last_id], [true, 1003]);
  feed(1000, 1003);
  assert.deepEqual([replica.live, replica.last_id], [true, 1003]);
  feed(1005, 1005);
  assert.equal(replica.live, false);
  assert.deepEqual(left, [{ reason: "gap", missing_from_id: 1004, missing_to_id: 1004 }]);
});

Deno.test("mexc-spot: a failure with code 0 is one, by the names it tells", () => {
  const outcome = (msg: string) =>
    mexcSpot.createMapper().map(
      new TextEncoder().encode(JSON.stringify({ id: 0, code: 0, msg })),
      1,
      new EventBatch(),
    );
  assert.deepEqual(outcome(`${NAME},${NAME}2`), { kind: "ack", streams: [NAME, `${NAME}2`] });
  const refused = outcome(`Not Subscribed successfully! [${NAME}].  Reason： Blocked! `);
  assert.ok(refused.kind === "ack" && refused.error?.includes("Blocked"));
  assert.deepEqual(refused.streams, [NAME]);
  const foreign = "spot@public.aggre.deals.v3.api.pb@100ms@龙虾USDT";
  assert.deepEqual(outcome(foreign), { kind: "ack", streams: [foreign] });
  assert.equal(outcome("msg too long").kind, "ack");
  assert.deepEqual(outcome("PONG"), { kind: "pong" });
});

Deno.test("mexc-spot: intervals it has not are passed over, an unknown speed is the slower one", () => {
  const streams = mexcSpot.streams("BTCUSDT", "candles", { intervals: ["1m", "3m", "1M"] });
  assert.deepEqual(streams.map((one) => one.stream.split("@").at(-1)), ["Min1", "Month1"]);
  const [fast] = mexcSpot.streams("BTCUSDT", "book", { speed: "10ms" });
  const [slow] = mexcSpot.streams("BTCUSDT", "book", { speed: "1s" });
  assert.match(fast.stream, /@10ms@BTCUSDT$/);
  assert.match(slow.stream, /@100ms@BTCUSDT$/);
});

Deno.test("mexc: fractions become percents without noise", () => {
  assert.deepEqual([0.0135, -0.0007, 0.07, 0, 1.1].map(percentOf), [1.35, -0.07, 7, 0, 110]);
  assert.equal(percentOf(NaN), undefined);
});

Deno.test("mexc: instruments of spot by decimals, missing ones absent", () => {
  const body = new TextEncoder().encode(JSON.stringify({
    symbols: [
      {
        ...{ symbol: "BTCUSDT", status: "1", baseAsset: "BTC", quoteAsset: "USDT", quotePrecision: 2 },
        ...{ baseAssetPrecision: 8, baseSizePrecision: "0.000001", quoteAmountPrecision: "1", filters: [] },
      },
      { symbol: "ETHUSDT", status: "ENABLED", baseSizePrecision: "0", quotePrecision: 0 },
      { symbol: "OTHER" },
    ],
  }));
  const found = mexcSpot.instruments!.parse(body, ["BTCUSDT", "ETHUSDT"]);
  assert.ok(typeof found !== "string");
  assert.deepEqual(found.map((one) => JSON.parse(JSON.stringify(one))), [
    {
      ...{ venue: "mexc-spot", symbol: "BTCUSDT", status: "trading", base: "BTC", quote: "USDT" },
      ...{ price_tick: "0.01", quantity_step: "0.00000001", min_quantity: "0.000001", min_notional: "1" },
    },
    { venue: "mexc-spot", symbol: "ETHUSDT", price_tick: "1" },
  ]);
});
