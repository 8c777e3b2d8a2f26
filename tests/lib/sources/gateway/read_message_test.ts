import assert from "node:assert/strict";
import { isNumber, readMessage } from "../../../../lib/sources/gateway/read_message.ts";

Deno.test("long numbers keep their text, ids of sixteen digits stay numbers", () => {
  const read = readMessage(
    '{"type":"delta","last_update_id":1796003359998420,"seq":9007199254740991,"price":0.12345678901234567}',
  );
  assert.equal(read.last_update_id, 1_796_003_359_998_420);
  assert.equal(read.seq, Number.MAX_SAFE_INTEGER);
  assert.ok(isNumber(read.price) && typeof read.price !== "number");
  const beyond = readMessage('{"type":"delta","quantity":12345678901234567890}').quantity;
  assert.ok(isNumber(beyond) && typeof beyond !== "number");
});
