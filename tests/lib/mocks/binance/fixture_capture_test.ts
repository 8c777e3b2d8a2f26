/** The committed fixture captures are what the script writes. */
import assert from "node:assert/strict";
import { makeFixtureCapture } from "../../../../scripts/make_fixture_capture.ts";
import { fixturePath } from "./venue_client.ts";

for (const venue of ["binance-futures", "binance-spot"] as const) {
  Deno.test(`fixtures/feeds/${venue}/capture.ndjson is what scripts/make_fixture_capture.ts makes`, async () => {
    assert.ok(
      makeFixtureCapture(venue) === await Deno.readTextFile(fixturePath(venue)),
      "files differ: run deno task fixtures",
    );
  });
}
