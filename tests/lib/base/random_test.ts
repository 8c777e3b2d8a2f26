/** Same seed, same numbers; ranges hold; bits look fair (chi-square far from its tails); forks do not touch each other. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";

const draws = (random: Random, count = 50) => Array.from({ length: count }, () => random.uint32());

Deno.test("a seed repeats, another seed does not", () => {
  assert.deepEqual(draws(new Random("seed")), draws(new Random("seed")));
  assert.deepEqual(draws(new Random(7)), draws(new Random("7")));
  const firsts = new Set(Array.from({ length: 2_000 }, (_, seed) => new Random(seed).uint32()));
  assert.ok(firsts.size >= 1_999, `${firsts.size} different first draws of 2000 neighbouring seeds`);
});

Deno.test("integers and units keep their range and reach its ends", () => {
  const random = new Random(1);
  const seen = new Set<number>();
  for (let i = 0; i < 5_000; i++) {
    seen.add(random.integer(-3, 4));
    const unit = random.unit();
    assert.ok(unit >= 0 && unit < 1);
    assert.ok([1, 2, 3].includes(random.pick([1, 2, 3])));
    assert.ok(random.exponential(5) >= 0);
    assert.ok(Number.isFinite(random.normal()));
  }
  assert.deepEqual([...seen].sort((x, y) => x - y), [-3, -2, -1, 0, 1, 2, 3, 4]);
});

Deno.test("sixteen buckets fill evenly, and the normal has mean 0 and variance 1", () => {
  const random = new Random("fair");
  const buckets = new Array(16).fill(0);
  const total = 64_000;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < total; i++) {
    buckets[random.uint32() >>> 28]++;
    const normal = random.normal();
    sum += normal;
    squares += normal * normal;
  }
  const expected = total / 16;
  const chi_square = buckets.reduce(
    (all: number, count: number) => all + (count - expected) ** 2 / expected,
    0,
  );
  // 15 degrees of freedom: 2 and 44.3 are the 0.0001 tails.
  assert.ok(chi_square > 2 && chi_square < 44.3, `chi-square ${chi_square}`);
  assert.ok(Math.abs(sum / total) < 0.02);
  assert.ok(Math.abs(squares / total - 1) < 0.03);
});

Deno.test("a fork has a stream of its own", () => {
  const one = new Random(1);
  const fork = one.fork("books");
  const rest = draws(one);
  const again = new Random(1);
  const other = draws(again.fork("books"), 500);
  assert.deepEqual(draws(again), rest);
  assert.deepEqual(draws(fork, 500), other);
  assert.notDeepEqual(draws(new Random(1).fork("trades"), 500), other);
});
