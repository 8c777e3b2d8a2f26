/**
 * JSON5 to YAML and back over generated documents: values exact (big integers, negative zero, order of integer-like
 * keys), every comment still there, and the converters' fixed points.
 */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { locateJson5 } from "../../../../lib/formats/json5/locate.ts";
import { duplicateKeys, parseJson5 } from "../../../../lib/formats/json5/parse.ts";
import { TokenKind } from "../../../../lib/formats/json5/tokens.ts";
import type { LocatedValue } from "../../../../lib/formats/located.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import { refuseUnreadable, yamlFromJson5 } from "../../../../lib/formats/yaml/from_json5.ts";
import { locateYaml } from "../../../../lib/formats/yaml/locate.ts";
import { json5FromYaml } from "../../../../lib/formats/yaml/to_json5.ts";
import { is_long } from "../../../services.ts";
import { generateJson5 } from "../json5/generate_json5.ts";

const toYaml = (text: string) => [...yamlFromJson5(parseJson5(text))].join("");
const toJson5 = (text: string) => [...json5FromYaml(new SourceText("f.yaml", text))].join("");

/** Values with their order and exact numbers, without places. */
function exact(value: LocatedValue): unknown {
  if (value.kind === "sequence") return value.items.map(exact);
  if (value.kind === "mapping") {
    return { entries: value.entries.map(({ key, value }) => [key, exact(value)]) };
  }
  return value.value;
}

/** The same document with comments of many shapes, a unique word in each; `texts` are what a reader sees of them. */
function withNamedComments(random: Random, text: string): { text: string; texts: string[] } {
  const { tokens } = parseJson5(text);
  const texts: string[] = [];
  let named = "";
  const words = () => {
    const extra = random.pick([
      "",
      " #no end",
      " // nor here",
      " - a: b",
      " *",
      "  two",
      " é😀",
      " 'q\"",
      " /*",
      " \t{[",
      "--- x",
    ]);
    return `note${texts.length}x${extra}`;
  };
  for (let i = 0; i < tokens.count; i++) {
    const kind = tokens.kindAt(i);
    if (kind !== TokenKind.line_comment && kind !== TokenKind.block_comment) {
      named += tokens.textOf(i);
      continue;
    }
    const first = words();
    const more = Array.from({ length: random.integer(0, 2) }, words);
    if (kind === TokenKind.line_comment) {
      named += `//${random.pick(["", " ", "  "])}${first}`;
      texts.push(seen(first));
    } else {
      const [open, start, close] = random.pick([["/*", " ", "*/"], ["/**\n", " * ", "\n */"], [
        "/* ",
        "   ",
        "\r\n*/",
      ]]);
      named += `${open}${[first, ...more].map((line) => start + line).join("\n")}${close}`;
      texts.push(seen([first, ...more].join(" ")));
    }
  }
  return { text: named, texts };
}
const seen = (text: string) => text.replace(/\s+/g, " ").trim();
/** The text of all comments, one after the other, without what marks them. */
function commentText(text: string): string {
  const { tokens } = parseJson5(text);
  const found: string[] = [];
  for (let i = 0; i < tokens.count; i++) {
    const kind = tokens.kindAt(i);
    assert.notEqual(kind, TokenKind.block_comment, "YAML has none");
    if (kind === TokenKind.line_comment) found.push(tokens.textOf(i).slice(2));
  }
  // Comments that share a line in YAML stay apart by a "#".
  return seen(found.join(" ").replace(/(?<=\s)#(?=\s|\/\/|#)/g, " "));
}

Deno.test("generated documents: YAML means the same, and the way back keeps every comment", () => {
  const random = new Random("json5 yaml round trip");
  let done = 0;
  for (let i = 0; done < (is_long ? 50_000 : 1_000); i++) {
    const { text, texts } = withNamedComments(random, generateJson5(random));
    const document = parseJson5(text);
    if (duplicateKeys(document).length > 0) continue;
    done++;
    const wanted = exact(locateJson5(document));
    const yaml = toYaml(text);
    const context = `${JSON.stringify(text)}\n${yaml}`;
    let back: string;
    try {
      assert.deepEqual(exact(locateYaml(new SourceText("f.yaml", yaml))), wanted);
      back = toJson5(yaml);
    } catch (error) {
      throw new Error(context, { cause: error });
    }
    assert.deepEqual(exact(locateJson5(parseJson5(back))), wanted, context);
    const comments = commentText(back);
    for (const one of texts) assert.ok(comments.includes(one), `${one}\n${context}${back}`);
    assert.equal(
      comments.match(/note\d+x/g)?.length ?? 0,
      texts.join(" ").match(/note\d+x/g)?.length ?? 0,
      context + back,
    );
    // A comment may find a better line on its further ways, but its text and order stay, and it comes to rest.
    let [last, next, ways] = [back, toJson5(toYaml(back)), 1];
    for (; next !== last && ways < 9; ways++) [last, next] = [next, toJson5(toYaml(next))];
    assert.equal(commentText(next), comments, context + back);
    assert.ok(ways <= 4, `${ways} ways: ${context}${next}`);
  }
});

Deno.test("comments, blank lines and order are carried where a reader expects them", () => {
  const json5 = `// head
{
  // own
  a: 1, // behind
  "12": 0x1F,

  list: [ // opens
    /* lead */ { x: 1 },
    -0, 9007199254740993, Infinity,
  ],
}
`;
  const yaml = `# head

# own
a: 1 # behind
"12": 0x1F

list: # opens
  # lead
  - x: 1
  - -0.0
  - 9007199254740993
  - .inf
`;
  assert.equal(toYaml(json5), yaml);
});

Deno.test("repeated keys and aliases: refused with a place, written out", () => {
  assert.throws(() => toJson5("a: 1\nb: 2\na: 3\n"), /f\.yaml:3:1: key "a" repeats/);
  assert.equal(toJson5("a: &x [1]\nb: *x\n").replace(/\s/g, ""), "{a:[1,],b:[1,],}");
});

Deno.test("what is written within the limits is read within the same limits", () => {
  const random = new Random("yaml limits");
  const outcomes = { read: 0, refused: 0 };
  for (let i = 0; i < (is_long ? 50_000 : 2_000); i++) {
    const limits = { max_nodes: random.integer(1, 30), max_depth: random.integer(1, 5) };
    const { text } = withNamedComments(random, generateJson5(random));
    let yaml: string;
    try {
      const document = parseJson5(text, { max_depth: limits.max_depth });
      if (duplicateKeys(document).length > 0) continue;
      refuseUnreadable(document, limits.max_nodes);
      yaml = [...yamlFromJson5(document)].join("");
    } catch (error) {
      assert.match(
        (error as Error).message,
        /^<text>:\d+:\d+: (more than \d+ values|nesting is deeper than \d levels)/,
      );
      outcomes.refused++;
      continue;
    }
    locateYaml(new SourceText("f.yaml", yaml), limits);
    outcomes.read++;
  }
  assert.ok(outcomes.read > 200 && outcomes.refused > 200, JSON.stringify(outcomes));
});

Deno.test("at the limits as they are", () => {
  const flat = (count: number) => `[${"1,".repeat(count - 2)}1]`;
  refuseUnreadable(parseJson5(flat(200_000)));
  assert.throws(() => refuseUnreadable(parseJson5(flat(200_001))), /more than 200000 values/);
  const comments = "// c\n".repeat(200_000);
  assert.throws(
    () => refuseUnreadable(parseJson5(`${comments}1`)),
    /<text>:200001:1: more than 200000 values/,
  );
  if (!is_long) return;
  locateYaml(new SourceText("f.yaml", toYaml(flat(200_000))));
  const entries = Array.from({ length: 49_000 }, (_, i) => `a${i}: // c\n\n${i}`);
  const mapping = `{${entries.join(",\n\n")}}`;
  refuseUnreadable(parseJson5(mapping));
  locateYaml(new SourceText("f.yaml", toYaml(mapping)));
});
