/** The grammar: fixtures written from the specification, the public suite where present, dialects, places, limits. */
import assert from "node:assert/strict";
import { locateJson5 } from "../../../../lib/formats/json5/locate.ts";
import type { Dialect } from "../../../../lib/formats/json5/lexer.ts";
import { duplicateKeys, parseJson5 } from "../../../../lib/formats/json5/parse.ts";
import { SourceText } from "../../../../lib/formats/source_text.ts";
import { SyntaxFault } from "../../../../lib/formats/syntax_error.ts";
import { plainValue } from "./plain_value.ts";

const fixtures = new URL("../../../../fixtures/json5/", import.meta.url);
const suite = new URL("../../../../../shared/data/json5-tests/", import.meta.url);

function read(text: string, dialect: Dialect = "json5"): unknown {
  const document = parseJson5(text, { dialect });
  assert.equal(document.print(), text, "printing the tokens gives the text back");
  return plainValue(locateJson5(document));
}
function fault(text: string, dialect: Dialect = "json5"): SyntaxFault {
  try {
    parseJson5(new SourceText("f.json5", text), { dialect });
  } catch (error) {
    assert.ok(error instanceof SyntaxFault, String(error));
    return error;
  }
  assert.fail(`parsed, but must be refused: ${JSON.stringify(text)}`);
}

Deno.test("legal fixtures parse to their values and print back byte for byte", () => {
  let count = 0;
  for (const { name } of Deno.readDirSync(new URL("legal/", fixtures))) {
    if (!name.endsWith(".json5")) continue;
    const text = Deno.readTextFileSync(new URL(`legal/${name}`, fixtures));
    const wanted = Deno.readTextFileSync(new URL(`legal/${name.slice(0, -1)}`, fixtures));
    assert.deepEqual(read(text), JSON.parse(wanted), name);
    count++;
  }
  assert.equal(count, 5);
});

Deno.test("refused fixtures are refused with a place", () => {
  let count = 0;
  for (const { name } of Deno.readDirSync(new URL("refused/", fixtures))) {
    const error = fault(Deno.readTextFileSync(new URL(`refused/${name}`, fixtures)));
    assert.match(error.message, /^f\.json5:\d+:\d+: [^\n]+\n {2}.*\n {2} *\^$/, name);
    count++;
  }
  assert.equal(count, 32);
});

const present = (() => {
  try {
    return Deno.statSync(suite).isDirectory;
  } catch {
    return false;
  }
})();

Deno.test({
  name: `json5-tests, 113 documents${
    present ? "" : " (SKIPPED: the data folder beside the repository is absent)"
  }`,
  ignore: !present,
  fn() {
    let count = 0;
    for (const folder of Deno.readDirSync(suite)) {
      if (!folder.isDirectory) continue;
      for (const { name } of Deno.readDirSync(new URL(`${folder.name}/`, suite))) {
        const legal = /\.json5?$/.test(name);
        if (!legal && !/\.(js|txt)$/.test(name)) continue;
        count++;
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(
          Deno.readFileSync(new URL(`${folder.name}/${name}`, suite)),
        );
        if (!legal) fault(text);
        else if (name.endsWith(".json")) assert.deepEqual(read(text, "json"), JSON.parse(text), name);
        else read(text);
      }
    }
    assert.equal(count, 113);
  },
});

Deno.test("stricter dialects refuse what they lack", () => {
  assert.deepEqual(read('// c\n{"a": [1, 2,], /* d */ "b": null,}', "jsonc"), { a: [1, 2], b: null });
  for (const text of ["{a: 1}", "['a']", "[+1]", "[.5]", "[5.]", "[0x1]", "[NaN]", '["\\x41"]', "[\v1]"]) {
    fault(text, "jsonc");
    fault(text, "json");
  }
  for (const text of ["// c\n1", "[1,]", '{"a":1,}', '["\t"]', '["\\a"]', "[\u00A01]", "[-]", "[1.]"]) {
    fault(text, "json");
  }
  assert.deepEqual(read('\uFEFF{"a": -1.5e+3}', "json"), { a: -1500 });
  fault('{"a":\uFEFF1}', "json");
});

Deno.test("JSON verdicts and values equal JSON.parse on edited documents", () => {
  const base = '{"a": [1, -2.5e3, "x\\n\\u00e9", true, null], "b": {"c": {}}, "d": []}';
  for (let at = 0; at <= base.length; at++) {
    for (const edit of ["", ",", '"', "0", "-", ".", "e", "{", "]", "\\", "\u0001", " ", "/"]) {
      for (const cut of [0, 1]) {
        const text = base.slice(0, at) + edit + base.slice(at + cut);
        let wanted: unknown;
        try {
          wanted = JSON.parse(text);
        } catch {
          fault(text, "json");
          continue;
        }
        assert.deepEqual(read(text, "json"), wanted, text);
      }
    }
  }
});

Deno.test("a fault shows file, line, column, the line and a caret", () => {
  assert.equal(
    fault("{\r\n  a: 1,\r\n  b: 010,\r\n}").message,
    "f.json5:3:6: number starts with 0: octal and padded numbers are not allowed\n    b: 010,\n       ^",
  );
  assert.match(
    fault("[" + "1,".repeat(500) + "@]").message,
    /^f\.json5:1:1002: .*\n {2}….{1,102}\n {2} +\^$/,
  );
  const leak = fault('{ url: "redis://user:hunter2@host", x: @ }').message;
  assert.ok(!leak.includes("hunter2") && leak.includes("user:*******@host"), leak);
  assert.ok(!fault('["\u001b[31m\n"]').message.includes("\u001b"));
});

Deno.test("nesting stops at its limit, without recursion", () => {
  assert.match(fault("[".repeat(2_000_000)).reason, /deeper than 1000 levels/);
  const deep = 200_000;
  const text = "[".repeat(deep) + "]".repeat(deep);
  const document = parseJson5(text, { max_depth: deep });
  assert.equal(document.nodes.count, deep);
  assert.equal(document.print(), text);
  assert.equal(locateJson5(document).kind, "sequence");
});

Deno.test("duplicate keys are found by meaning, at any depth", () => {
  const text = "{ a: 1, b: { 'c': 1, \\u0063: 2 }, \"a\": 3 }";
  const document = parseJson5(text);
  const places = duplicateKeys(document).map((key) => document.offsetOf(key));
  assert.deepEqual(places, [text.indexOf("\\u0063"), text.indexOf('"a"')]);
});

Deno.test("tree and tokens keep exact text: numerals, quotes, comments, order of integer-like keys", () => {
  const text = "{ '12': 0xDEADBEEFCAFEBABE, /* kept */ b: 1.50, a: 'q' } // end";
  const document = parseJson5(text);
  const written = Array.from(document.children(document.root), (node) => document.textOf(node));
  assert.deepEqual(written, ["'12'", "0xDEADBEEFCAFEBABE", "b", "1.50", "a", "'q'"]);
  assert.equal(document.scalarValue(2), 0xDEADBEEFCAFEBABEn);
  const located = locateJson5(document);
  assert.ok(located.kind === "mapping");
  assert.deepEqual(located.entries.map((entry) => entry.key), ["12", "b", "a"]);
  assert.deepEqual(
    Array.from({ length: document.tokens.count }, (_, i) => document.tokens.textOf(i)).filter((t) =>
      /^\//.test(t)
    ),
    ["/* kept */", "// end"],
  );
});
