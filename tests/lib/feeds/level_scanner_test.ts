/**
 * The level scanner against JSON.parse: whatever the narrow scan accepts must be what JSON and exact decimals say, and a
 * list cut anywhere is never taken for a shorter one.
 */
import assert from "node:assert/strict";
import { plainDecimal } from "../../../lib/base/decimal.ts";
import { Random } from "../../../lib/base/random.ts";
import { MAX_LEVELS, readLevels, scanLevels } from "../../../lib/feeds/level_scanner.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { plainLevels } from "./plain_event.ts";

const encoder = new TextEncoder();

function randomNumber(random: Random): string {
  const whole = String(random.integer(0, 10 ** random.integer(0, 9)));
  const decimals = random.integer(0, 6);
  if (random.chance(0.2) || decimals === 0) return whole;
  return `${whole}.${Array.from({ length: decimals }, () => random.integer(0, 9)).join("")}`;
}
const decimalsOf = (texts: string[]) =>
  Math.max(0, ...texts.map((text) => (plainDecimal(text).split(".")[1] ?? "").length));

Deno.test("the narrow scan gives exactly what the text says, with the digits it has", () => {
  const random = new Random("levels");
  const list = new LevelList(1);
  for (let i = 0; i < 3_000; i++) {
    const rows = Array.from(
      { length: random.integer(0, 40) },
      () => [randomNumber(random), randomNumber(random)],
    );
    const text = JSON.stringify(rows);
    const bytes = encoder.encode(`x${text}}tail`);
    assert.equal(scanLevels(bytes, 1, bytes.length, list), 1 + text.length);
    assert.deepEqual(plainLevels(list), rows.map((row) => row.map(plainDecimal)));
    assert.equal(list.price_decimals, decimalsOf(rows.map((row) => row[0])));
    assert.equal(list.quantity_decimals, decimalsOf(rows.map((row) => row[1])));
    assert.equal(list.exact_quantities, undefined);
  }
});

Deno.test("a list cut at any byte is not accepted", () => {
  const bytes = encoder.encode('[["64010.10","3.120"],["64009.90","0.000"],["1","2"]]');
  const list = new LevelList();
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(scanLevels(bytes.subarray(0, length), 0, length, list), -1, String(length));
  }
});

Deno.test("what is not the narrow form is left to the reader", () => {
  const wide = ['[ ["1","2"]]', '[["1", "2"]]', '[["1e3","2"]]', '[["1","2",[]]]', "[[1,2]]", '[["-1","2"]]'];
  const long = [
    '[["1234567890123456","1"]]',
    '[["1","0.12345678901234567890123"]]',
    '[["","1"]]',
    '[["1"]]',
    "[[]]",
    "{}",
  ];
  const list = new LevelList();
  for (const text of [...wide, ...long]) {
    assert.equal(scanLevels(encoder.encode(text + "}"), 0, text.length + 1, list), -1, text);
  }
});

Deno.test("the reader takes any legal row, keeps long quantities exactly, refuses what it would have to round", () => {
  const list = new LevelList();
  assert.ok(readLevels([["1e3", "2.50"], [7, 0.25], ["1", "12345678901234567.5", "extra", []]], list));
  assert.deepEqual(plainLevels(list), [["1000", "2.5"], ["7", "0.25"], ["1", "12345678901234567.5"]]);
  assert.deepEqual([list.price_decimals, list.quantity_decimals], [0, 2]);
  const refused = [
    ["1234567890123456.5", "1"],
    ["1"],
    ["-1", "1"],
    ["1", "-1"],
    ["x", "1"],
    [null, "1"],
    ["1", ""],
    "12",
    {},
  ];
  for (const row of refused) assert.equal(readLevels([row], list), false, JSON.stringify(row));
  for (const value of [null, {}, "[]", 5, undefined]) assert.equal(readLevels(value, list), false);
});

Deno.test("a list is bounded in both readers", () => {
  const rows = Array.from({ length: MAX_LEVELS + 1 }, () => ["1", "1"]);
  const bytes = encoder.encode(JSON.stringify(rows) + "}");
  const list = new LevelList();
  assert.equal(scanLevels(bytes, 0, bytes.length, list), -1);
  assert.equal(readLevels(rows, list), false);
  rows.pop();
  const fitting = encoder.encode(JSON.stringify(rows) + "}");
  assert.equal(scanLevels(fitting, 0, fitting.length, list), fitting.length - 1);
  assert.equal(list.size, MAX_LEVELS);
});
