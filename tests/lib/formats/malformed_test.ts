/**
 * Damaged texts through every converter: a result, or a SyntaxFault that names a place; never another error. Counts both
 * outcomes, so the test fails when damage stops being damage.
 */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { formatJson5Text } from "../../../lib/formats/json5/format.ts";
import { parseJson5 } from "../../../lib/formats/json5/parse.ts";
import { jsonSpeller, refuseDuplicates } from "../../../lib/formats/json5/spell_json.ts";
import { ungron } from "../../../lib/formats/paths/ungron.ts";
import { SourceText } from "../../../lib/formats/source_text.ts";
import { SyntaxFault } from "../../../lib/formats/syntax_error.ts";
import { yamlFromJson5 } from "../../../lib/formats/yaml/from_json5.ts";
import { foldTrees, type TreeFolder } from "../../../lib/formats/yaml_tree/fold.ts";
import { printFolded } from "../../../lib/formats/yaml_tree/print_folded.ts";
import { unfoldSource } from "../../../lib/formats/yaml_tree/unfold_source.ts";
import { json5FromYaml } from "../../../lib/formats/yaml/to_json5.ts";
import { is_long } from "../../services.ts";
import { generateJson5 } from "./json5/generate_json5.ts";

const tools: Record<string, (source: SourceText) => unknown> = {
  format: (source) => formatJson5Text(parseJson5(source)),
  "to JSON": (source) => {
    const document = parseJson5(source);
    refuseDuplicates(document);
    JSON.parse(formatJson5Text(document, {
      spell: jsonSpeller(document),
      comments: false,
      trailing_commas: false,
    }));
  },
  "to YAML": (source) => [...yamlFromJson5(parseJson5(source))],
  "from YAML": (source) => [...json5FromYaml(source)],
  ungron: (source) => ungron(source),
  "fold YAML": (source) => printFolded(foldTrees([folder("10-a.yaml", source)])),
  "fold JSON5": (source) => printFolded(foldTrees([folder("a.json5", source)])),
  "unfold": (source) => unfoldSource(source, 2),
};
/** `k/name` in a tree. */
const folder = (name: string, source: SourceText): TreeFolder => ({
  kind: "folder",
  name: "",
  path: "t",
  entries: [{ kind: "folder", name: "k", path: "t/k", entries: [{ kind: "file", name, source }] }],
});
const DEBRIS = [
  "&a ",
  "*a",
  "!!int ",
  "<<: ",
  "? ",
  "|\n",
  "- ",
  "\t",
  "---\n",
  "%YAML 1.1\n",
  "\u0000",
  "\ud800",
  "json.a = ",
];

for (const [name, run] of Object.entries(tools)) {
  Deno.test(`damaged texts, ${name}: a result or a place`, () => {
    const random = new Random(`malformed ${name}`);
    const outcomes = { fine: 0, refused: 0 };
    for (let i = 0; i < (is_long ? 50_000 : 1_000); i++) {
      let text = generateJson5(random, random.chance(0.7));
      if (name === "ungron") text = random.chance(0.5) ? `json.a[${i}] = ${text.replace(/\s/g, "")};` : text;
      else if (random.chance(0.3)) {
        const at = random.integer(0, text.length);
        text = text.slice(0, at) + random.pick(DEBRIS) + text.slice(at);
      }
      try {
        run(new SourceText("f", text));
        outcomes.fine++;
      } catch (error) {
        assert.ok(error instanceof SyntaxFault, `${JSON.stringify(text)}: ${(error as Error).stack}`);
        assert.match(error.message, /^f:\d+:\d+: /);
        outcomes.refused++;
      }
    }
    assert.ok(outcomes.fine > 10 && outcomes.refused > 50, JSON.stringify(outcomes));
  });
}
