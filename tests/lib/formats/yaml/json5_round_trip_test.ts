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
import { yamlFromJson5 } from "../../../../lib/formats/yaml/from_json5.ts";
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

/** The same document with a unique word in each comment. */
function withNamedComments(text: string): { text: string; words: string[] } {
  const { tokens } = parseJson5(text);
  const words: string[] = [];
  let named = "";
  for (let i = 0; i < tokens.count; i++) {
    const kind = tokens.kindAt(i);
    if (kind !== TokenKind.line_comment && kind !== TokenKind.block_comment) {
      named += tokens.textOf(i);
      continue;
    }
    const word = `note${words.length}x`;
    words.push(word);
    named += kind === TokenKind.line_comment ? `// ${word}` : `/* ${word} */`;
  }
  return { text: named, words };
}
function commentWords(text: string): string[] {
  const { tokens } = parseJson5(text);
  const found: string[] = [];
  for (let i = 0; i < tokens.count; i++) {
    if (tokens.isTrivia(i)) found.push(...tokens.textOf(i).match(/note\d+x/g) ?? []);
  }
  return found;
}

Deno.test("generated documents: YAML means the same, and the way back keeps every comment", () => {
  const random = new Random("json5 yaml round trip");
  let done = 0;
  for (let i = 0; done < (is_long ? 50_000 : 1_000); i++) {
    const { text, words } = withNamedComments(generateJson5(random));
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
    assert.deepEqual(commentWords(back).sort(), [...words].sort(), context + back);
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
