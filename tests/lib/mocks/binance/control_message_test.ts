/** What clients may say, and the venue's error codes for what they may not. */
import assert from "node:assert/strict";
import { errorText, parseControlMessage, resultText } from "../../../../lib/mocks/binance/control_message.ts";

const errorOf = (text: string) => {
  const message = parseControlMessage(text);
  assert.equal(message.method, "ERROR", text);
  return message.method === "ERROR" ? JSON.parse(errorText(message)) : undefined;
};

Deno.test("requests are read with number, text and absent ids", () => {
  assert.deepEqual(parseControlMessage('{"method":"SUBSCRIBE","params":["a@depth"],"id":1}'), {
    method: "SUBSCRIBE",
    streams: ["a@depth"],
    id: 1,
  });
  assert.deepEqual(parseControlMessage('{"method":"LIST_SUBSCRIPTIONS","id":"x"}'), {
    method: "LIST_SUBSCRIPTIONS",
    id: "x",
  });
  assert.deepEqual(parseControlMessage('{"method":"SET_PROPERTY","params":["combined",true]}'), {
    method: "SET_PROPERTY",
    combined: true,
    id: null,
  });
  assert.equal(resultText(null, 3), '{"result":null,"id":3}');
});

Deno.test("errors: 0 unknown property, 1 wrong value type, 2 invalid request, 3 invalid JSON", () => {
  assert.equal(errorOf('{"method":"GET_PROPERTY","params":["color"],"id":1}').code, 0);
  assert.equal(errorOf('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}').code, 1);
  assert.deepEqual(errorOf('{"id":9}'), { code: 2, msg: "Invalid request: missing field `method`", id: 9 });
  for (
    const text of [
      '{"method":"SUBSCRIBE","id":1}',
      '{"method":"SUBSCRIBE","params":[],"id":1}',
      '{"method":"SUBSCRIBE","params":[1],"id":1}',
      '{"method":"DANCE","id":1}',
      '{"method":"LIST_SUBSCRIPTIONS","id":-1}',
      '{"method":"LIST_SUBSCRIPTIONS","id":1.5}',
      "[]",
      "null",
      "7",
    ]
  ) assert.equal(errorOf(text).code, 2, text);
  assert.equal(errorOf("{").code, 3);
  assert.equal(errorOf("").code, 3);
});
