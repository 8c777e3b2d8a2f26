/** Market by order beside the book: told in step with it, or not at all until it is known whole again. */
import assert from "node:assert/strict";
import { InstrumentOrders } from "../../../lib/flow/instrument_orders.ts";
import type { OrderEvents } from "../../../lib/market/event.ts";
import type { OrderChange } from "../../../lib/market/order_queue_book.ts";

const add = (id: number): OrderChange => ({
  action: "add",
  id,
  side: "bid",
  price: 100,
  quantity: 1,
  since_us: id,
});
const event = (last_id: number, ids: number[], whole?: true): OrderEvents => ({
  kind: "orders",
  venue: "v",
  symbol: "S",
  received_us: last_id,
  last_id,
  whole,
  changes: ids.map(add),
});
const levels = (last_update_id: number, sequence = last_update_id, in_sync = true) => ({
  in_sync,
  sequence,
  last_update_id,
});

Deno.test("orders follow their book update: whole, then changes, with its sequence", () => {
  const orders = new InstrumentOrders("v", "S");
  const whole = orders.take(event(1, [1, 2], true), levels(1, 7), false)!;
  assert.deepEqual([whole.sequence, whole.last_update_id, whole.changes], [7, 1, undefined]);
  const next = orders.take(event(2, [3]), levels(2, 8), false)!;
  assert.deepEqual([next.sequence, next.changes], [8, [add(3)]]);
  assert.equal(next.orders.order_count, 3);
  assert.equal(orders.readable(levels(2, 8)), next);
  assert.equal(orders.readable(levels(2, 9)), undefined, "the book went on, its orders are not told yet");
  assert.equal(orders.readable(levels(2, 8, false)), undefined);
  assert.equal(orders.take(event(2, [3]), levels(2, 8), false), undefined, "the same again");
  assert.equal(orders.readable(levels(2, 8)), next);
  const skipped = orders.take(event(3, [4]), levels(3, 10), false)!;
  assert.equal(skipped.changes, undefined, "an update of the book between had no orders: take them whole");
});

Deno.test("while the book is crossed orders are kept and not told; then they are told whole", () => {
  const orders = new InstrumentOrders("v", "S");
  orders.take(event(1, [1], true), levels(1), false);
  assert.equal(orders.take(event(2, [2]), levels(2, 1), true), undefined);
  assert.equal(orders.readable(levels(2, 1)), undefined, "what was told is no longer what is kept");
  const after = orders.take(event(3, [3]), levels(3, 2), false)!;
  assert.deepEqual([after.changes, after.orders.order_count], [undefined, 3]);
});

Deno.test("what does not belong to the book as it stands makes orders unknown until they come whole", () => {
  const wrong = [
    ["of a book out of sync", event(2, [2]), levels(2, 2, false)],
    ["of a book event that did not count", event(3, [2]), levels(2)],
  ] as const;
  for (const [what, one, state] of wrong) {
    const orders = new InstrumentOrders("v", "S");
    assert.equal(orders.take(event(1, [1]), levels(1), false), undefined, "before the first whole");
    orders.take(event(1, [1], true), levels(1), false);
    assert.equal(orders.take(one, state, false), undefined, what);
    assert.equal(orders.take(event(4, [3]), levels(4), false), undefined, what);
    const again = orders.take(event(5, [8, 9], true), levels(5), false)!;
    assert.deepEqual([...again.orders.orders("bid")].map(({ id }) => id), [8, 9]);
  }
});
