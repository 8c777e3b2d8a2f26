import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { BookSide } from "../../../../lib/market/book_side.ts";
import { LevelList } from "../../../../lib/market/level_list.ts";
import { DepthView } from "../../../../lib/servers/restream/market/depth_view.ts";

/** Applies changes the way a client does, and compares with the best N of the side. */
function follow(seed: string, sign: 1 | -1, depth: number, lose_deletes: boolean): void {
  const random = new Random(seed);
  const side = new BookSide(sign);
  const view = new DepthView(depth);
  const mirror = new Map<number, string>();
  for (let step = 0; step < 500; step++) {
    const list = new LevelList();
    for (let i = random.integer(0, 5); i > 0; i--) {
      const quantity = random.chance(0.4) ? 0 : random.integer(1, 9);
      if (quantity > 0 && random.chance(0.1)) {
        (list.exact_quantities ??= new Map()).set(
          list.size,
          `${quantity}.00000000000000${random.integer(1, 9)}`,
        );
      }
      list.push(random.integer(1, 30), quantity);
    }
    side.apply(list);
    if (random.chance(0.05)) side.bound_key = sign * random.integer(1, 30);
    const changed = view.update(side);
    assert.equal(changed, view.changes.size > 0);
    for (let i = 0; i < view.changes.size; i++) {
      const quantity = view.changes.quantities[i];
      if (quantity !== 0) {
        mirror.set(view.changes.prices[i], view.changes.exact_quantities?.get(i) ?? String(quantity));
      } else if (!lose_deletes) mirror.delete(view.changes.prices[i]);
    }
    const expected = Array.from({ length: Math.min(depth, side.known) }, (_, i) => [
      side.price(i),
      side.exactQuantity(i) ?? String(side.quantity(i)),
    ]);
    const got = [...mirror].sort((a, b) => sign * (b[0] - a[0]));
    assert.deepEqual(got, expected);
  }
}

Deno.test("depth view: a client that applies its changes holds exactly the best known levels", () => {
  for (const depth of [1, 5, 20, 100]) {
    for (let seed = 0; seed < 10; seed++) {
      follow(`bids ${seed}`, 1, depth, false);
      follow(`asks ${seed}`, -1, depth, false);
    }
  }
});

Deno.test("depth view: canary, a client that ignores deletions is found out", () => {
  assert.throws(() => follow("canary", 1, 5, true));
});
