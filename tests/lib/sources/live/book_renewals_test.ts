/** A symbol that wants whole books again and again is slowed down; one that was content starts anew. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { Random } from "../../../../lib/base/random.ts";
import { BookRenewals } from "../../../../lib/sources/live/book_renewals.ts";

const PATIENCE_MS = 1_000;

Deno.test("book renewals: at once, then with growing pauses, one wish at a time, each symbol for itself", () => {
  const clock = new ManualClock(0);
  const renewed: string[] = [];
  const renewals = new BookRenewals(
    clock,
    new Random("renewals"),
    PATIENCE_MS,
    (symbol) => renewed.push(symbol),
  );
  renewals.request("A");
  assert.deepEqual(renewed.splice(0), ["A"]);
  renewals.arrived("A");
  const pauses: number[] = [];
  for (let wish = 0; wish < 12; wish++) {
    renewals.request("A");
    renewals.request("A");
    assert.deepEqual(renewed, []);
    let waited_ms = 0;
    while (renewed.length === 0) {
      clock.advance(10);
      waited_ms += 10;
      renewals.pump();
      assert.ok(waited_ms <= 45_000);
    }
    assert.deepEqual(renewed.splice(0), ["A"], "two wishes, one renewal");
    renewals.arrived("A");
    pauses.push(waited_ms);
  }
  assert.ok(pauses[0] < 1_000 && Math.max(...pauses) > 5_000, String(pauses));
  renewals.request("B");
  assert.deepEqual(renewed.splice(0), ["B"]);
  renewals.arrived("B");
  renewals.request("A");
  renewals.forget("A");
  clock.advance(100_000);
  renewals.pump();
  assert.deepEqual(renewed, []);
  renewals.request("B");
  assert.deepEqual(renewed.splice(0), ["B"], "content for a minute: at once again");
});

Deno.test("book renewals: a book that was asked for and does not come is asked for again, until it comes", () => {
  const clock = new ManualClock(0);
  const renewed: number[] = [];
  const renewals = new BookRenewals(
    clock,
    new Random("renewals"),
    PATIENCE_MS,
    () => renewed.push(clock.monotonic_ms()),
  );
  const run = (duration_ms: number) => {
    for (let waited_ms = 0; waited_ms < duration_ms; waited_ms += 10) {
      clock.advance(10);
      renewals.pump();
    }
  };
  renewals.request("A");
  run(PATIENCE_MS);
  assert.equal(renewed.length, 1, "patience first");
  run(10_000);
  assert.ok(renewed.length >= 3, `${renewed}`);
  renewals.arrived("A");
  const asked = renewed.length;
  run(120_000);
  assert.equal(renewed.length, asked);
});
