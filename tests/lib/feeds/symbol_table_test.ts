/** Bytes to symbols: same string each time, bounded learning, closed tables stay closed. */
import assert from "node:assert/strict";
import { SymbolTable } from "../../../lib/feeds/symbol_table.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const lookup = (table: SymbolTable, text: string) =>
  table.lookup(bytes(`"${text}"`), 1, bytes(text).length + 1);

Deno.test("a closed table knows what it was given", () => {
  const table = new SymbolTable(["BTCUSDT", "ETHUSDT", "BTCUSDT"]);
  assert.equal(lookup(table, "BTCUSDT"), "BTCUSDT");
  assert.equal(lookup(table, "BTCUSD"), undefined);
  assert.equal(lookup(table, ""), undefined);
  table.remove("BTCUSDT");
  assert.equal(lookup(table, "BTCUSDT"), undefined);
  assert.equal(lookup(table, "\\u0045THUSDT"), "ETHUSDT");
});

Deno.test("an open table learns up to its bound, and no overlong or broken text", () => {
  const table = new SymbolTable();
  for (let i = 0; i < 5_000; i++) lookup(table, `S${i}`);
  assert.equal(lookup(table, "S4095"), "S4095");
  assert.equal(lookup(table, "S4096"), undefined);
  const fresh = new SymbolTable();
  assert.equal(lookup(fresh, "X".repeat(65)), undefined);
  assert.equal(fresh.lookup(Uint8Array.of(0xff, 0xfe), 0, 2), undefined);
  assert.equal(lookup(fresh, "\\u12"), undefined);
});
