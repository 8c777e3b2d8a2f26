/** Every notation of a path reads back as the path, and finds the value it was listed with. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { locateJson5 } from "../../../../lib/formats/json5/locate.ts";
import { duplicateKeys, parseJson5 } from "../../../../lib/formats/json5/parse.ts";
import { compactJson, listPaths, resolvePath } from "../../../../lib/formats/paths/list_paths.ts";
import { gronOf, jqOf, jsonPathOf, pointerOf, readPath } from "../../../../lib/formats/paths/notation.ts";
import { ungron } from "../../../../lib/formats/paths/ungron.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import { generateJson5 } from "../json5/generate_json5.ts";

Deno.test("listed paths of generated documents read back and resolve; ungron undoes gron", () => {
  const random = new Random("paths");
  let paths = 0;
  for (let i = 0; i < 1_000; i++) {
    const document = parseJson5(generateJson5(random));
    if (duplicateKeys(document).length > 0) continue;
    const root = locateJson5(document);
    let gron = "";
    for (const { path, value } of listPaths(root)) {
      for (const notation of [jsonPathOf, jqOf, gronOf]) {
        assert.deepEqual(readPath(notation(path)), path, notation(path));
      }
      assert.equal(resolvePath(root, readPath(pointerOf(path))), value);
      assert.equal(resolvePath(root, path), value);
      const text = value.kind === "mapping" ? "{}" : value.kind === "sequence" ? "[]" : compactJson(value);
      gron += `${gronOf(path)} = ${text};\n`;
      paths++;
    }
    assert.equal(compactJson(ungron(new SourceText("gron", gron))), compactJson(root), gron);
  }
  assert.ok(paths > 3_000, `only ${paths} paths`);
});

Deno.test("RFC 6901 and RFC 9535 spellings", () => {
  assert.equal(pointerOf(["a/b", "m~n", 0]), "/a~1b/m~0n/0");
  assert.equal(jsonPathOf(["a'b", "\u000b\n", 1]), "$['a\\'b']['\\u000b\\n'][1]");
  assert.deepEqual(readPath(""), []);
  assert.throws(() => readPath("/a~2"), /~0 and ~1/);
  assert.throws(() => readPath("a.b"), /at character 1/);
});
