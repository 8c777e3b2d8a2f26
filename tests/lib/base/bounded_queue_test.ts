/** The ring against a plain array with the same policy; losses are counted, the bound holds. */
import assert from "node:assert/strict";
import { BoundedQueue, type OverflowPolicy } from "../../../lib/base/bounded_queue.ts";
import { Random } from "../../../lib/base/random.ts";

class ArrayQueue {
  items: number[] = [];
  dropped = 0;
  constructor(readonly capacity: number, readonly policy: OverflowPolicy) {}
  push(item: number): boolean {
    if (this.items.length < this.capacity) return this.items.push(item) > 0;
    this.dropped++;
    if (this.policy === "drop_oldest") this.items = [...this.items.slice(1), item];
    return false;
  }
}

Deno.test("bounded queue does what a plain array with the policy does", () => {
  for (const policy of ["refuse_new", "drop_oldest"] as const) {
    for (let seed = 0; seed < 40; seed++) {
      const random = new Random(`${policy}${seed}`);
      const capacity = random.integer(1, 9);
      const queue = new BoundedQueue<number>(capacity, policy);
      const model = new ArrayQueue(capacity, policy);
      for (let step = 0; step < 300; step++) {
        if (random.chance(0.55)) assert.equal(queue.push(step), model.push(step));
        else assert.equal(queue.shift(), model.items.shift());
        if (random.chance(0.01)) {
          queue.clear();
          model.items = [];
        }
        assert.equal(queue.size, model.items.length);
        assert.equal(queue.peek(), model.items[0]);
        assert.equal(queue.dropped, model.dropped);
      }
    }
  }
});

Deno.test("bounded queue refuses a bound that is none", () => {
  for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => new BoundedQueue(capacity, "refuse_new"), /queue capacity/);
  }
});
