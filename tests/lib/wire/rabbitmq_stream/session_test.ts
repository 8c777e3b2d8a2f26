import assert from "node:assert/strict";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import type { ByteStream } from "../../../../lib/wire/open_socket.ts";
import { FrameReader } from "../../../../lib/wire/rabbitmq_stream/frame_reader.ts";
import { FrameWriter } from "../../../../lib/wire/rabbitmq_stream/frame_writer.ts";
import { Code, Key, RESPONSE_BIT } from "../../../../lib/wire/rabbitmq_stream/protocol.ts";
import { StreamSession } from "../../../../lib/wire/rabbitmq_stream/session.ts";

/** A broker that answers every request with OK, except those that a test tells otherwise. */
class FakeBroker implements ByteStream {
  readonly keys: number[] = [];
  /** Key → code; "silent": no answer. */
  readonly answers = new Map<number, number | "silent">();
  is_closed = false;
  #onData: (chunk: Uint8Array<ArrayBuffer>) => void = () => {};
  #onEnd: (reason: Error | undefined) => void = () => {};

  listen(onData: (chunk: Uint8Array<ArrayBuffer>) => void, onEnd: (reason: Error | undefined) => void): void {
    this.#onData = onData;
    this.#onEnd = onEnd;
  }
  write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const size = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      this.#onFrame(new FrameReader(Uint8Array.from(bytes.subarray(at + 4, at + 4 + size))));
      at += 4 + size;
    }
    return Promise.resolve();
  }
  close(): void {
    if (this.is_closed) return;
    this.is_closed = true;
    queueMicrotask(() => this.#onEnd(undefined));
  }
  send(frame: Uint8Array<ArrayBuffer>): void {
    queueMicrotask(() => this.#onData(frame));
  }

  #onFrame(frame: FrameReader): void {
    const key = frame.u16();
    this.keys.push(key);
    if (key === Key.tune || key === Key.heartbeat || (key & RESPONSE_BIT) !== 0) return;
    frame.u16();
    const answer = this.answers.get(key) ?? Code.ok;
    if (answer === "silent") return;
    const writer = new FrameWriter().begin(key | RESPONSE_BIT).u32(frame.u32()).u16(answer);
    if (key === Key.sasl_handshake) writer.u32(1).string("PLAIN");
    this.send(writer.end());
    if (key === Key.sasl_authenticate && answer === Code.ok) {
      this.send(new FrameWriter().begin(Key.tune).u32(1_048_576).u32(60).end());
    }
  }
}

function rig() {
  const clock = new ManualClock();
  const broker = new FakeBroker();
  const ended: string[] = [];
  const options = {
    user: "mdg",
    password: "secret",
    vhost: "/",
    mechanism: "PLAIN",
    heartbeat_s: 20,
    request_timeout_ms: 5_000,
    clock,
    connection_name: "test",
    version: "1",
  } as const;
  const open = () =>
    StreamSession.open(broker, options, { onClosed: (reason) => ended.push(reason.message) });
  return { clock, broker, ended, open };
}

Deno.test("logs in in the protocol's order, and leaves with a word", async () => {
  const { broker, clock, ended, open } = rig();
  const session = await open();
  const { peer_properties, sasl_handshake, sasl_authenticate, tune } = Key;
  assert.deepEqual(broker.keys, [peer_properties, sasl_handshake, sasl_authenticate, tune, Key.open]);
  await session.close();
  assert.equal(broker.keys.at(-1), Key.close);
  assert.deepEqual(ended, ["closed by us"]);
  assert.equal(clock.pending, 0);
});

Deno.test("what the broker refuses is said in words; the connection is closed, once", async () => {
  const { broker, clock, ended, open } = rig();
  broker.answers.set(Key.sasl_authenticate, Code.authentication_failure);
  await assert.rejects(open(), /^RefusedByBroker: log in as "mdg": user or password refused \(code 8\)$/);
  assert.equal(broker.is_closed, true);
  assert.equal(ended.length, 1);
  assert.equal(clock.pending, 0);
});

Deno.test("a request without an answer ends at its deadline; open ones end with the connection", async () => {
  const { broker, clock, open } = rig();
  const session = await open();
  broker.answers.set(Key.metadata, "silent");
  const late = assert.rejects(
    session.request("look", Key.metadata, () => {}),
    /look: no answer within 5000 ms/,
  );
  clock.advance(5_000);
  await late;
  const cut = assert.rejects(
    session.request("look", Key.metadata, () => {}),
    /look: connection lost: closed by the broker/,
  );
  await nextTurn();
  broker.close();
  await cut;
  await assert.rejects(session.request("look", Key.metadata, () => {}), /look: connection lost/);
  assert.equal(clock.pending, 0);
});

Deno.test("heartbeats are sent when nothing else is, and their absence is noticed", async () => {
  const { broker, clock, ended, open } = rig();
  const session = await open();
  clock.advance(20_000);
  await nextTurn();
  assert.equal(broker.keys.at(-1), Key.heartbeat);
  broker.send(new FrameWriter().begin(Key.heartbeat).end());
  await nextTurn();
  clock.advance(40_000);
  await nextTurn();
  assert.equal(session.closed, undefined);
  clock.advance(20_000);
  assert.match(ended[0], /no heartbeat from the broker for 60000 ms/);
  await session.close();
  assert.equal(clock.pending, 0);
});

Deno.test("the broker's own reason to close is passed on; a broken frame ends the connection", async () => {
  const { broker, ended, open } = rig();
  await open();
  broker.send(new FrameWriter().begin(Key.close).u32(7).u16(1).string("going down").end());
  await nextTurn();
  assert.deepEqual(ended, ["closed by the broker: going down"]);

  const other = rig();
  await other.open();
  other.broker.send(new FrameWriter().begin(Key.publish_confirm).u8(0).u32(5).end());
  await nextTurn();
  assert.match(other.ended[0], /read frame: 0 bytes left, want 4/);
});
