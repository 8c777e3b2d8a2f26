/** Times in frames: exact microseconds, and nothing that is no time. */
import assert from "node:assert/strict";
import { IsoTimeReader } from "../../../../lib/feeds/json/iso_time.ts";

const encoder = new TextEncoder();
const reader = new IsoTimeReader();
function read(text: string): number {
  const bytes = encoder.encode(`"${text}"`);
  return reader.microseconds(bytes, 1, bytes.length - 1);
}

Deno.test("microseconds, whatever the fraction's length; finer ones are cut off", () => {
  assert.equal(read("2023-10-06T17:35:55.440295Z"), 1_696_613_755_440_295);
  assert.equal(read("2023-10-06T17:35:55.440295999Z"), 1_696_613_755_440_295);
  assert.equal(read("2023-10-06T17:35:55.4Z"), 1_696_613_755_400_000);
  assert.equal(read("2023-10-06T17:35:55Z"), 1_696_613_755_000_000);
  assert.equal(read("2024-02-29 00:00:00.000001+00:00"), Date.UTC(2024, 1, 29) * 1000 + 1);
  assert.equal(read("1970-01-01T00:00:00Z"), 0);
});

Deno.test("offsets are taken off, across midnight too", () => {
  assert.equal(read("2026-11-02T09:35:00.123456789-05:00"), Date.UTC(2026, 10, 2, 14, 35) * 1000 + 123_456);
  assert.equal(read("2023-10-06T17:35:55+02:00"), Date.UTC(2023, 9, 6, 15, 35, 55) * 1000);
  assert.equal(read("2024-03-01T00:15:00+00:30"), Date.UTC(2024, 1, 29, 23, 45) * 1000);
  assert.equal(read("2024-02-29T23:59:59-09:30"), Date.UTC(2024, 2, 1, 9, 29, 59) * 1000);
});

Deno.test("what is no time is none", () => {
  for (
    const text of [
      ...["", "2023-10-06", "2023-10-06T17:35:55", "2023-10-06T17:35:55.Z", "2023-10-06T24:00:00Z"],
      ...[
        "2023-02-30T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-10-06T17:35:55+24:00",
        "2023-10-06T17:35:55+02:60",
        "2023-10-06T17:35:55*02:00",
        "2023-10-06T17:35:55+2:00",
        "x023-10-06T17:35:55Z",
      ],
      ...[
        "2023-10-06T17:35:55.1234567890Z",
        "9999-10-06T17:35:55Z",
        "1969-10-06T17:35:55Z",
        "2023-10-06T17:60:55Z",
      ],
    ]
  ) assert.ok(Number.isNaN(read(text)), text);
  // A bad day does not stay in the reader's memory of the last one.
  assert.equal(read("2023-10-06T00:00:00Z"), Date.UTC(2023, 9, 6) * 1000);
});

Deno.test("every day of a century agrees with the host's calendar", () => {
  for (let day_ms = Date.UTC(2000, 0, 1); day_ms < Date.UTC(2100, 0, 1); day_ms += 86_400_000) {
    assert.equal(read(new Date(day_ms + 3_723_004).toISOString()), (day_ms + 3_723_004) * 1000);
  }
});
