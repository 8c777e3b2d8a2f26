/**
 * Folding generated trees against a model that knows nothing of lines: the same values in the same order, every comment,
 * and the way back and forth again.
 */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { locateJson5 } from "../../../../lib/formats/json5/locate.ts";
import { parseJson5 } from "../../../../lib/formats/json5/parse.ts";
import type { LocatedValue } from "../../../../lib/formats/located.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import { SyntaxFault } from "../../../../lib/formats/syntax_error.ts";
import { locateYaml } from "../../../../lib/formats/yaml/locate.ts";
import { foldTrees, type TreeFile, type TreeFolder } from "../../../../lib/formats/yaml_tree/fold.ts";
import { mergeDeep, replaceWhole } from "../../../../lib/formats/yaml_tree/merge.ts";
import { printFolded } from "../../../../lib/formats/yaml_tree/print_folded.ts";
import { unfoldSource } from "../../../../lib/formats/yaml_tree/unfold_source.ts";
import { is_long, serviceTest } from "../../../services.ts";
import { TreeGenerator } from "./generate_tree.ts";

type Plain = Map<string, Plain> | readonly Plain[] | string | number | bigint | boolean | null;

function plain(value: LocatedValue): Plain {
  if (value.kind === "sequence") return value.items.map(plain);
  if (value.kind === "mapping") return new Map(value.entries.map(({ key, value }) => [key, plain(value)]));
  return value.value;
}
const read = (text: string) => plain(locateYaml(new SourceText("f.yaml", text), { keep_tags: true }));

/** What a tree means, told by its names; `meet` decides on keys that are there already. */
function model(
  folder: TreeFolder,
  into: Map<string, Plain>,
  is_root: boolean,
  meet: (earlier: Plain, later: Plain) => Plain,
): void {
  const rank = ({ name }: TreeFile | TreeFolder) => Number(/^(\d{1,3})[-_]/.exec(name)?.[1] ?? 1e9);
  const sorted = [...folder.entries].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  const put = (key: string, value: Plain) => {
    const earlier = into.get(key);
    into.set(key, earlier === undefined ? value : meet(earlier, value));
  };
  for (const entry of sorted) {
    const bare = entry.name.replace(/^\d{1,3}[-_]/, "");
    if (entry.kind === "folder") {
      if (bare.startsWith("@")) {
        model(entry, into, false, meet);
        continue;
      }
      const inner = new Map<string, Plain>();
      model(entry, inner, false, meet);
      if (inner.size > 0) put(bare, inner);
      continue;
    }
    const [, stem, kind] = /^(.*)\.(\w+)$/.exec(bare)!;
    const { source } = entry;
    if (kind === "txt") {
      put(stem, source.text);
      continue;
    }
    const value = kind === "json5"
      ? plain(locateJson5(parseJson5(source)))
      : plain(locateYaml(source, { keep_tags: true }));
    if (!is_root && !stem.startsWith("@")) put(stem, value);
    else if (value instanceof Map) { for (const [key, one] of value) put(key, one); }
  }
}
function deep(earlier: Plain, later: Plain): Plain {
  if (!(earlier instanceof Map && later instanceof Map)) return later;
  const merged = new Map(earlier);
  for (const [key, value] of later) {
    const before = merged.get(key);
    merged.set(key, before === undefined ? value : deep(before, value));
  }
  return merged;
}
const modelOf = (tree: TreeFolder, meet: (earlier: Plain, later: Plain) => Plain) => {
  const root = new Map<string, Plain>();
  model(tree, root, true, meet);
  return root;
};
/** A key that became a file name comes back without quotes. */
const bareKeys = (text: string) => text.replace(/^( {2})'(k\d+)':/gm, "$1$2:");
const shown = (tree: TreeFolder): string =>
  tree.entries.map((
    one,
  ) => (one.kind === "folder" ? shown(one) : `== ${one.source.name}\n${one.source.text}`)).join("\n");
/** Order counts. */
const ordered = (value: Plain): unknown =>
  value instanceof Map
    ? { map: [...value].map(([key, one]) => [key, ordered(one)]) }
    : Array.isArray(value)
    ? value.map(ordered)
    : value;

function toTree(files: readonly { path: string; text: string }[]): TreeFolder {
  const root: TreeFolder = { kind: "folder", name: "", path: "", entries: [] };
  for (const { path, text } of files) {
    const names = path.split("/");
    let at = root;
    for (const name of names.slice(0, -1)) {
      let inner = at.entries.find((one): one is TreeFolder => one.kind === "folder" && one.name === name);
      if (!inner) at.entries.push(inner = { kind: "folder", name, path: name, entries: [] });
      at = inner;
    }
    at.entries.push({ kind: "file", name: names.at(-1)!, source: new SourceText(path, text) });
  }
  return root;
}

Deno.test("trees with keys of their own: values, order, every comment; back to files and the same text again", () => {
  const random = new Random("fold trees");
  let unfolded = 0;
  let deeper = 0;
  for (let i = 0; i < (is_long ? 2_000 : 60); i++) {
    const tree = new TreeGenerator(random).tree();
    let text = "";
    try {
      text = printFolded(foldTrees([tree]));
      assert.deepEqual(ordered(read(text)), ordered(modelOf(tree, () => assert.fail("keys are unique"))));
      const found = text.match(/note\d+x/g) ?? [];
      assert.deepEqual([...found].sort(), [...shown(tree).match(/note\d+x/g) ?? []].sort());
      for (const depth of [1, 0, 2, 3]) {
        let files;
        try {
          files = unfoldSource(new SourceText("all.yaml", text), depth);
        } catch (error) {
          // A quoted or tagged key, an alias that would leave its anchor: told, not guessed.
          assert.ok(error instanceof SyntaxFault || /share/.test(String(error)), String(error));
          continue;
        }
        unfolded++;
        const again = printFolded(foldTrees([toTree(files)]));
        assert.deepEqual(
          [...again.match(/note\d+x/g) ?? []].sort(),
          [...found].sort(),
          `depth ${depth}: ${again}`,
        );
        assert.deepEqual(ordered(read(again)), ordered(read(text)));
        if (depth < 2) assert.equal(bareKeys(again), bareKeys(text), JSON.stringify(files));
        else if (again === text) deeper++;
      }
    } catch (error) {
      throw new Error(`tree ${i}\n${shown(tree)}\n== folded\n${text}`, { cause: error });
    }
  }
  assert.ok(
    unfolded > 120 && deeper > 20,
    `${unfolded} were unfolded, ${deeper} deeper ones to the same text`,
  );
});

Deno.test("trees whose keys meet: shallow and deep as the model says, refused by default with both places", () => {
  const random = new Random("fold meeting trees");
  let met = 0;
  for (let i = 0; i < (is_long ? 2_000 : 150); i++) {
    const tree = new TreeGenerator(random, ["a", "b", "c", "d", "e"]).tree();
    try {
      for (
        const [rules, meet] of [[replaceWhole, (_: Plain, later: Plain) => later], [mergeDeep, deep]] as const
      ) {
        const text = printFolded(foldTrees([tree], { rules }));
        assert.deepEqual(ordered(read(text)), ordered(modelOf(tree, meet)), text);
      }
      try {
        foldTrees([tree]);
      } catch (error) {
        assert.match((error as Error).message, /^t\/\S+: key "\w" is in t\/\S+ already, want it once(\n|$)/);
        met++;
      }
    } catch (error) {
      throw new Error(`tree ${i}\n${shown(tree)}`, { cause: error });
    }
  }
  assert.ok(met > 40, `${met} trees had keys that meet`);
});

const PYTHON = `
import json, sys, yaml
def plain(node):
    if isinstance(node, yaml.ScalarNode): return node.value
    if isinstance(node, yaml.SequenceNode): return [plain(item) for item in node.value]
    return {"map": [[plain(key), plain(value)] for key, value in node.value]}
print(json.dumps([plain(yaml.compose(text)) for text in json.load(sys.stdin)]))
`;

serviceTest("python_yaml", "a YAML 1.1 reader finds the same texts in folded trees", async (python) => {
  const random = new Random("fold for python");
  const texts: string[] = [];
  for (let i = 0; i < 200; i++) texts.push(printFolded(foldTrees([new TreeGenerator(random).tree()])));
  const child = new Deno.Command(python, { args: ["-c", PYTHON], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(texts)));
  await writer.close();
  const { success, stdout } = await child.output();
  assert.ok(success);
  const found: unknown[] = JSON.parse(new TextDecoder().decode(stdout));
  /** Both with "?" where the value is no text, whose spelling may be anything. */
  const alike = (ours: unknown, theirs: unknown): [unknown, unknown] => {
    if (typeof ours === "string") return [ours, theirs];
    if (typeof ours !== "object" || ours === null) return ["?", typeof theirs === "string" ? "?" : theirs];
    if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
      const pairs = ours.map((one, i) => alike(one, theirs[i]));
      return [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
    }
    const [mine, yours] = [ours as { map?: unknown }, theirs as { map?: unknown }];
    if (!mine.map || !yours?.map) return [ours, theirs];
    return alike(mine.map, yours.map);
  };
  texts.forEach((text, i) => {
    const [ours, theirs] = alike(ordered(read(text)), found[i]);
    assert.deepEqual(theirs, ours, text);
  });
  assert.equal(found.length, 200);
});
