/** The view without a terminal: frames and keys in, lines out. */
import assert from "node:assert/strict";
import { widthOf } from "../../../lib/tui/fit_text.ts";
import { shareRows } from "../../../lib/tui/render.ts";
import type { Block, TableBlock } from "../../../lib/tui/screen.ts";
import { View } from "../../../lib/tui/view.ts";

const SIZE = { columns: 80, rows: 24 };

const processes = (names: readonly string[]): TableBlock => ({
  kind: "table",
  title: "Processes",
  columns: [{ name: "name", key: "n", grows: true }, { name: "size", align: "right", key: "s" }],
  sort: { column: "size", descending: true },
  rows: names.map((name, i) => ({ id: name, cells: [name, { text: `${i}k`, order: i * 1_000 }] })),
});

function viewOf(blocks: readonly Block[], color = false): View {
  const view = new View({ color, unicode: true, help: [["q", "quit"]] });
  view.show({ head: "head", corner: "corner", notices: [], blocks, foot: "foot" });
  return view;
}
const shown = (view: View, size = SIZE) => view.render(size).map((line) => line.trimEnd());
const names = (view: View) => shown(view).map((line) => /^[> ](\S+) +\d+k$/.exec(line)?.[1]).filter(Boolean);
const selected = (view: View) => shown(view).find((line) => /^>\S/.test(line))?.slice(1).split(" ")[0];

Deno.test("every line is exactly as wide as the terminal, and there are as many as it has rows, at any size", () => {
  const blocks: Block[] = [
    {
      kind: "facts",
      facts: [{ name: "a", value: "价格" }, { name: "b", value: "x".repeat(200), trend: [1, 2] }],
    },
    { kind: "trends", trends: [{ name: "t", value: "1", series: [1, 2, 3] }] },
    processes(Array.from({ length: 50 }, (_, i) => `name-${i}-价格价格价格`)),
    { kind: "lines", title: "notes", lines: ["one", [{ text: "two", tone: "bad" }]] },
  ];
  for (const color of [false, true]) {
    const view = viewOf(blocks, color);
    for (let columns = 1; columns < 140; columns += 7) {
      for (let rows = 1; rows < 60; rows += 5) {
        const lines = view.render({ columns, rows });
        assert.equal(lines.length, rows);
        // deno-lint-ignore no-control-regex -- colours are taken out to measure the rest
        for (const line of lines) assert.equal(widthOf(line.replaceAll(/\u001b\[[\d;]*m/g, "")), columns);
      }
    }
  }
});

Deno.test("without colours there is no escape sequence, with them each is undone", () => {
  const blocks: Block[] = [{ kind: "lines", lines: [[{ text: "bad", tone: "bad" }, " plain"]] }];
  assert.ok(!viewOf(blocks).render(SIZE).join("").includes("\u001b"));
  const line = viewOf(blocks, true).render(SIZE)[1];
  assert.equal(line.trimEnd(), "\u001b[1;31mbad\u001b[0m plain");
});

Deno.test("tables are sorted as given, by their keys, and the other way round; what has no value is last", () => {
  const table = processes(["a", "c", "b"]);
  const view = viewOf([{ ...table, rows: [...table.rows, { id: "none", cells: ["none", "-"] }] }]);
  const order = () => shown(view).slice(3, 7).map((line) => line.slice(1).split(" ")[0]);
  assert.deepEqual(order(), ["b", "c", "a", "none"]);
  assert.ok(view.onKey("s"));
  assert.deepEqual(order(), ["a", "c", "b", "none"]);
  assert.ok(view.onKey("n"));
  assert.deepEqual(order(), ["a", "b", "c", "none"]);
  view.onKey("/");
  assert.deepEqual(order(), ["none", "c", "b", "a"]);
  view.onKey(">");
  assert.deepEqual(order(), ["b", "c", "a", "none"]);
  assert.equal(view.onKey("z"), false, "a key that means nothing here is the caller's");
});

Deno.test("the selection stays on its row while rows move, and scrolls", () => {
  const many = Array.from({ length: 40 }, (_, i) => `p${i}`);
  const view = viewOf([processes(many)]);
  assert.equal(selected(view), "p39");
  view.onKey("Down");
  assert.equal(selected(view), "p38");
  view.show({ head: "", corner: "", notices: [], foot: "", blocks: [processes(many.toReversed())] });
  assert.equal(selected(view), "p38", "the row moved, the selection with it");
  view.onKey("Home");
  view.onKey("End");
  assert.equal(selected(view), view.selectedRow("Processes"));
  assert.ok(names(view).includes(selected(view)), "it is on the screen");
  view.onKey("PageUp");
  assert.ok(names(view).includes(selected(view)));
  view.show({ head: "", corner: "", notices: [], foot: "", blocks: [processes(["only"])] });
  assert.equal(view.selectedRow("Processes"), "only");
});

Deno.test("a question is answered with yes by y only; other keys are no, and mean nothing else", async () => {
  const view = viewOf([processes(["a"])]);
  for (
    const [key, yes] of [["y", true], ["Y", true], ["n", false], ["q", false], ["Enter", false], [
      "Escape",
      false,
    ]] as const
  ) {
    const answer = view.ask("end it?");
    assert.match(shown(view).at(-1)!, /end it\? y\/N/);
    assert.ok(view.onKey(key));
    assert.equal(await answer, yes, key);
    assert.match(shown(view).at(-1)!, /foot/);
  }
  const first = view.ask("one?");
  const second = view.ask("two?");
  assert.equal(await first, false, "a new question is no answer to the old one");
  view.onKey("y");
  assert.equal(await second, true);
});

Deno.test("help lists keys, those of tables too; any key goes back", () => {
  const view = viewOf([processes(["a"])]);
  view.onKey("?");
  const help = shown(view).join("\n");
  assert.match(help, /q +quit/);
  assert.match(help, /s +sort Processes by size/);
  assert.ok(view.onKey("x"));
  assert.doesNotMatch(shown(view).join("\n"), /quit/);
});

Deno.test("height is shared: small tables whole, large ones the rest, the first ones first when there is too little", () => {
  assert.deepEqual(shareRows([5, 5], 20), [5, 5]);
  assert.deepEqual(shareRows([4, 100], 20), [4, 16]);
  assert.deepEqual(shareRows([100, 100], 20), [10, 10]);
  assert.deepEqual(shareRows([100, 100, 100], 5), [3, 2, 0]);
  assert.deepEqual(shareRows([100], -3), [0]);
  assert.deepEqual(shareRows([7, 9], Infinity), [7, 9]);
});
