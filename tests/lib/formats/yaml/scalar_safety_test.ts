/**
 * Strings that YAML 1.1 or 1.2 could read as something else come back as the same strings, as values and as keys, from
 * PyYAML (1.1) and from the yaml package (1.2 and 1.1). The public lists are used where present; ours always.
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseJson5 } from "../../../../lib/formats/json5/parse.ts";
import { yamlFromJson5 } from "../../../../lib/formats/yaml/from_json5.ts";
import { printYaml } from "../../../../lib/formats/yaml/print.ts";
import { serviceTest } from "../../../services.ts";

const OURS =
  ("y Y n N yes Yes YES no No NO on On ON off OFF true True false null Null ~ .inf -.Inf .nan .NaN 0777 0o777 0b1 " +
    "0x1F -0x1F 1_000 12:30:45 190:20:30 2024-01-01 2024-01-01T00:00:00Z 1e5 1.e5 1e+5 +1 -1 .5 5. . ._ - ? : , [ ] { } # & * ! " +
    "| > ' \" % @ ` = << --- ... -a ?a :a a: a:b a#b !!int &a *a __proto__ 12 constructor 1st 0 00 1:2 e1 _1")
    .split(" ").concat([
      "",
      " ",
      " lead",
      "trail ",
      "a: b",
      "a #b",
      "a\nb",
      "\n",
      "a\tb",
      "\t",
      "--- a",
      "... b",
      "- a",
      "? a",
      "\u0000\u0001\u001F",
      "\u007F",
      "\u0085",
      "\u009F",
      "\u00A0",
      "\u2028",
      "\u2029",
      "\uFEFF",
      "\uFFFE",
      "\uFFFF",
      "😀é漢",
      "\\",
      "\\n",
      "a".repeat(2_000),
      "a b ".repeat(500),
      "key with spaces: and colon",
    ]);

const shared = new URL("../../../../../shared/data/yaml/", import.meta.url);

function naughty(): string[] {
  const found = [...OURS];
  try {
    found.push(...JSON.parse(Deno.readTextFileSync(new URL("blns.json", shared))) as string[]);
    for (const name of ["schema-core.json", "schema-yaml11.json"]) {
      found.push(...Object.keys(JSON.parse(Deno.readTextFileSync(new URL(name, shared))) as object));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return [...new Set(found)];
}

const strings = naughty();
const wanted = [strings, strings.map((text, i) => ({ [text]: { [text]: `${i}` } }))];
const yaml = [...yamlFromJson5(parseJson5(JSON.stringify(wanted)))].join("");
/** JSON text, so that integer-like and odd keys are compared as they are. */
const same = (value: unknown) => JSON.stringify(value);

for (const version of ["1.1", "1.2"] as const) {
  Deno.test(`${strings.length} naughty strings come back from the yaml package as YAML ${version}`, () => {
    const back = parse(yaml, { version, merge: false, maxAliasCount: 0 }) as typeof wanted;
    back[0].forEach((text, i) =>
      assert.equal(text, strings[i], `string ${i} of ${JSON.stringify(strings[i])}`)
    );
    assert.equal(same(back), same(wanted));
  });
}

const READER = "import sys, json, yaml\n" +
  "sys.stdout.write(json.dumps(yaml.safe_load(sys.stdin.buffer.read())))";

serviceTest(
  "python_yaml",
  `${strings.length} naughty strings come back from PyYAML, ours and printYaml's`,
  async (python) => {
    for (const text of [yaml, printYaml([strings])]) {
      const child = new Deno.Command(python, {
        args: ["-c", READER],
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      const { code, stdout } = await child.output();
      assert.equal(code, 0);
      const back = JSON.parse(new TextDecoder().decode(stdout)) as typeof wanted;
      back[0].forEach((found, i) =>
        assert.equal(found, strings[i], `string ${i}: ${JSON.stringify(strings[i])}`)
      );
      if (back.length > 1) assert.equal(same(back), same(wanted));
    }
  },
);
