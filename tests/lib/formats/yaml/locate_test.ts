/** YAML into located values: places, exact numbers, aliases within bounds, and faults that point. */
import assert from "node:assert/strict";
import type { LocatedValue } from "../../../../lib/formats/located.ts";
import { entryOf } from "../../../../lib/formats/located.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import { SyntaxFault } from "../../../../lib/formats/syntax_error.ts";
import { locateYaml, type LocateYamlOptions } from "../../../../lib/formats/yaml/locate.ts";

function locate(text: string, options: LocateYamlOptions = {}): LocatedValue {
  return locateYaml(new SourceText("f.yaml", text), options);
}
function fault(text: string, options: LocateYamlOptions = {}): string {
  try {
    locate(text, options);
  } catch (error) {
    assert.ok(error instanceof SyntaxFault, String(error));
    return error.message.split("\n")[0];
  }
  assert.fail(`read, but must be refused: ${JSON.stringify(text.slice(0, 80))}`);
}
function at(value: LocatedValue, key: string): LocatedValue {
  assert.ok(value.kind === "mapping");
  return entryOf(value, key)!.value;
}
function scalar(value: LocatedValue): unknown {
  assert.ok(value.kind === "scalar");
  return value.value;
}

Deno.test("scalars read as YAML 1.2 core, keep their text, and stay exact", () => {
  const text =
    "no: no\noct: 0o17\nbig: 12345678901234567890\nsafe: 9007199254740992\nfloat: 1.50\nq: '1'\nnothing:\n12: x\n";
  const value = locate(text);
  assert.equal(scalar(at(value, "no")), "no");
  assert.equal(scalar(at(value, "oct")), 15);
  assert.equal(scalar(at(value, "big")), 12345678901234567890n);
  assert.equal(scalar(at(value, "safe")), 2 ** 53);
  const float = at(value, "float");
  assert.ok(float.kind === "scalar" && float.value === 1.5 && float.text === "1.50");
  assert.equal(scalar(at(value, "q")), "1");
  assert.equal(scalar(at(value, "nothing")), null);
  assert.equal(scalar(at(value, "12")), "x");
});

Deno.test("every node knows its place, behind a byte order mark too", () => {
  const text = "\uFEFFa: 1\r\nlist:\r\n  - x\r\n  - {k: v}\r\n";
  const source = new SourceText("f", text);
  const value = locateYaml(source);
  assert.ok(value.kind === "mapping");
  assert.deepEqual(source.positionAt(value.entries[1].key_offset), { line: 2, column: 1 });
  const list = value.entries[1].value;
  assert.ok(list.kind === "sequence");
  assert.deepEqual(source.positionAt(list.items[1].offset), { line: 4, column: 5 });
  assert.deepEqual(source.positionAt(at(list.items[1], "k").offset), { line: 4, column: 9 });
});

Deno.test("faults point", () => {
  assert.equal(fault("a:\n\tb: 1\n"), "f.yaml:2:1: tab in the indentation: want spaces");
  assert.equal(fault("a: *nope\n"), 'f.yaml:1:4: alias "*nope" has no anchor before it');
  assert.equal(fault("a: &x [*x]\n"), 'f.yaml:1:8: alias "*x" lies inside its own anchor');
  assert.equal(fault("? [a]\n: 1\n"), "f.yaml:1:3: this key is no plain text: want a word");
  assert.match(fault("a: 1\n---\nb: 2\n"), /^f\.yaml:\d:\d: a second document starts/);
  assert.match(fault("%YAML 1.1\n---\na: yes\n"), /want YAML 1\.2$/);
  assert.match(fault("a: !thing x\n"), /^f\.yaml:1:4: unresolved tag: !thing/);
  assert.match(fault('a: "x\n'), /^f\.yaml:\d:\d: missing closing/);
  assert.match(fault("\uFEFFa: b: c\n"), /^f\.yaml:1:5: /);
});

Deno.test("duplicate keys stay visible in the tree", () => {
  const value = locate("a: 1\nb: 2\na: 3\n");
  assert.ok(value.kind === "mapping");
  assert.deepEqual(value.entries.map((entry) => entry.key), ["a", "b", "a"]);
});

Deno.test("depth and alias expansion are bounded", () => {
  assert.match(fault("[".repeat(5_000)), /nesting is deeper than 200 levels$/);
  assert.match(fault("- ".repeat(5_000) + "x"), /nesting is deeper than 200 levels$/);
  assert.equal(locate("[".repeat(200) + "]".repeat(200)).kind, "sequence");
  assert.match(fault("[".repeat(201) + "]".repeat(201)), /deeper than 200 levels$/);
  assert.match(
    fault("a: 1\n" + "[".repeat(1_000), { max_nodes: 100 }),
    /^f\.yaml:2:\d+: more than 800 tokens/,
  );
  let laughs = "a0: &a0 [x, x]\n";
  for (let i = 1; i < 40; i++) laughs += `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]\n`;
  assert.match(fault(laughs), /more than 200000 nodes/);
  let chain = "a0: &a0 [x]\n";
  for (let i = 1; i < 300; i++) chain += `a${i}: &a${i} [*a${i - 1}]\n`;
  assert.match(fault(chain), /deeper than 200 levels with its aliases written out$/);
});

Deno.test("<< merges on request: own keys win, then earlier targets", () => {
  const text = "base: &b {a: 1, b: 2}\nmore: &m {b: 3, c: 4}\nx:\n  <<: [*b, *m]\n  a: 9\n";
  const merged = at(locate(text, { merge_keys: true }), "x");
  assert.ok(merged.kind === "mapping");
  const pairs = merged.entries.map(({ key, value }) => [key, scalar(value)]);
  assert.deepEqual(pairs, [["a", 9], ["b", 2], ["c", 4]]);
  const plain = at(locate(text), "x");
  assert.ok(plain.kind === "mapping");
  assert.equal(plain.entries[0].key, "<<");
  assert.match(fault("x:\n  <<: 5\n", { merge_keys: true }), /^f\.yaml:2:3: "<<" takes a mapping/);
});
