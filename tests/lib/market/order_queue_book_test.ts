/** The L3 book against a naive one (arrays, recomputed), over random events; queue rules and anomalies told one by one. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { type BookSideName, OrderQueueBook } from "../../../lib/market/order_queue_book.ts";

interface NaiveOrder {
  id: number;
  side: BookSideName;
  price: number;
  quantity: number;
}

/** One array in order of time; everything is looked up. */
class NaiveBook {
  orders: NaiveOrder[] = [];
  find(id: number): NaiveOrder | undefined {
    return this.orders.find((one) => one.id === id);
  }
  add(order: NaiveOrder): void {
    this.orders.push(order);
  }
  modify(id: number, price: number, quantity: number): void {
    const order = this.find(id)!;
    if (price !== order.price || quantity > order.quantity) {
      this.orders = [...this.orders.filter((one) => one !== order), { ...order, price, quantity }];
    } else order.quantity = quantity;
  }
  reduce(id: number, quantity: number): void {
    const order = this.find(id)!;
    order.quantity -= quantity;
    if (order.quantity <= 0) this.orders = this.orders.filter((one) => one !== order);
  }
  queue(side: BookSideName): NaiveOrder[] {
    const sign = side === "bid" ? -1 : 1;
    return this.orders.filter((one) => one.side === side)
      .map((one, i) => ({ one, i }))
      .sort((a, b) => sign * (a.one.price - b.one.price) || a.i - b.i).map(({ one }) => one);
  }
}

Deno.test("random events: orders, queues, levels and positions are those of a naive book", () => {
  const random = new Random("l3");
  const naive = new NaiveBook();
  const changed = new Set<string>();
  const book = new OrderQueueBook((side, price) => changed.add(`${side} ${price}`));
  /** Levels kept from `changed` alone: what a reader of MBP deltas has. */
  const mirror = new Map<string, number>();
  for (let i = 1; i <= 4_000; i++) {
    const known = naive.orders.length > 0
      ? naive.orders[random.integer(0, naive.orders.length - 1)]
      : undefined;
    const kind = known ? random.integer(0, 9) : 0;
    const price = 100 + random.integer(-8, 8);
    const quantity = random.integer(1, 50);
    if (kind <= 3 || known === undefined) {
      const side = price < 100 ? "bid" as const : "ask" as const;
      naive.add({ id: i, side, price, quantity });
      book.add(i, side, price, quantity, i);
    } else if (kind <= 5) {
      const target = random.integer(0, 1) ? known.price : price;
      naive.modify(known.id, target, quantity);
      book.modify(known.id, target, quantity, i);
    } else if (kind <= 7) {
      const part = random.integer(1, known.quantity);
      naive.reduce(known.id, part);
      if (kind === 6) book.execute(known.id, part);
      else book.cancel(known.id, part);
    } else {
      const id = known.id;
      naive.reduce(id, known.quantity);
      book.cancel(id);
    }
    for (const key of changed) {
      const [side, at] = key.split(" ");
      const level = book.levelAt(side as BookSideName, Number(at));
      if (level.quantity === 0) mirror.delete(key);
      else mirror.set(key, level.quantity);
    }
    changed.clear();
    if (i % 50 !== 0) continue;
    for (const side of ["bid", "ask"] as const) {
      const queue = naive.queue(side);
      assert.deepEqual(
        [...book.orders(side)].map(({ id, price, quantity }) => [id, price, quantity]),
        queue.map(({ id, price, quantity }) => [id, price, quantity]),
      );
      for (const level of book.levels(side)) {
        const there = queue.filter((one) => one.price === level.price);
        assert.equal(level.quantity, there.reduce((sum, one) => sum + one.quantity, 0));
        assert.equal(level.order_count, there.length);
        assert.equal(mirror.get(`${side} ${level.price}`), level.quantity);
      }
      if (queue.length === 0) continue;
      const some = queue[random.integer(0, queue.length - 1)];
      const ahead = queue.slice(0, queue.indexOf(some)).filter((one) => one.price === some.price);
      assert.deepEqual(book.position(some.id), {
        side,
        price: some.price,
        better_levels: new Set(
          queue.slice(0, queue.indexOf(some)).map((one) => one.price).filter((one) => one !== some.price),
        ).size,
        orders_ahead: ahead.length,
        quantity_ahead: ahead.reduce((sum, one) => sum + one.quantity, 0),
      });
    }
    assert.equal(mirror.size, book.levels("bid").length + book.levels("ask").length);
  }
  assert.deepEqual(book.anomalies, { duplicate_adds: 0, unknown_orders: 0, excess_quantity: 0 });
});

Deno.test("an order keeps its place when it shrinks, and loses it when it grows or moves", () => {
  const book = new OrderQueueBook();
  for (const id of [1, 2, 3]) book.add(id, "bid", 10, 5, id);
  book.modify(1, 10, 4, 9);
  assert.equal(book.position(1)!.orders_ahead, 0);
  book.modify(1, 10, 6, 9);
  assert.deepEqual([...book.orders("bid")].map((one) => one.id), [2, 3, 1]);
  book.modify(2, 11, 5, 9);
  assert.deepEqual([...book.orders("bid")].map((one) => one.id), [2, 3, 1]);
  assert.equal(book.position(3)!.better_levels, 1);
});

Deno.test("what does not fit is counted and does the least", () => {
  const book = new OrderQueueBook();
  book.cancel(7);
  book.execute(7, 1);
  book.modify(7, 10, 1, 0);
  assert.equal(book.order_count, 0);
  book.modify(8, 10, 1, 0, "ask");
  assert.equal(book.order_count, 1);
  book.add(8, "ask", 11, 2, 0);
  book.execute(8, 5);
  assert.deepEqual(book.anomalies, { duplicate_adds: 1, unknown_orders: 4, excess_quantity: 1 });
  assert.deepEqual([book.order_count, book.levels("ask").length], [0, 0]);
});

Deno.test("clear takes a side, or all; decimals add up exactly; ids may be beyond 2^53", () => {
  const book = new OrderQueueBook();
  const huge = 2n ** 63n + 1n;
  book.add(huge, "bid", 1.5, 0.1, 0);
  book.add("b", "bid", 1.5, 0.2, 0);
  book.add(3, "ask", 2, 1, 0);
  assert.deepEqual(book.levels("bid"), [{ price: 1.5, quantity: 0.3, order_count: 2 }]);
  book.execute("b", 0.1);
  assert.equal(book.order("b")!.quantity, 0.1);
  assert.equal(book.position("b")!.quantity_ahead, 0.1);
  book.clear("bid");
  assert.deepEqual([book.order(huge), book.order_count], [undefined, 1]);
  book.clear();
  assert.equal(book.order_count, 0);
});
