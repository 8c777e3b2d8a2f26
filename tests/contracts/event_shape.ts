/** The vocabulary's word, as every event of every feed must keep it. */
import assert from "node:assert/strict";
import type { MarketEvent } from "../../lib/market/event.ts";
import { RECEIVED_US } from "./feed_fixture.ts";

/** Throws unless an event keeps the vocabulary's word: finite, not negative where it can't be, ids exact. */
export function checkEvent(event: MarketEvent, venue: string): void {
  assert.equal(event.venue, venue);
  assert.ok(event.symbol.length > 0 && event.symbol.length <= 64);
  assert.equal(event.received_us, RECEIVED_US);
  for (const [name, value] of Object.entries(event)) {
    if (typeof value !== "number") continue;
    assert.ok(Number.isFinite(value), `${name} ${value}`);
    if (name.endsWith("_id")) assert.ok(Number.isSafeInteger(value) && value >= -1, `${name} ${value}`);
    if (name.endsWith("_ms")) assert.ok(value > 0 && value < 1e14, `${name} ${value} is no millisecond`);
    const is_signed = name.startsWith("price_change") || name === "checksum";
    if (!is_signed) assert.ok(value >= -1, `${name} ${value}`);
  }
  if (event.kind !== "book_delta" && event.kind !== "book_snapshot") return;
  if (event.kind === "book_delta") assert.ok(event.first_id <= event.last_id);
  for (const { prices, quantities, size } of [event.bids, event.asks]) {
    for (let i = 0; i < size; i++) {
      assert.ok(prices[i] >= 0 && quantities[i] >= 0 && Number.isFinite(quantities[i]));
    }
  }
}
