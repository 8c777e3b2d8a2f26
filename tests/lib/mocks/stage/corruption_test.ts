/** Spoilt frames of every format: nothing that replaces a frame may be read as one. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { type CorruptionWords, spoil } from "../../../../lib/mocks/stage/corruption.ts";
import { ProtobufWriter } from "../../../../lib/wire/protobuf_writer.ts";
import { WireFrame } from "../../../../lib/mocks/stage/wire_frame.ts";
import { ProtobufReader } from "../../../../lib/wire/protobuf_reader.ts";

const ROUNDS = 2_000;

/** Reads it whole, and the messages in field 9; undefined for what is no message. */
function readable(bytes: Uint8Array): true | undefined {
  const reader = new ProtobufReader();
  let fields = 0;
  for (reader.open(bytes); reader.next();) fields++;
  return reader.failed || fields === 0 ? undefined : true;
}
function someMessage(random: Random): Uint8Array {
  const level = (price: number) => new ProtobufWriter().text(1, String(price)).text(2, String(random.unit()));
  const writer = new ProtobufWriter().text(1, "BTCUSDT").zigzag(3, random.integer(-1e6, 1e6));
  for (let i = random.integer(0, 5); i > 0; i--) writer.message(9, level(random.integer(1, 1e6)));
  return (random.chance(0.5) ? writer.integer(2, random.integer(0, 3)) : writer.float32(4, random.unit()))
    .finish();
}

Deno.test("a spoilt protobuf frame is no message", () => {
  const random = new Random("protobuf");
  const words: CorruptionWords = { format: "protobuf", essential: [], strange: [new Uint8Array([0x7a, 0])] };
  let replaced = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const message = someMessage(random);
    assert.equal(readable(message), true);
    const { payload, replaces } = spoil(new WireFrame(message), random, words);
    if (!replaces) continue;
    replaced++;
    assert.equal(readable(payload), undefined, payload.toString("hex"));
  }
  assert.ok(replaced > ROUNDS / 4);
});

Deno.test("a spoilt base64 frame is no base64, or no message", () => {
  const random = new Random("base64");
  const words: CorruptionWords = { format: "base64", essential: [], strange: ["!"] };
  let replaced = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const text = someMessage(random).toBase64();
    const { payload, replaces } = spoil(new WireFrame(text), random, words);
    if (!replaces) continue;
    replaced++;
    let bytes: Uint8Array;
    try {
      bytes = Uint8Array.fromBase64(payload.toString());
    } catch {
      continue;
    }
    assert.equal(readable(bytes), undefined, payload.toString());
  }
  assert.ok(replaced > ROUNDS / 4);
});

Deno.test("of bare numbers none becomes another number but in a checked part", () => {
  const random = new Random("bare");
  const words: CorruptionWords = {
    format: "json",
    essential: ["price", "qty"],
    bare_numbers: true,
    strange: [],
  };
  const text = '{"channel":"book","data":[{"price":45283.5,"qty":0.10000000}]}';
  const truth = JSON.stringify(JSON.parse(text).data);
  const seen = { wrong: 0, counted: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    for (const checked of [[], ['{"price":45283.5,"qty":0.10000000}']]) {
      const { payload, replaces } = spoil(new WireFrame(text, { checked }), random, words);
      if (!replaces) continue;
      let row: { price?: unknown; qty?: unknown };
      try {
        row = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)).data[0];
      } catch {
        continue;
      }
      if (JSON.stringify([row]) === truth) continue;
      const is_whole = typeof row.price === "number" && typeof row.qty === "number";
      if (checked.length === 0) {
        seen.wrong++;
        assert.equal(is_whole, false, payload.toString());
      } else if (is_whole) seen.counted++;
    }
  }
  assert.ok(seen.wrong > 100 && seen.counted > 100, JSON.stringify(seen));
});
