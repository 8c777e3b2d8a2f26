/** Single cases of folding: places of faults, layouts that lines cannot tell, aliases, bytes in a ConfigMap. */
import assert from "node:assert/strict";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import { configMapOf } from "../../../../lib/formats/yaml_tree/config_map.ts";
import { foldTrees, type TreeFile, type TreeFolder } from "../../../../lib/formats/yaml_tree/fold.ts";
import { mergeDeep } from "../../../../lib/formats/yaml_tree/merge.ts";
import { printFolded } from "../../../../lib/formats/yaml_tree/print_folded.ts";

const file = (name: string, text: string): TreeFile => ({
  kind: "file",
  name,
  source: new SourceText(name, text),
});
const tree = (...entries: TreeFile[]): TreeFolder => ({ kind: "folder", name: "", path: ".", entries });
const fold = (...entries: TreeFile[]) => printFolded(foldTrees([tree(...entries)]));
const deep = (...entries: TreeFile[]) => printFolded(foldTrees([tree(...entries)], { rules: mergeDeep }));

Deno.test("a key in two files: both places, also in JSON5", () => {
  assert.throws(
    () => fold(file("a.json5", "// x\n{\n  b: 1,\n  'k': {}, }"), file("b.yaml", "x: 1\n\nk: 2\n")),
    /^UserError: b\.yaml:3:1: key "k" is in a\.json5:4:3 already, want it once\n {2}k: 2\n {2}\^$/,
  );
  assert.throws(() => fold(file("a.json5", "// x\n\n  [1]")), /a\.json5:3:3: this merges into its folder/);
  assert.throws(() => fold(file("a.json5", "{a: 1, a: 2}")), /a\.json5:1:8: key "a" repeats/);
  assert.throws(() => fold(file("a.yaml", "a: 1\nb: {c: 1, c: 2}\n")), /a\.yaml:2:11: key "c" repeats/);
});

Deno.test("explicit keys, anchors on keys, tags and properties on lines of their own stay as they are", () => {
  const text = "? a\n: b: 1\n\n&k c: 1\n!!str d: !own {x: 1}\n\ne: &v !!seq\n  - *k\n\nf:\n  !!map\n  g: 1\n";
  assert.equal(fold(file("a.yaml", text)), text);
  assert.equal(
    deep(file("a.yaml", "a: &x !t # c\n  b: 1\n"), file("b.yaml", "a:\n  c: 2\n")),
    "a: &x !t # c\n  b: 1\n  c: 2\n",
  );
});

Deno.test("flow mappings open when another merges into them", () => {
  const text = deep(
    file("a.yaml", "a: {b: {c: 1}, d: [1,\n  2]} # beside\n"),
    file("b.yaml", "a:\n  b: {e: 'x'}\n"),
  );
  assert.equal(text, "a: # beside\n  b:\n    c: 1\n    e: 'x'\n  d: [1,\n    2]\n");
  const tagged = "a: {b: !own &x {c: 1}, d: *x}\n";
  assert.equal(
    deep(file("a.yaml", tagged), file("b.yaml", "a: # too\n  b:\n    e: 2\n  d: 3\n")),
    "a: # too\n  b: &x !own\n    c: 1\n    e: 2\n  d: 3\n",
  );
  const anchored = (text: string) => deep(file("a.yaml", "a: &x {b: 1}\n"), file("b.yaml", text));
  assert.equal(anchored("a: &y\n  c: 2\n"), "a: &x\n  b: 1\n  c: 2\n");
  assert.throws(
    () => anchored("a: &y\n  c: 2\nd: *y\n"),
    /b\.yaml:3:1: this value cannot be read behind the others/,
  );
  assert.throws(
    () => deep(file("a.yaml", tagged), file("b.yaml", "a:\n  b: !else\n    e: 2\n")),
    /b\.yaml:2:3: key "b": "!else" cannot become one with "!own", want the same tag/,
  );
  assert.equal(deep(file("a.yaml", "a: {}\n"), file("b.yaml", "a: {b: 1}\n")), "a:\n  b: 1\n");
});

Deno.test("aliases: kept in their file, refused where they would meet another anchor or none", () => {
  assert.equal(
    fold(file("a.yaml", "a: &x 1\nb: *x\n"), file("b.yaml", "c: &x 2\nd: *x\n")),
    "a: &x 1\nb: *x\nc: &x 2\nd: *x\n",
  );
  assert.throws(
    () => deep(file("a.yaml", "b: 1\na: 1\n"), file("b.yaml", "a: &x 2\nb: *x\n")),
    /^UserError: b\.yaml:2:1: this value cannot be read behind the others: .*\n {2}b: \*x\n {2}\^$/i,
  );
  assert.throws(
    () => deep(file("a.yaml", "o: &x 0\nb: 1\na: 1\n"), file("b.yaml", "a: &x 2\nb: *x\n")),
    /b\.yaml:2:1: this value means something else among the other files/,
  );
  assert.throws(
    () => deep(file("a.yaml", "o: &x {p: 1}\na: *x\n"), file("b.yaml", "a: {q: 1}\n")),
    /a\.yaml:2:1: key "a": an alias or explicit key cannot merge/,
  );
});

Deno.test("line ends, marks and directives", () => {
  assert.equal(fold(file("a.yaml", "%YAML 1.2\r\n---\r\na: |\r\n  x\r\n  y\r\n...\r\n")), "a: |\n  x\n  y\n");
  assert.throws(() => fold(file("a.yaml", "a: 1\n---\nb: 2\n")), /a\.yaml:2:1: a second document/);
  assert.throws(() => fold(file("a.yaml", 'a: "x\ry"\n')), /a\.yaml:1:6: a lone carriage return/);
  assert.throws(
    () => fold(file("a.yaml", "%TAG !e! tag:e.org,1:\n---\na: !e!x 1\n")),
    /a\.yaml:1:1: a %TAG directive/,
  );
  assert.equal(fold(file("a.yaml", "# only\n")), "# only\n{}\n");
  assert.equal(
    fold(file("a.yaml", "a: |+\n  x\n\n"), file("b.yaml", "\n# c\nb: 1\n")),
    "a: |+\n  x\n\n# c\nb: 1\n",
  );
});

Deno.test("a ConfigMap holds bytes that are no text apart, and no more than it may", () => {
  const bytes: TreeFile = { ...file("logo.png", ""), bytes: new Uint8Array([0xFF, 0, 1]) };
  const text = printFolded(configMapOf([tree(bytes, file("yes", "no"))], { name: "app" }));
  assert.equal(
    text,
    'apiVersion: v1\nkind: ConfigMap\n\nmetadata:\n  name: app\n\ndata:\n  "yes": "no"\n\nbinaryData:\n  logo.png: "/wAB"\n',
  );
  const large = file("large.txt", "x".repeat(1024 * 1024 + 1));
  assert.throws(
    () => configMapOf([tree(large)], { name: "app" }),
    /"large\.txt": with it the data has more than 1048576/,
  );
  assert.throws(
    () => configMapOf([tree(bytes), tree(file("logo.png", "x"))], { name: "app" }),
    /logo\.png: key "logo\.png" is in logo\.png already/,
  );
});
