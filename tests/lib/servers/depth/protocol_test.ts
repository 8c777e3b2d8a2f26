import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { type ErrorCode, readRequest, RequestProblem } from "../../../../lib/servers/depth/protocol.ts";

const SUBSCRIBE = { type: "Subscribe", stream_id: "1", symbol: "BTCUSD", data_type: "MBP", max_levels: 20 };

function problemOf(text: string): RequestProblem {
  try {
    readRequest(text);
  } catch (error) {
    assert.ok(error instanceof RequestProblem, String(error));
    return error;
  }
  throw new Error(`read without a problem: ${text}`);
}

Deno.test("the three requests, with their defaults; unknown fields are let through", () => {
  assert.deepEqual(readRequest(JSON.stringify({ ...SUBSCRIBE, more: [1] })), { ...SUBSCRIBE, delta: false });
  const { max_levels: _, ...without } = SUBSCRIBE;
  assert.deepEqual(readRequest(JSON.stringify(without)), { ...SUBSCRIBE, delta: false });
  assert.deepEqual(readRequest('{"type":"Unsubscribe","stream_id":"x"}'), {
    type: "Unsubscribe",
    stream_id: "x",
  });
  assert.deepEqual(readRequest('{"type":"Ping","timestamp":5}'), { type: "Ping", timestamp: 5 });
});

Deno.test("each problem names the field, what it is and what is wanted, with the stream where it is known", () => {
  const cases: [unknown, ErrorCode, string, string?][] = [
    [
      { ...SUBSCRIBE, symbol: undefined },
      400,
      'Invalid message format: "symbol" is missing, want a text',
      "1",
    ],
    [{ ...SUBSCRIBE, data_type: "L2" }, 400, '"data_type" is "L2", want MBP, MBO, TRADES', "1"],
    [
      { ...SUBSCRIBE, max_levels: 1001 },
      400,
      '"max_levels" is "1001", want a whole number from 1 to 1000',
      "1",
    ],
    [{ ...SUBSCRIBE, stream_id: "" }, 400, '"stream_id" is "", want a text of 1 to 128 characters'],
    [{ ...SUBSCRIBE, stream_id: "x".repeat(129) }, 400, '"stream_id" is "xxx'],
    [
      { type: "subscribe", stream_id: "1" },
      400,
      '"type" is "subscribe", want Subscribe, Unsubscribe or',
      "1",
    ],
    [null, 400, "want a JSON object"],
  ];
  for (const [message, code, text, stream_id] of cases) {
    const problem = problemOf(JSON.stringify(message));
    assert.deepEqual([problem.code, problem.stream_id], [code, stream_id], problem.message);
    assert.ok(problem.message.includes(text), problem.message);
    assert.ok(problem.message.startsWith("Invalid message format"), "as the old server's message begins");
  }
});

Deno.test("damaged messages are read or refused, never anything else, and errors stay short", () => {
  const random = new Random("depth protocol");
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const chars = [...JSON.stringify(SUBSCRIBE)];
    for (let damage = random.integer(1, 3); damage > 0; damage--) {
      chars[random.integer(0, chars.length - 1)] = random.pick([
        '"',
        "{",
        "0",
        "\\",
        "ü",
        "\ud800",
        "",
        ":",
        "]",
      ]);
    }
    try {
      readRequest(chars.join(""));
    } catch (error) {
      assert.ok(error instanceof RequestProblem, String(error));
      assert.ok(error.message.length < 300, error.message);
      refused++;
    }
  }
  assert.ok(refused > 10_000 && refused < 20_000, `${refused} of 20,000 refused`);
});
