import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { Random } from "../../../lib/base/random.ts";
import { makeRing, RingReader, RingWriter } from "../../../lib/wire/record_ring.ts";

interface Copy {
  kind: number;
  flags: number;
  to: number;
  stream: number;
  seq: number;
  payload: string;
}

function takeAll(reader: RingReader, into: Copy[]): "empty" | "lapped" {
  for (;;) {
    const result = reader.take(({ payload, ...rest }) => into.push({ ...rest, payload: String(payload) }));
    if (result !== "some") return result;
  }
}

Deno.test("record ring: everything comes in order and whole over many rounds, whatever the sizes", () => {
  const random = new Random("ring");
  const memory = makeRing(262_144);
  const writer = new RingWriter(memory);
  const readers = [new RingReader(memory), new RingReader(memory)];
  const read: Copy[][] = [[], []];
  const written: Copy[] = [];
  for (let i = 0; i < 5_000; i++) {
    const payload = new Uint8Array(random.chance(0.02) ? random.integer(0, 30_000) : random.integer(0, 300))
      .fill(i % 251);
    const record = {
      kind: random.integer(1, 255),
      flags: random.integer(0, 255),
      to: random.integer(0, 65_535),
      stream: random.integer(0, 2 ** 40),
      seq: i * 1_000_003,
    };
    assert.ok(writer.write(record.kind, record.flags, record.to, record.stream, record.seq, payload));
    written.push({ ...record, payload: String(payload) });
    if (random.chance(0.3)) writer.publish();
    if (i % 50 === 0) { for (const k of [0, 1]) assert.equal(takeAll(readers[k], read[k]), "empty"); }
  }
  writer.publish();
  for (const k of [0, 1]) {
    assert.equal(takeAll(readers[k], read[k]), "empty");
    assert.deepEqual(read[k], written);
  }
});

Deno.test("record ring: nothing is seen before it is published; a newcomer begins with what comes next", () => {
  const memory = makeRing(0);
  const writer = new RingWriter(memory);
  const early = new RingReader(memory);
  writer.write(1, 0, 0, 0, 1, new Uint8Array(8));
  const read: Copy[] = [];
  assert.equal(takeAll(early, read), "empty");
  assert.equal(read.length, 0);
  writer.publish();
  const late = new RingReader(memory);
  assert.equal(takeAll(late, []), "empty");
  takeAll(early, read);
  assert.deepEqual(read.map(({ seq }) => seq), [1]);
});

Deno.test("record ring: a reader that falls behind is told, gets nothing half, and goes on with the newest", () => {
  const random = new Random("laps");
  const memory = makeRing(262_144);
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  let laps = 0;
  let last_seq = -1;
  let seq = 0;
  for (let round = 0; round < 200; round++) {
    const burst = random.chance(0.3) ? 3_000 : 200;
    for (let i = 0; i < burst; i++) {
      writer.write(7, 0, 0, 0, seq, new Uint8Array(random.integer(0, 300)).fill(seq % 256));
      seq++;
      if (random.chance(0.1)) writer.publish();
    }
    writer.publish();
    for (;;) {
      const result = reader.take((record) => {
        assert.equal(record.kind, 7);
        assert.ok(record.seq > last_seq, "backwards");
        last_seq = record.seq;
        assert.ok(record.payload.every((byte) => byte === record.seq % 256), "torn");
      });
      if (result === "lapped") laps++;
      if (result === "empty") break;
    }
    assert.equal(laps > 0 || last_seq === seq - 1, true);
  }
  assert.ok(laps > 10, `${laps} laps: the test shows nothing`);
});

Deno.test("record ring: a payload too large for it is refused, and the ring goes on", () => {
  const memory = makeRing(262_144);
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  assert.equal(writer.write(1, 0, 0, 0, 1, new Uint8Array(writer.max_payload_bytes + 1)), false);
  assert.equal(writer.write(1, 0, 0, 0, 2, new Uint8Array(writer.max_payload_bytes)), true);
  writer.publish();
  const read: Copy[] = [];
  takeAll(reader, read);
  assert.deepEqual(read.map(({ seq }) => seq), [2]);
});

Deno.test("record ring: a reader waits without turning and wakes at the next publish", async () => {
  const memory = makeRing(0);
  const writer = new RingWriter(memory);
  const reader = new RingReader(memory);
  const { tick } = reader;
  // A wait alone does not keep the event loop going.
  using _alive = every(60_000);
  const waiting = reader.wait(tick);
  writer.write(1, 0, 0, 0, 1, new Uint8Array(1));
  writer.publish();
  await waiting;
  await reader.wait(tick);
  const later = reader.wait(reader.tick);
  RingReader.wake(memory);
  await later;
});

function every(period_ms: number): Disposable {
  const timer = systemClock.every(period_ms, () => {});
  return { [Symbol.dispose]: () => timer.cancel() };
}
