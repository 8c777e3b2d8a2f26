/** Coinbase's count of messages, under both readings of what it counts. */
import assert from "node:assert/strict";
import { ConnectionSequence, type Order } from "../../../../lib/feeds/coinbase/connection_sequence.ts";

function orders(steps: readonly [channel: string, number: number][]): Order[] {
  const sequence = new ConnectionSequence();
  return steps.map(([channel, number]) => sequence.accept(channel, number));
}

Deno.test("one count for the connection: the next, a loss, a repetition", () => {
  assert.deepEqual(orders([["a", 0], ["b", 1], ["a", 2], ["b", 3]]), ["next", "next", "next", "next"]);
  assert.deepEqual(orders([["a", 0], ["b", 1], ["a", 3]]), ["next", "next", "lost"]);
  assert.deepEqual(orders([["a", 0], ["b", 1], ["a", 2], ["a", 2], ["b", 3]]), [
    ...["next", "next", "next", "repeated", "next"] as const,
  ]);
  assert.deepEqual(
    orders([["a", 5], ["a", 6], ["a", 8]]),
    ["next", "next", "lost"],
    "from wherever it begins",
  );
});

Deno.test("a loss shows whatever channel it hit, also right at a channel's beginning", () => {
  assert.deepEqual(orders([["a", 0], ["b", 2]]), ["next", "lost"]);
  assert.deepEqual(orders([["a", 0], ["a", 1], ["a", 2], ["b", 4]]).at(-1), "lost");
});

Deno.test("a count for each channel: taken so once numbers repeat across channels, and losses show still", () => {
  assert.deepEqual(orders([["a", 0], ["b", 0], ["a", 1], ["b", 1], ["b", 2], ["a", 2]]), [
    ...["next", "next", "next", "next", "next", "next"] as const,
  ]);
  assert.deepEqual(orders([["a", 0], ["b", 0], ["a", 1], ["a", 3]]).at(-1), "lost");
  assert.deepEqual(orders([["a", 0], ["b", 0], ["a", 1], ["a", 1]]).at(-1), "repeated");
});
