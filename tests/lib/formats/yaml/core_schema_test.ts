/** The public YAML 1.2 core schema table, where present: every plain scalar is typed as it says, in a file and out of one. */
import assert from "node:assert/strict";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import { coreScalar } from "../../../../lib/formats/yaml/core_scalar.ts";
import { locateYaml } from "../../../../lib/formats/yaml/locate.ts";

const table = new URL("../../../../../shared/data/yaml/schema-core.json", import.meta.url);
const present = (() => {
  try {
    return Deno.statSync(table).isFile;
  } catch {
    return false;
  }
})();

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value !== "number") return "str";
  if (Number.isNaN(value)) return "nan";
  return Number.isFinite(value) ? "number" : "inf";
}

Deno.test({
  name: `YAML core schema table${
    present ? "" : " (SKIPPED: the data folder beside the repository is absent)"
  }`,
  ignore: !present,
  fn() {
    const cases: Record<string, [type: string, code: string, text: string]> = JSON.parse(
      Deno.readTextFileSync(table),
    );
    let count = 0;
    for (const [text, [type]] of Object.entries(cases)) {
      if (text.startsWith("!") || text.startsWith("#")) continue;
      const wanted = type === "int" || type === "float" ? "number" : type;
      const located = locateYaml(new SourceText("f", text));
      assert.ok(located.kind === "scalar");
      assert.equal(typeOf(located.value), wanted, text);
      // Outside a file an empty text is no null.
      if (wanted !== "null") assert.ok(Object.is(coreScalar(text), located.value), text);
      count++;
    }
    assert.ok(count > 100, `only ${count} cases`);
  },
});
