import assert from "node:assert/strict";
import {
  MAX_REQUEST_BYTES,
  MessageReader,
  prefixed,
} from "../../../../lib/servers/grpc/protocol/messages.ts";
import { GrpcError, percentEncode, trailersOf } from "../../../../lib/servers/grpc/protocol/status.ts";
import { parseTimeout } from "../../../../lib/servers/grpc/protocol/timeout.ts";

Deno.test("grpc protocol: timeouts", () => {
  const cases: [string, number | undefined][] = [
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3_000],
    ["250m", 250],
    ["500u", 0.5],
    ["99999999H", 2_000_000_000],
    ["100000000m", undefined],
    ["5", undefined],
    ["S", undefined],
    ["-1S", undefined],
    ["1s", undefined],
  ];
  for (const [text, wanted] of cases) assert.equal(parseTimeout(text), wanted, text);
  assert.ok(Math.abs(parseTimeout("1000000n")! - 1) < 1e-9);
});

Deno.test("grpc protocol: messages come back whole from any pieces, none beyond the bound", () => {
  const messages = [[], [1], [2, 3, 4], new Array(MAX_REQUEST_BYTES).fill(7)].map((one) =>
    new Uint8Array(one)
  );
  const bytes = messages.flatMap((one) => [...prefixed(one)]);
  for (const size of [1, 2, 3, 7, 1_000, bytes.length]) {
    const reader = new MessageReader();
    const found: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...reader.take(new Uint8Array(bytes.slice(at, at + size))));
    }
    assert.deepEqual(found, messages);
    assert.equal(reader.pending_bytes, 0);
  }
  const refused = (piece: number[], code: number) =>
    assert.throws(
      () => new MessageReader().take(new Uint8Array(piece)),
      (error: GrpcError) => error.code === code,
    );
  refused([1, 0, 0, 0, 0], 12);
  refused([0, 0xff, 0xff, 0xff, 0xff], 8);
});

Deno.test("grpc protocol: a status message travels as printable ASCII", () => {
  assert.equal(percentEncode('a "b" 50%\né'), 'a "b" 50%25%0A%C3%A9');
  assert.equal(decodeURIComponent(percentEncode("Ω".repeat(10))), "Ω".repeat(10));
  assert.ok(percentEncode("x".repeat(100_000)).length <= 1_024);
  assert.deepEqual(trailersOf(0, ""), { "grpc-status": "0" });
});
