/** Pools: a delta not pushed is handed out again, a cleared batch reuses its events, order is kept. */
import assert from "node:assert/strict";
import { EventBatch } from "../../../lib/market/event_batch.ts";

Deno.test("a free delta becomes part of the batch only when pushed", () => {
  const batch = new EventBatch();
  const first = batch.freeDelta();
  first.bids.push(1, 1);
  const again = batch.freeDelta();
  assert.equal(again, first);
  assert.equal(again.bids.size, 0);
  assert.equal(batch.size, 0);
  batch.pushDelta(again);
  assert.notEqual(batch.freeDelta(), first);
  assert.deepEqual(batch.events, [first]);
});

Deno.test("clear takes everything back, order is that of pushing", () => {
  const batch = new EventBatch();
  for (let round = 0; round < 3; round++) {
    const delta = batch.freeDelta();
    batch.pushDelta(delta);
    const quote = batch.pushQuote();
    const other = batch.pushQuote();
    assert.notEqual(quote, other);
    assert.deepEqual(batch.events.map((event) => event.kind), ["book_delta", "quote", "quote"]);
    batch.clear();
    assert.equal(batch.size, 0);
    assert.equal(batch.freeDelta(), delta);
    assert.equal(batch.pushQuote(), quote);
    batch.clear();
  }
});
