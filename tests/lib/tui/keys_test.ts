/** Keys as terminals send them. */
import assert from "node:assert/strict";
import { keysOf } from "../../../lib/tui/keys.ts";

Deno.test("letters, controls, arrows and function keys of several terminals; unknown sequences are nothing", () => {
  const table: [string, string[]][] = [
    ["q", ["q"]],
    ["qé+", ["q", "é", "+"]],
    [" \r\u0003\u000c\t", ["Space", "Enter", "Ctrl-C", "Ctrl-L", "Tab"]],
    ["\u001b[A\u001bOB\u001b[5~", ["Up", "Down", "PageUp"]],
    ["\u001bOP\u001b[12~\u001b[[C\u001bOS", ["F1", "F2", "F3", "F4"]],
    ["\u001b", ["Escape"]],
    ["\u001b[200~\u001b[1;5Cq", ["q"]],
    ["\u0000\u0001", []],
  ];
  for (const [text, keys] of table) assert.deepEqual(keysOf(text), keys, JSON.stringify(text));
});
