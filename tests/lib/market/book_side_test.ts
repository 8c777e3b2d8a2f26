/**
 * BookSide against a Map that is sorted when asked: random inserts, deletes, repeated prices, unsorted lists, growth past
 * many leaves and back to nothing, both signs, exact texts. The canary is a side with one lost delete.
 */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { BookSide } from "../../../lib/market/book_side.ts";
import { listOf, rowsOf } from "./level_lists.ts";
import { NaiveSide, type Row } from "./naive_side.ts";

interface Shape {
  prices: number;
  rows: number;
  delete_share: number;
  order: "sorted" | "reversed" | "random";
}

function randomRows(random: Random, shape: Shape): Row[] {
  const rows = Array.from({ length: random.integer(0, shape.rows) }, (): Row => {
    const price = random.integer(1, shape.prices) / 10;
    if (random.chance(shape.delete_share)) return [price, 0];
    if (random.chance(0.1)) {
      const exact = `${random.integer(1, 9)}234567890123456.${random.integer(1, 9)}`;
      return [price, Number(exact), exact];
    }
    return [price, random.integer(1, 1_000_000) / 1000];
  });
  if (shape.order === "random") return rows;
  const sign = shape.order === "sorted" ? 1 : -1;
  return rows.sort((one, other) => sign * (one[0] - other[0]));
}

function sameAsModel(side: BookSide, model: NaiveSide, random: Random): void {
  const want = model.sorted();
  assert.equal(side.size, want.length);
  assert.deepEqual(rowsOf(side), want);
  assert.equal(side.best_key, want.length > 0 ? side.sign * want[0][0] : -Infinity);
  // Ranks out of order: the remembered leaf must not mislead.
  for (let i = 0; i < 8 && want.length > 0; i++) {
    const at = random.integer(0, want.length - 1);
    assert.equal(side.price(at), want[at][0]);
    assert.equal(side.quantity(at), want[at][1]);
    assert.equal(side.quantityAt(want[at][0]), want[at][1]);
  }
  const price = random.integer(0, 5_000) / 10;
  assert.equal(side.quantityAt(price), model.levels.get(price)?.quantity ?? 0);
  const key = side.sign * price;
  assert.equal(side.countFrom(key), want.filter((row) => side.sign * row[0] >= key).length);
  side.bound_key = key;
  assert.equal(side.known, side.countFrom(key));
  side.bound_key = -Infinity;
}

/** The side keeps its best levels, names every one that went, and knows how far it reaches. */
function keepBest(side: BookSide, model: NaiveSide, random: Random): void {
  const count = random.integer(1, Math.max(1, 2 * side.size));
  const gone = model.sorted().slice(count).map(([price]): Row => [price, 0]);
  const changes = listOf([]);
  side.keepBest(count, changes);
  const worst = side.size >= count ? side.key(side.size - 1) : -Infinity;
  assert.equal(side.bound_key, worst);
  model.apply(gone);
  const named = Array.from({ length: changes.size }, (_, i) => [changes.prices[i], changes.quantities[i]]);
  assert.deepEqual(named, gone.reverse());
  sameAsModel(side, model, random);
}

/** `broken` loses a delete now and then: what the property must catch. */
function run(seed: number, sign: 1 | -1, broken = false): void {
  const random = new Random(`${seed}:${sign}`);
  const trims = new Random(`trims ${seed}:${sign}`);
  const side = new BookSide(sign);
  const model = new NaiveSide(sign);
  for (let phase = 0; phase < 6; phase++) {
    const shape: Shape = {
      prices: random.pick([3, 40, 400, 5_000]),
      rows: random.pick([1, 5, 60, 700]),
      delete_share: random.pick([0, 0.3, 0.5, 0.95]),
      order: random.pick(["sorted", "reversed", "random"] as const),
    };
    for (let step = 0; step < 25; step++) {
      const rows = randomRows(random, shape);
      model.apply(rows);
      side.apply(listOf(broken && random.chance(0.2) ? rows.filter((row) => row[1] !== 0) : rows));
      sameAsModel(side, model, random);
      if (!broken && trims.chance(0.1)) keepBest(side, model, trims);
    }
    if (random.chance(0.2)) {
      side.clear();
      model.levels.clear();
    }
    if (random.chance(0.3)) {
      const rows = model.sorted().reverse();
      side.load(
        Float64Array.from(rows, (row) => sign * row[0]),
        Float64Array.from(rows, (row) => row[1]),
        rows.length,
      );
      sameAsModel(side, model, random);
    }
  }
  const rest = model.sorted().map(([price]): Row => [price, 0]);
  side.apply(listOf(rest.filter((_, i) => i % 2 === 0)));
  side.apply(listOf(rest.reverse()));
  assert.equal(side.size, 0);
  assert.equal(side.best_key, -Infinity);
}

Deno.test("book side equals a sorted map after any changes, bids and asks", () => {
  for (let seed = 0; seed < 40; seed++) {
    run(seed, 1);
    run(seed, -1);
  }
});

Deno.test("canary: a side that loses deletes is caught", () => {
  let caught = 0;
  for (let seed = 0; seed < 10; seed++) {
    try {
      run(seed, 1, true);
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
      caught++;
    }
  }
  assert.equal(caught, 10);
});

Deno.test("a price repeated within one list: the last word counts, also for its exact text", () => {
  const side = new BookSide(1);
  const exact = "1234567890123456.5";
  side.apply(listOf([[10, 1], [10, Number(exact), exact], [11, 5], [11, 0]]));
  assert.deepEqual(rowsOf(side), [[10, Number(exact), exact]]);
  side.apply(listOf([[10, Number(exact)]]));
  assert.equal(side.exactQuantity(0), undefined);
  assert.equal(side.exact_quantities, undefined);
});

Deno.test("an exact text goes with its level", () => {
  const side = new BookSide(-1);
  const exact = "0.1234567890123456789";
  side.apply(listOf([[10, Number(exact), exact], [11, 2]]));
  assert.equal(side.exactQuantity(0), exact);
  assert.equal(side.exactQuantity(1), undefined);
  side.apply(listOf([[10, 0]]));
  assert.equal(side.exact_quantities, undefined);
  side.apply(listOf([[10, 3]]));
  assert.equal(side.exactQuantity(0), undefined);
});

Deno.test("deleting what is not there does nothing, in an empty side and in a deep one", () => {
  const side = new BookSide(1);
  side.apply(listOf([[5, 0], [1, 0]]));
  assert.equal(side.size, 0);
  side.apply(listOf(Array.from({ length: 1_000 }, (_, i) => [2 * i + 1, 1])));
  side.apply(listOf(Array.from({ length: 1_001 }, (_, i) => [2 * i, 0])));
  assert.equal(side.size, 1_000);
});
