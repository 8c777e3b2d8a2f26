import assert from "node:assert/strict";
import { logText } from "../../../lib/cli/log_text.ts";

const record = { time: "2026-01-02T03:04:05.678Z", level: "info", message: "live" };

Deno.test("one line: time, level, message, fields", () => {
  assert.equal(
    logText({ ...record, symbol: "BTCUSDT", levels: 20, reason: "two words", odd: 'a"b', list: [1] }, false),
    '03:04:05.678Z INFO  live symbol=BTCUSDT levels=20 reason="two words" odd="a\\"b" list=[1]\n',
  );
});

Deno.test("hostile text cannot move the cursor or start a line", () => {
  const line = logText(
    { ...record, message: "a\nb\u001b[2J", frame: "\u001b]0;x\u0007", key: "\u202e" },
    false,
  );
  assert.equal(line.trimEnd().includes("\n"), false);
  for (const char of "\u001b\u0007\u202e") assert.equal(line.includes(char), false);
});
