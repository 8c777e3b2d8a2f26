import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { ReplyError, RespReader } from "../../../../lib/wire/redis/resp_reader.ts";
import { RespWriter } from "../../../../lib/wire/redis/resp_writer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

Deno.test("commands are written with byte lengths, whatever the words", () => {
  const commands = new RespWriter(1);
  commands.command("XADD", "k", "*", "payload", "").command("SET", "naïve€", 1_024).command("PING");
  assert.equal(
    decoder.decode(commands.bytes),
    "*5\r\n$4\r\nXADD\r\n$1\r\nk\r\n$1\r\n*\r\n$7\r\npayload\r\n$0\r\n\r\n" +
      "*3\r\n$3\r\nSET\r\n$9\r\nnaïve€\r\n$4\r\n1024\r\n*1\r\n$4\r\nPING\r\n",
  );
  assert.equal(commands.count, 3);
  const again = new RespWriter(1).encoded(commands.bytes);
  assert.deepEqual([again.count, again.bytes], [1, commands.bytes]);
  const long = "x".repeat(100_000);
  assert.equal(decoder.decode(new RespWriter(4).command(long).bytes), `*1\r\n$100000\r\n${long}\r\n`);
});

const REPLIES: [string, unknown][] = [
  ["+OK\r\n", "OK"],
  ["+QUEUED\r\n", "QUEUED"],
  ["+QUEUE\r\n", "QUEUE"],
  [":1\r\n", 1],
  [":-42\r\n", -42],
  ["$-1\r\n", null],
  ["*-1\r\n", null],
  ["$0\r\n\r\n", ""],
  ["$11\r\na\r\nb€ \r\nc\r\n", "a\r\nb€ \r\nc"],
  ["*0\r\n", []],
  ["*2\r\n*2\r\n:1\r\n$1\r\nx\r\n*-1\r\n", [[1, "x"], null]],
];

Deno.test("replies are the same wherever the chunks end", () => {
  const bytes = encoder.encode(REPLIES.map(([text]) => text).join("").repeat(3));
  const wanted = [...REPLIES, ...REPLIES, ...REPLIES].map(([, reply]) => reply);
  const random = new Random("resp chunks");
  for (let round = 0; round < 300; round++) {
    const got: unknown[] = [];
    const reader = new RespReader((reply) => got.push(reply));
    for (let at = 0; at < bytes.length;) {
      const next = round === 0 ? at + 1 : at + random.integer(1, 40);
      // The reader may not keep what belongs to the socket.
      const chunk = bytes.slice(at, next);
      reader.push(chunk);
      chunk.fill(0);
      at = next;
    }
    assert.deepEqual(got, wanted);
  }
});

Deno.test("an error reply is an Error, inside an array too; garbage is refused", () => {
  const got: unknown[] = [];
  const reader = new RespReader((reply) => got.push(reply));
  reader.push(encoder.encode("-MOVED 1 h:1\r\n*1\r\n-ERR no\r\n"));
  assert.ok(got[0] instanceof ReplyError && got[0].name === "ReplyError" && got[0].message === "MOVED 1 h:1");
  assert.ok((got[1] as unknown[])[0] instanceof ReplyError);
  for (const wrong of ["HTTP/1.1 400\r\n", ":1x\r\n", ":\r\n", "*1\r\n".repeat(20), "$9999999999\r\n"]) {
    assert.throws(() => new RespReader(() => {}).push(encoder.encode(wrong)), /redis reply/, wrong);
  }
});
