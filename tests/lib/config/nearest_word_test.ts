/** Suggestions: near words found, wild guesses refused. */
import assert from "node:assert/strict";
import { nearestWord } from "../../../lib/config/nearest_word.ts";

Deno.test("typos, transpositions, case and dashes find their word", () => {
  const known = ["redis_url", "symbols", "order_book_depth", "url", "name"];
  for (
    const [given, wanted] of [["redis-url", "redis_url"], ["REDIS_URL", "redis_url"], ["symbol", "symbols"]]
  ) {
    assert.equal(nearestWord(given, known), wanted);
  }
  assert.equal(nearestWord("odrer_bok_depth", known), "order_book_depth");
  assert.equal(nearestWord("ulr", known), "url");
  assert.equal(nearestWord("urll", known), "url");
});

Deno.test("nothing near gives no suggestion", () => {
  assert.equal(nearestWord("password", ["url", "name"]), undefined);
  assert.equal(nearestWord("xyz", ["url"]), undefined);
  assert.equal(nearestWord("a".repeat(10_000), ["a".repeat(9_999)]), undefined);
  assert.equal(nearestWord("", ["url"]), undefined);
});
