/** Both readers of the protocol: what they make of messages, and that nothing makes them do worse than refuse. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { valueOf } from "../../../lib/client/exact_number.ts";
import { LongNumber } from "../../../lib/client/exact_number.ts";
import { type BookMessage, type OrdersSnapshot, UnreadableMessage } from "../../../lib/client/messages.ts";
import { BinaryReader } from "../../../lib/client/read_binary.ts";
import { JsonReader } from "../../../lib/client/read_json.ts";
import { TICKER_FIELDS } from "../../../lib/market/event.ts";
import type { LevelList } from "../../../lib/market/level_list.ts";
import { is_long } from "../../services.ts";
import { BinaryWriter } from "./binary_writer.ts";

const HEAD = { venue: "v", symbol: "S" };
const reader = () => new BinaryReader((handle) => handle === 7 ? { ...HEAD, interval: "1m" } : undefined);
const levels = (list: LevelList) =>
  Array.from(
    { length: list.size },
    (_, i) => [list.prices[i], list.exact_quantities?.get(i) ?? list.quantities[i]],
  );
const plain = (message: BookMessage) => ({
  ...message,
  bids: levels(message.bids),
  asks: levels(message.asks),
});
const begin = (kind: number) => new BinaryWriter().head(kind, 7, 5, 1_723_075_200_000);
const READ = { ...HEAD, seq: 5, timestamp: 1_723_075_200_000 };

/** One of each kind, with everything that may be in it. */
function samples(): Uint8Array<ArrayBuffer>[] {
  return [
    begin(1).byte(2 + 4).varint(99).byte(1).byte(3).side([[1000, 1500], [998, 1]]).side([[1001, 7]])
      .decimal(998, 1).decimal(1001, 1).done(),
    begin(2).byte(1).varint(100).byte(0).byte(0)
      .varint(1).decimal(5, 1).decimalText("12345678901234567890.5")
      .varint(1).decimalText("1e-7").decimal(0, 0).done(),
    begin(3).byte(1 + 2 + 4).varint(2 ** 53 - 1).decimal(-15, 1).decimal(123_456_789_012_345_6, 8).done(),
    begin(3).byte(8).text("a-€-1").decimal(1, 0).decimal(2, 0).done(),
    begin(4).byte(63).varint(12).decimal(1, 0).decimal(2, 1).decimal(3, 2).decimal(4, 3).done(),
    TICKER_FIELDS.reduce((writer, _, i) => writer.decimal(i, 0), begin(5).varint(2 ** 21 - 1))
      .text("pre").text('{"a":1,"b":"x"}').done(),
    begin(6).byte(1 + 2 + 4 + 8 + 16).varint(60_000).varint(119_999).decimal(1, 0).decimal(2, 0).decimal(3, 0)
      .decimal(4, 0).decimal(5, 0).decimal(6, 0).varint(9).done(),
    begin(7).varint(99).varint(2).varint(1).decimal(1005, 1).decimal(5, 0).zigzag(250)
      .varint(0).text("18446744073709551611").decimal(1005, 1).decimal(25, 1).zigzag(-1)
      .varint(1).varint(2 ** 53 - 1).decimal(101, 0).decimal(7, 0).zigzag(0).done(),
    begin(8).varint(100).varint(2).byte(0).varint(8).decimal(1, 0).decimal(2, 0).zigzag(0)
      .byte(3 + 4).varint(9).decimal(2, 0).decimal(0, 0).zigzag(5).done(),
  ];
}

Deno.test("each kind of the binary form says what it says in the protocol's text", () => {
  const binary = reader();
  const [snapshot, delta, trade, other_trade, bbo, ticker, candle] = samples();
  assert.deepEqual(plain(binary.read(snapshot) as BookMessage), {
    type: "snapshot",
    ...READ,
    last_update_id: 99,
    bids: [[100, 1.5], [99.8, 0.001]],
    asks: [[100.1, 0.007]],
    bid_bound: 99.8,
    ask_bound: 100.1,
  });
  assert.deepEqual(plain(binary.read(delta) as BookMessage), {
    type: "delta",
    ...READ,
    last_update_id: 100,
    bids: [[0.5, "12345678901234567890.5"]],
    asks: [[0.0000001, 0]],
    bid_bound: undefined,
    ask_bound: undefined,
  });
  assert.deepEqual(binary.read(trade), {
    type: "trade",
    ...READ,
    trade_id: 2 ** 53 - 1,
    price: -1.5,
    quantity: new LongNumber(12345678.90123456, "12345678.90123456"),
    is_buyer_maker: true,
  });
  assert.deepEqual(binary.read(other_trade), {
    type: "trade",
    ...READ,
    trade_id: "a-€-1",
    price: 1,
    quantity: 2,
    is_buyer_maker: undefined,
  });
  assert.deepEqual(binary.read(bbo), {
    type: "bbo",
    ...READ,
    update_id: 12,
    source: "quote",
    bid: 1,
    bid_quantity: 0.2,
    ask: 0.03,
    ask_quantity: 0.004,
  });
  assert.deepEqual(binary.read(ticker), {
    type: "ticker",
    ...READ,
    fields: Object.fromEntries(TICKER_FIELDS.map((name, i) => [name, i])),
    session: "pre",
    extra: { a: 1, b: "x" },
  });
  assert.deepEqual(binary.read(candle), {
    type: "candle",
    ...READ,
    interval: "1m",
    open_time_ms: 60_000,
    close_time_ms: 119_999,
    open: 1,
    high: 2,
    low: 3,
    close: 4,
    volume: 5,
    quote_volume: 6,
    trade_count: 9,
    closed: true,
    incomplete: true,
    revised: true,
  });
  assert.equal(binary.rest, 0);
});

Deno.test("a kind of tomorrow is left alone; a field of tomorrow too; what is cut off is refused at every byte", () => {
  const binary = reader();
  assert.equal(binary.read(begin(9).done()), undefined);
  for (const sample of samples()) {
    assert.ok(binary.read(new Uint8Array([...sample, 1, 2, 3])));
    assert.equal(binary.rest, 3);
    for (let end = 0; end < sample.length; end++) {
      assert.throws(
        () => binary.read(sample.subarray(0, end)),
        UnreadableMessage,
        `${sample[0]} cut at ${end}`,
      );
    }
  }
});

Deno.test("what can't be is refused: unknown handles, numbers beyond 2^53, lists longer than their message", () => {
  const binary = reader();
  const wrong: [string, Uint8Array][] = [
    ["handle", new BinaryWriter().head(3, 8, 1, 1).byte(0).decimal(1, 0).decimal(1, 0).done()],
    ["2^53", new BinaryWriter().byte(3).varint(2 ** 53).done()],
    ["nine bytes", new Uint8Array([3, ...Array(9).fill(0x80), 1])],
    ["a list", begin(1).byte(0).varint(1).byte(0).byte(0).varint(2 ** 40).done()],
    ["a text", begin(3).byte(8).varint(1_000).byte(65).done()],
    ["UTF-8", begin(3).byte(8).varint(2).byte(0xff).byte(0xfe).decimal(1, 0).decimal(1, 0).done()],
    ["no number", begin(3).byte(0).decimalText("0x10").decimal(1, 0).done()],
    ["no number", begin(3).byte(0).decimalText("Infinity").decimal(1, 0).done()],
    ["underflow", begin(3).byte(0).decimalText("1e-400").decimal(1, 0).done()],
    [
      "units",
      begin(1).byte(0).varint(1).byte(0).byte(0).varint(3).zigzag(2 ** 51).varint(1).zigzag(2 ** 52 - 1)
        .varint(1).zigzag(2 ** 52 - 1).varint(1).varint(0).done(),
    ],
    ["extra", begin(5).varint(2 ** 20).text("{").done()],
  ];
  for (const [what, bytes] of wrong) assert.throws(() => binary.read(bytes), UnreadableMessage, what);
});

Deno.test("any decimal comes through the binary form as its text says", () => {
  const random = new Random("decimals");
  const binary = reader();
  for (let i = 0; i < 5_000; i++) {
    const d = random.integer(0, 30);
    const m = Math.floor((random.unit() - 0.5) * 2 ** random.integer(1, 52));
    const message = binary.read(begin(3).byte(0).decimal(m, d).decimal(1, 0).done());
    assert.ok(message?.type === "trade");
    const { price } = message;
    assert.equal(valueOf(price), Number(`${m}e-${d}`) + 0);
    assert.equal(price instanceof LongNumber, Math.abs(m).toString().replace(/0+$/, "").length > 15);
  }
});

Deno.test("fuzz: mutated and random bytes and texts are read or refused, never more", () => {
  const random = new Random("fuzz");
  const binary = reader();
  const json = new JsonReader();
  const texts = [
    '{"type":"snapshot","venue":"v","symbol":"S","seq":1,"last_update_id":2,"timestamp":3,"bids":[[1,2]],"asks":[]}',
    '{"type":"trade","venue":"v","symbol":"S","seq":1,"timestamp":3,"price":1.5,"quantity":12345678901234567890}',
    '{"type":"ticker","venue":"v","symbol":"S","seq":1,"timestamp":3,"last_price":1,"extra":{"a":1}}',
    '{"type":"candle","venue":"v","symbol":"S","seq":1,"timestamp":3,"interval":"1m","open":1}',
    '{"type":"orders_snapshot","venue":"v","symbol":"S","seq":1,"last_update_id":2,"timestamp":3,"bids":[["a",1,2,3]],"asks":[]}',
    '{"type":"orders_delta","venue":"v","symbol":"S","seq":1,"last_update_id":2,"timestamp":3,"changes":[["add","bid",1,2,3,4]]}',
  ].map((text) => new TextEncoder().encode(text));
  const decoder = new TextDecoder();
  let read = 0;
  const rounds = is_long ? 300_000 : 20_000;
  for (let round = 0; round < rounds; round++) {
    const is_text = random.chance(0.3);
    const bytes = [...random.pick(is_text ? texts : samples())];
    for (let i = random.integer(1, 6); i > 0; i--) {
      const at = random.integer(0, bytes.length - 1);
      const kind = random.integer(0, 3);
      if (kind === 0) bytes[at] = random.integer(0, 255);
      else if (kind === 1) bytes.splice(at, random.integer(0, 4));
      else if (kind === 2) bytes.splice(at, 0, random.integer(0, 255));
      else bytes[at] ^= 1 << random.integer(0, 7);
      if (bytes.length === 0) bytes.push(0);
    }
    const mutant = new Uint8Array(bytes);
    try {
      const message = is_text ? json.read(decoder.decode(mutant)) : binary.read(mutant);
      if (message) read++;
      if (message && "bids" in message && message.type !== "bbo" && !is_text) {
        const { type, bids, asks } = message as BookMessage | OrdersSnapshot;
        const count = type === "orders_snapshot" ? bids.length + asks.length : bids.size + asks.size;
        assert.ok(count <= bytes.length, "more levels than bytes");
      }
    } catch (error) {
      assert.ok(error instanceof UnreadableMessage, `${error}: ${[...mutant]}`);
    }
  }
  assert.ok(read > rounds / 20, "the fuzzer only ever made refused messages");
});

Deno.test("orders: ids as numbers or texts, times and places, the same in both forms", () => {
  const us = READ.timestamp * 1_000;
  const [snapshot, delta] = samples().slice(-2);
  const bids = [
    { id: 0, side: "bid", price: 100.5, quantity: 5, since_us: us - 250 },
    { id: "18446744073709551611", side: "bid", price: 100.5, quantity: 2.5, since_us: us + 1 },
  ];
  const asks = [{ id: 2 ** 53 - 2, side: "ask", price: 101, quantity: 7, since_us: us }];
  const changes = [
    { action: "add", id: 7, side: "bid", price: 1, quantity: 2, since_us: us },
    { action: "execute", id: 8, side: "ask", price: 2, quantity: 0, since_us: us - 5 },
  ];
  const whole = { type: "orders_snapshot", ...READ, last_update_id: 99 };
  const change = { type: "orders_delta", ...READ, last_update_id: 100 };
  assert.deepEqual(reader().read(snapshot), { ...whole, bids, asks });
  assert.deepEqual(reader().read(delta), { ...change, changes });
  const json = new JsonReader();
  const order = ({ id, price, quantity, since_us }: { [field: string]: unknown }) => [
    id,
    price,
    quantity,
    since_us,
  ];
  const sides = { bids: bids.map(order), asks: asks.map(order) };
  assert.deepEqual(json.read(JSON.stringify({ ...whole, ...sides })), { ...whole, bids, asks });
  const told = changes.map((one) => [one.action, one.side, ...order(one)]);
  assert.deepEqual(json.read(JSON.stringify({ ...change, changes: told })), { ...change, changes });
});

Deno.test("JSON: exact numbers, absent fields absent, everything else as it is", () => {
  const json = new JsonReader();
  const book = json.read(
    '{"type":"delta","venue":"v","symbol":"S","seq":5,"last_update_id":9,"timestamp":1,' +
      '"bids":[[0.1,12345678901234567890.5]],"asks":[[2,0]],"ask_bound":7,"new":[1]}',
  );
  assert.deepEqual(plain(book as BookMessage).bids, [[0.1, "12345678901234567890.5"]]);
  assert.equal((book as BookMessage).ask_bound, 7);
  const late = json.read(
    '{"type":"trade","venue":"v","symbol":"S","seq":1,"trade_id":9007199254740991,"timestamp":1,"price":1,"quantity":1}',
  );
  assert.ok(late.type === "trade" && late.trade_id === 9007199254740991);
  assert.deepEqual(
    json.read('{"type":"bbo","venue":"v","symbol":"S","seq":1,"timestamp":1,"source":"book","bid":[1,null]}'),
    {
      type: "bbo",
      ...HEAD,
      seq: 1,
      timestamp: 1,
      update_id: undefined,
      source: "book",
      bid: 1,
      bid_quantity: undefined,
      ask: undefined,
      ask_quantity: undefined,
    },
  );
  assert.deepEqual(json.read('{"type":"of tomorrow","a":[1]}'), { type: "of tomorrow", a: [1] });
  for (
    const text of [
      "",
      "{",
      "[]",
      "null",
      '{"type":1}',
      '{"type":"trade"}',
      '{"type":"snapshot","venue":"v","symbol":"S","seq":1,"last_update_id":2,"timestamp":3,"bids":[[1]],"asks":[]}',
      '{"type":"orders_delta","venue":"v","symbol":"S","seq":1,"last_update_id":2,"timestamp":3,"changes":[["sell","bid",1,2,3,4]]}',
      '{"type":"orders_snapshot","venue":"v","symbol":"S","seq":1,"last_update_id":2,"timestamp":3,"bids":[[1,2,3]],"asks":[]}',
      '{"type":"delta","venue":"v","symbol":"S","seq":1.5,"last_update_id":2,"timestamp":3,"bids":[],"asks":[]}',
    ]
  ) assert.throws(() => json.read(text), UnreadableMessage, text);
});
