import assert from "node:assert/strict";
import { isoMicroseconds } from "../../../lib/wire/iso_time.ts";

Deno.test("microseconds are kept, fractions of them cut off", () => {
  assert.equal(isoMicroseconds(1_723_118_400_123_456), "2024-08-08T12:00:00.123456Z");
  assert.equal(isoMicroseconds(1_723_118_400_123_456.75), "2024-08-08T12:00:00.123456Z");
  assert.equal(isoMicroseconds(1_723_118_400_000_007), "2024-08-08T12:00:00.000007Z");
  assert.equal(isoMicroseconds(0), "1970-01-01T00:00:00.000000Z");
  assert.equal(isoMicroseconds(-1), "1969-12-31T23:59:59.999999Z");
});
