import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import {
  FactIds,
  isAbove,
  next,
  type PublishingId,
  publishingId,
  StateIds,
} from "../../../../lib/sinks/rabbitmq_stream/publishing_id.ts";

const asBigint = ({ high, low }: PublishingId) => BigInt(high) << 32n | BigInt(low);

Deno.test("an id is the venue's time, then 22 bits of its sequence; without a time the sequence alone", () => {
  const random = new Random("ids");
  for (let i = 0; i < 10_000; i++) {
    const time_ms = random.integer(1, 4_398_046_511_103);
    const sequence = random.integer(0, Number.MAX_SAFE_INTEGER);
    assert.equal(
      asBigint(publishingId(time_ms + random.pick([0, 0.25, 0.5]), sequence)),
      BigInt(time_ms) << 22n | BigInt(sequence) % 2n ** 22n,
    );
    assert.equal(asBigint(publishingId(undefined, sequence)), BigInt(sequence));
  }
});

Deno.test("next and isAbove agree with the numbers they stand for", () => {
  const values = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n + 5n];
  const ids = values.map((value) => ({ high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) }));
  for (const [i, id] of ids.entries()) {
    assert.equal(asBigint(next(id)), values[i] + 1n);
    for (const [j, other] of ids.entries()) assert.equal(isAbove(id, other), values[i] > values[j]);
  }
});

Deno.test("facts: the same fact has the same id anywhere; one that comes late has none", () => {
  const [one, other] = [new FactIds(), new FactIds()];
  const t = 1_723_075_200_000;
  const facts = [[t, 10], [t, 11], [t + 1, 12], [t + 5, 20]] as const;
  for (const [time_ms, id] of facts) assert.deepEqual(one.next(time_ms, id), publishingId(time_ms, id));
  assert.equal(one.next(t + 1, 13), undefined);
  assert.equal(one.next(t + 5, 20), undefined);
  // The venue starts its ids anew: its clock still tells them apart.
  assert.deepEqual(one.next(t + 9, 1), publishingId(t + 9, 1));
  // A second producer, or a restarted one, begins in the middle.
  assert.deepEqual(other.next(t + 1, 12), publishingId(t + 1, 12));
  // The 22 bits wrap within one millisecond: not above, so it is not silently dropped under this reference.
  const wrapping = new FactIds();
  assert.ok(wrapping.next(t, 2 ** 22 - 1));
  assert.equal(wrapping.next(t, 2 ** 22), undefined);
});

Deno.test("states: ids always rise, a state repeated keeps its own", () => {
  const ids = new StateIds();
  const random = new Random("states");
  let last: PublishingId = { high: -1, low: 0 };
  for (let version = 1; version <= 1_000; version++) {
    // A clock that goes back, sequences that stand still or start anew.
    const id = ids.next(random.integer(1, 1_000), random.integer(0, 3), version);
    assert.ok(isAbove(id, last));
    assert.deepEqual(ids.next(5_000, 9, version), id);
    last = id;
  }
  // Without versions each is a state of its own.
  assert.ok(isAbove(ids.next(1, 1), last));
});
