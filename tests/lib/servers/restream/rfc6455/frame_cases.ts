/** Frames: RFC 6455 §5.1 masking, §5.2 layout, §5.4 fragments, §5.5 control frames, §5.6 data frames. */
import assert from "node:assert/strict";
import { concat } from "../../../../raw_bytes.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  frame,
  PING,
  PONG,
  type RawFrame,
  TEXT,
} from "../../../../raw_websocket.ts";
import { expectAlive, expectEcho, expectFailed, expectPong, pingText, type Rfc6455Case } from "./case.ts";

const MAX_MESSAGE_BYTES = 65_536;
const MAX_FRAGMENTS = 64;

/** The request cut into pieces, as the fragments of one message. */
function fragments(text: string | Uint8Array, pieces: number): Uint8Array[] {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const step = Math.ceil(bytes.length / pieces);
  return Array.from(
    { length: pieces },
    (_, i) =>
      frame(i === 0 ? TEXT : CONTINUATION, bytes.subarray(i * step, (i + 1) * step), {
        fin: i === pieces - 1,
      }),
  );
}
/** A request of exactly so many bytes. */
function longRequest(bytes: number): string {
  const shell = JSON.stringify({ type: "ping", id: "long", fill: "" });
  return shell.replace('"fill":""', `"fill":"${"x".repeat(bytes - shell.length)}"`);
}

/** Broken in one frame; the code that tells so. */
const BROKEN: readonly { section: string; what: string; bytes: Uint8Array; codes: number[] }[] = [
  { section: "5.1", what: "an unmasked frame", bytes: frame(TEXT, "{}", { mask: false }), codes: [1002] },
  { section: "5.1", what: "an unmasked ping", bytes: frame(PING, "x", { mask: false }), codes: [1002] },
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv) => ({
    section: "5.2",
    what: `reserved bits ${rsv.toString(2).padStart(3, "0")}`,
    bytes: frame(TEXT, pingText("x"), { rsv }),
    codes: [1002],
  })),
  { section: "5.2", what: "a ping with a reserved bit", bytes: frame(PING, "x", { rsv: 4 }), codes: [1002] },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    section: "5.2",
    what: `reserved opcode ${opcode}`,
    bytes: frame(opcode, "x"),
    codes: [1002],
  })),
  {
    section: "5.2",
    what: "a 64-bit length with its highest bit",
    bytes: frame(TEXT, "", { length_bytes: 9, claimed_length: 1n << 63n }),
    codes: [1002, 1009],
  },
  {
    section: "5.2",
    what: "a length over any memory",
    bytes: frame(TEXT, "", { length_bytes: 9, claimed_length: (1n << 62n) + 5n }),
    codes: [1009],
  },
  {
    section: "5.4",
    what: "a continuation of nothing",
    bytes: frame(CONTINUATION, "x"),
    codes: [1002],
  },
  {
    section: "5.4",
    what: "a message within a message",
    bytes: concat(frame(TEXT, "a", { fin: false }), frame(TEXT, "b")),
    codes: [1002],
  },
  { section: "5.5", what: "a fragmented ping", bytes: frame(PING, "x", { fin: false }), codes: [1002] },
  { section: "5.5", what: "a fragmented close", bytes: frame(CLOSE, "", { fin: false }), codes: [1002] },
  { section: "5.5", what: "a ping of 126 bytes", bytes: frame(PING, "x".repeat(126)), codes: [1002] },
  { section: "5.5", what: "a pong of 65,536 bytes", bytes: frame(PONG, "x".repeat(65_536)), codes: [1002] },
  {
    section: "5.5",
    what: "a ping with a 16-bit length",
    bytes: frame(PING, "x", { length_bytes: 3, claimed_length: 126 }),
    codes: [1002],
  },
  {
    section: "5.6",
    what: "a binary message, which requests are not",
    bytes: frame(BINARY, "{}"),
    codes: [1003],
  },
  {
    section: "10.4",
    what: "a message longer than is taken",
    bytes: frame(TEXT, longRequest(MAX_MESSAGE_BYTES + 1)),
    codes: [1009],
  },
  {
    section: "10.4",
    what: "fragments that together are longer",
    bytes: concat(...fragments(longRequest(MAX_MESSAGE_BYTES + 1), 3)),
    codes: [1009],
  },
  {
    section: "10.4",
    what: "a claim to be longer, before its bytes come",
    bytes: frame(TEXT, "", { length_bytes: 9, claimed_length: MAX_MESSAGE_BYTES + 1 }),
    codes: [1009],
  },
  {
    section: "10.4",
    what: "more fragments than are taken",
    bytes: concat(...fragments(longRequest(400), MAX_FRAGMENTS + 1)),
    codes: [1008],
  },
  {
    section: "10.4",
    what: "empty fragments without an end",
    bytes: concat(
      frame(TEXT, "", { fin: false }),
      ...Array.from({ length: 200 }, () => frame(CONTINUATION, "", { fin: false })),
    ),
    codes: [1008],
  },
];

const MASKS: readonly [number, number, number, number][] = [
  [0, 0, 0, 0],
  [255, 255, 255, 255],
  [1, 2, 3, 4],
  [0x80, 0, 0x7f, 0xff],
];

export const FRAME_CASES: readonly Rfc6455Case[] = [
  {
    section: "5.1",
    says: "any mask is taken off, at every offset; what the server sends has none",
    async run(peer) {
      using ws = await peer.open();
      for (const mask of MASKS) {
        for (let length = 1; length <= 9; length++) {
          const id = "é".repeat(length) + "x".repeat(length % 4);
          await ws.send(frame(TEXT, pingText(id), { mask }));
          const answer = await ws.next(({ opcode }) => opcode === TEXT);
          assert.equal(answer?.masked, false);
          assert.equal(JSON.parse(new TextDecoder().decode(answer.payload)).id, id);
        }
      }
    },
  },
  {
    section: "5.2",
    says: "the server's frames: final, no reserved bits, known opcodes, the shortest length",
    async run(peer) {
      using ws = await peer.open();
      const seen = new Set<number>();
      const check = (one: RawFrame) => {
        const { length } = one.payload;
        seen.add(one.length_bytes);
        assert.deepEqual([one.fin, one.rsv, one.masked], [true, 0, false]);
        assert.ok([TEXT, BINARY, CLOSE, PING, PONG].includes(one.opcode), `opcode ${one.opcode}`);
        assert.equal(one.length_bytes, length < 126 ? 1 : length < 65_536 ? 3 : 9, `length ${length}`);
        return one.opcode === TEXT && new TextDecoder().decode(one.payload).startsWith('{"type":"snapshot"');
      };
      await ws.send(frame(PING, "x"), frame(TEXT, pingText("short")));
      await ws.sendJson({ type: "subscribe", symbol: "AAA", channel: "book" });
      assert.ok(await ws.next(check));
      await ws.sendJson({ type: "subscribe", symbol: "AAA", channel: "book", depth: 5 });
      assert.ok(await ws.next(check));
      assert.deepEqual([...seen].sort(), [1, 3, 9], "not every form of the length was seen");
    },
  },
  {
    section: "5.2",
    says: "every form of the length is read: 7 bits, 16, 64, at their borders",
    async run(peer) {
      using ws = await peer.open();
      for (const bytes of [100, 125, 126, 127, 128, 65_535, MAX_MESSAGE_BYTES]) {
        await ws.send(frame(TEXT, longRequest(bytes)));
        await expectEcho(ws, "long");
      }
      // Longer forms than needed are against the rule for senders; a reader must not misread them.
      for (const length_bytes of [3, 9] as const) {
        await ws.send(frame(TEXT, pingText("padded"), { length_bytes }));
        await expectEcho(ws, "padded");
      }
    },
  },
  {
    section: "5.2",
    says: "a frame cut anywhere on its way is one frame",
    async run(peer) {
      using ws = await peer.open();
      const bytes = frame(TEXT, longRequest(150));
      for (let at = 1; at < 14; at++) {
        await ws.send(bytes.subarray(0, at));
        // What was sent so far has arrived when this is answered on another connection.
        using other = await peer.open();
        await expectAlive(other);
        await ws.send(bytes.subarray(at));
        await expectEcho(ws, "long");
      }
    },
  },
  {
    section: "5.4",
    says: "fragments are one message: two, many, of one byte, empty ones among them",
    async run(peer) {
      using ws = await peer.open();
      for (const pieces of [2, 3, 10, 30]) {
        await ws.send(...fragments(pingText(`in ${pieces}`), pieces));
        await expectEcho(ws, `in ${pieces}`);
      }
      const empty = frame(CONTINUATION, "", { fin: false });
      await ws.send(
        frame(TEXT, "", { fin: false }),
        empty,
        frame(CONTINUATION, pingText("between"), { fin: false }),
        empty,
        frame(CONTINUATION, ""),
      );
      await expectEcho(ws, "between");
    },
  },
  {
    section: "5.4",
    says: "control frames among fragments are answered before the message is whole, and it stays right",
    async run(peer) {
      using ws = await peer.open();
      const [one, two, three] = fragments(pingText("interleaved"), 3);
      await ws.send(one, frame(PING, "first"));
      await expectPong(ws, new TextEncoder().encode("first"));
      await ws.send(two, frame(PONG, "unasked"), frame(PING, "second"));
      await expectPong(ws, new TextEncoder().encode("second"));
      await ws.send(three);
      await expectEcho(ws, "interleaved");
    },
  },
  {
    section: "5.5.2",
    says: "a ping is answered with its payload, whatever it is, up to 125 bytes",
    async run(peer) {
      using ws = await peer.open();
      const payloads = [
        new Uint8Array(0),
        Uint8Array.of(0),
        Uint8Array.from({ length: 125 }, (_, i) => i * 2 + 1),
        Uint8Array.of(0xff, 0xfe, 0x80, 0xc0),
      ];
      for (const payload of payloads) {
        await ws.send(frame(PING, payload));
        await expectPong(ws, payload);
      }
    },
  },
  {
    section: "5.5.3",
    says: "of many pings at once at least the last is answered; pongs nobody asked for are nothing",
    async run(peer) {
      using ws = await peer.open();
      await ws.send(...Array.from({ length: 10 }, (_, i) => frame(PING, `ping ${i}`)));
      const last = new TextEncoder().encode("ping 9");
      const pong = await ws.next(({ opcode, payload }) =>
        opcode === PONG && new TextDecoder().decode(payload) === "ping 9"
      );
      assert.deepEqual(pong?.payload, last);
      await ws.send(frame(PONG, ""), frame(PONG, "x".repeat(125)));
      await expectAlive(ws);
    },
  },
  ...BROKEN.map(({ section, what, bytes, codes }): Rfc6455Case => ({
    section,
    says: `${what}: ${codes.join(" or ")}`,
    async run(peer) {
      using ws = await peer.open();
      await ws.send(bytes);
      await expectFailed(ws, ...codes);
    },
  })),
];
