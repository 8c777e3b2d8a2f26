/** The closing handshake and its codes: RFC 6455 §5.5.1, §7. Text that is none: §8.1. */
import assert from "node:assert/strict";
import { concat } from "../../../../raw_bytes.ts";
import { CLOSE, closeFrame, CONTINUATION, frame, PING, PONG, TEXT } from "../../../../raw_websocket.ts";
import { expectAlive, expectEcho, expectFailed, pingText, type Rfc6455Case } from "./case.ts";

const VALID = [
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  1011,
  1012,
  1013,
  1014,
  3000,
  3999,
  4000,
  4999,
];
const INVALID = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535];

/** Inside a JSON string these are code points at the borders of UTF-8's lengths. */
const VALID_TEXT = [
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\ufffd",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
];
const INVALID_TEXT: readonly [string, readonly number[]][] = [
  ["a continuation byte alone", [0x80]],
  ["a sequence that ends too soon", [0xe2, 0x82, 0x22]],
  ["a sequence longer than needed", [0xc0, 0xaf]],
  ["three bytes for what takes two", [0xe0, 0x80, 0xaf]],
  ["four bytes for what takes three", [0xf0, 0x80, 0x80, 0xaf]],
  ["half of a surrogate pair", [0xed, 0xa0, 0x80]],
  ["a surrogate pair", [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]],
  ["a code point above 10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["a lead byte of five", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["a byte that never is", [0xff]],
];

function inString(bytes: readonly number[]): Uint8Array {
  const encoder = new TextEncoder();
  return concat(encoder.encode('{"type":"ping","id":"'), Uint8Array.from(bytes), encoder.encode('"}'));
}

export const CLOSE_CASES: readonly Rfc6455Case[] = [
  ...VALID.map((code): Rfc6455Case => ({
    section: "7.4.1",
    says: `${code} is echoed, and the server ends the connection`,
    async run(peer) {
      using ws = await peer.open();
      await ws.send(closeFrame(code, "bye"));
      assert.equal((await ws.closed())?.code, code);
      assert.equal(await ws.next(), undefined, "something came after the close frame");
    },
  })),
  ...INVALID.map((code): Rfc6455Case => ({
    section: "7.4.2",
    says: `${code} may not stand in a close frame: 1002`,
    async run(peer) {
      using ws = await peer.open();
      await ws.send(closeFrame(code));
      await expectFailed(ws, 1002);
    },
  })),
  {
    section: "5.5.1",
    says: "a close without a code is answered by one, and the server ends first (§7.1.1)",
    async run(peer) {
      using ws = await peer.open();
      await ws.send(frame(CLOSE));
      const closed = await ws.closed();
      assert.ok(
        closed !== undefined && (closed.code === undefined || closed.code === 1000),
        `${closed?.code}`,
      );
      assert.equal(await ws.next(), undefined);
    },
  },
  {
    section: "5.5.1",
    says: "half a code: 1002",
    async run(peer) {
      using ws = await peer.open();
      await ws.send(frame(CLOSE, Uint8Array.of(3)));
      await expectFailed(ws, 1002);
    },
  },
  {
    section: "5.5.1",
    says: "a reason of 123 bytes is the longest; one that is no text: 1007",
    async run(peer) {
      using ws = await peer.open();
      await ws.send(closeFrame(1000, "x".repeat(123)));
      assert.equal((await ws.closed())?.code, 1000);
      using long = await peer.open();
      await long.send(closeFrame(1000, "x".repeat(124)));
      await expectFailed(long, 1002);
      using bad = await peer.open();
      await bad.send(closeFrame(1000, Uint8Array.of(0xed, 0xa0, 0x80)));
      await expectFailed(bad, 1007);
    },
  },
  {
    section: "5.5.1",
    says: "what a client says after its close is not answered",
    async run(peer) {
      using ws = await peer.open();
      await ws.send(closeFrame(1000), frame(TEXT, pingText("late")), frame(PING, "late"));
      const after: number[] = [];
      await ws.next(({ opcode }) => {
        after.push(opcode);
        return false;
      });
      assert.ok(!after.includes(TEXT) && !after.includes(PONG), `opcodes ${after.join()}`);
      assert.equal(after.filter((opcode) => opcode === CLOSE).length, 1);
    },
  },
  {
    section: "5.4",
    says: "a close among fragments is answered; the message is never whole",
    async run(peer) {
      using ws = await peer.open();
      await ws.send(frame(TEXT, '{"type":', { fin: false }), closeFrame(1001));
      assert.equal((await ws.closed())?.code, 1001);
    },
  },
  {
    section: "7.1.1",
    says: "a client that ends without a word is let go, others notice nothing",
    async run(peer) {
      using other = await peer.open();
      const ws = await peer.open();
      ws[Symbol.dispose]();
      await expectAlive(other);
    },
  },
  {
    section: "8.1",
    says: "code points of every length are read right, cut into fragments anywhere",
    async run(peer) {
      using ws = await peer.open();
      const id = VALID_TEXT.join("");
      await ws.send(frame(TEXT, pingText(id)));
      await expectEcho(ws, id);
      const bytes = new TextEncoder().encode(pingText("€\u{10ffff}"));
      for (let at = 1; at < bytes.length; at += 1) {
        await ws.send(
          frame(TEXT, bytes.subarray(0, at), { fin: false }),
          frame(CONTINUATION, bytes.subarray(at)),
        );
        await expectEcho(ws, "€\u{10ffff}");
      }
    },
  },
  ...INVALID_TEXT.flatMap(([what, bytes]): Rfc6455Case[] => [
    {
      section: "8.1",
      says: `${what}: 1007`,
      async run(peer) {
        using ws = await peer.open();
        await ws.send(frame(TEXT, inString(bytes)));
        await expectFailed(ws, 1007);
      },
    },
    {
      section: "8.1",
      says: `${what}, cut into fragments: 1007`,
      async run(peer) {
        using ws = await peer.open();
        const text = inString(bytes);
        const cut = text.length - 2 - bytes.length + Math.ceil(bytes.length / 2);
        await ws.send(
          frame(TEXT, text.subarray(0, cut), { fin: false }),
          frame(CONTINUATION, text.subarray(cut)),
        );
        await expectFailed(ws, 1007);
      },
    },
  ]),
];
