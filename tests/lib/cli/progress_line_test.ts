import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { byteText, ProgressLine } from "../../../lib/cli/progress_line.ts";

function begin(is_terminal: boolean) {
  const clock = new ManualClock();
  const said: string[] = [];
  const stderr = (text: string) => void said.push(text);
  return {
    clock,
    said,
    line: new ProgressLine({ verb: "packing", total_bytes: 4_000_000, clock, is_terminal, stderr }),
  };
}

Deno.test("long work is told ten times a second on one line, which is wiped", () => {
  const { clock, said, line } = begin(true);
  for (let i = 0; i < 200; i++) {
    clock.advance(10);
    line.add(10_000);
  }
  line.end();
  assert.equal(said.length, 17);
  assert.equal(said[0], "\rpacking 12 % of 4.0 MB, 1.0 MB/s, 4 s left\u001b[K");
  assert.equal(said.at(-1), "\r\u001b[K");
  line.end();
  assert.equal(said.length, 17);
});

Deno.test("short work, and any work off a terminal, shows nothing", () => {
  const short = begin(true);
  short.clock.advance(499);
  short.line.add(1);
  short.line.end();
  const off = begin(false);
  off.clock.advance(10_000);
  off.line.add(1);
  off.line.end();
  assert.deepEqual([short.said, off.said], [[], []]);
});

Deno.test("sizes have three figures at most", () => {
  const texts = [0, 1, 999, 1_000, 9_949, 9_951, 999_400, 999_600, 1.5e9, 2e15].map(byteText);
  assert.deepEqual(texts, [
    "0 bytes",
    "1 bytes",
    "999 bytes",
    "1.0 kB",
    "9.9 kB",
    "10.0 kB",
    "999 kB",
    "1.0 MB",
    "1.5 GB",
    "2000 TB",
  ]);
});
