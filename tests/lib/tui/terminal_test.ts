/** The whole terminal: only what changed is written, and everything is put back on every way out. */
import assert from "node:assert/strict";
import { difference, FullScreen } from "../../../lib/tui/terminal.ts";
import { FakeTerminal } from "./fake_terminal.ts";

Deno.test("a frame writes the rows that changed, and nothing when nothing did", () => {
  assert.equal(difference(["a", "b"], ["a", "b"]), "");
  assert.equal(difference(["a", "b"], ["a", "c"]), "\u001b[2;1Hc");
  assert.equal(difference([], ["a"]), "\u001b[2J\u001b[1;1Ha");
  assert.equal(difference(["a", "b", "c"], ["a", "b"]), "\u001b[2J\u001b[1;1Ha\u001b[2;1Hb");
});

Deno.test("frames go on after one that changed nothing; the newest wins while one is on its way", async () => {
  const terminal = new FakeTerminal();
  const screen = new FullScreen(terminal);
  for (const text of ["one", "one", "two"]) {
    screen.paint([text]);
    await Promise.resolve();
  }
  screen.paint(["three"]);
  screen.paint(["four"]);
  await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))));
  assert.equal(terminal.screen, "four");
  screen.close();
});

Deno.test("closed, or the process ended: line mode, cursor and the screen of before are back, once", () => {
  for (const leave of ["close", "exit"] as const) {
    const terminal = new FakeTerminal();
    const screen = new FullScreen(terminal);
    assert.deepEqual([terminal.is_raw, terminal.is_alternate, terminal.has_cursor], [true, true, false]);
    if (leave === "exit") terminal.exit();
    else screen.close();
    assert.deepEqual([terminal.is_raw, terminal.is_alternate, terminal.has_cursor], [false, false, true]);
    assert.equal(terminal.listens, false);
    const { written } = terminal;
    screen.close();
    screen.paint(["late"]);
    assert.equal(terminal.written, written, "nothing is written after it");
  }
});

Deno.test("a terminal that takes nothing any more is told of", async () => {
  const terminal = new FakeTerminal();
  const screen = new FullScreen(terminal);
  terminal.fails = true;
  screen.paint(["a"]);
  await Promise.resolve();
  await Promise.resolve();
  assert.match(String(screen.failure), /gone/);
  screen.close();
});
