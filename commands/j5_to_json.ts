/** `mdg j5-to-json`: JSON5 or JSONC as JSON of exactly the same values, or as JSONC with its comments. */
import { defineCommand } from "../lib/cli/command.ts";
import { DELIVERY_FLAGS, INDENT_FLAG } from "../lib/cli/text_files/delivery_flags.ts";

export const j5ToJson = defineCommand({
  summary: "Convert JSON5 to JSON exactly, or say what JSON cannot hold and where",
  description:
    "Big and hexadecimal integers keep every digit. Repeated keys, NaN, Infinity and numbers beyond a double's range " +
    "are refused with their place.",
  arguments: [{ name: "FILE", doc: "JSON5 or JSONC; - is stdin, the default" }],
  flags: {
    ...DELIVERY_FLAGS,
    jsonc: { type: "boolean", doc: "keep comments (the result is JSONC)" },
    ...INDENT_FLAG,
    "non-finite": {
      type: "text",
      value: "WAY",
      choices: ["refuse", "null", "string"],
      default: "refuse",
      doc: "NaN, Infinity and overflowing numbers",
    },
    "big-integers": {
      type: "text",
      value: "WAY",
      choices: ["keep", "string", "refuse"],
      default: "keep",
      doc: "integers that a double does not hold",
    },
  },
  examples: [
    { command: "mdg j5-to-json config.json5 -o config.json", doc: "write a file, whole or not at all" },
    { command: "mdg j5-to-json --jsonc config.json5", doc: "keep the comments" },
  ],
  async run(world, flags, [path = "-"]) {
    const [{ deliver }, { readText }, { formatJson5 }, { parseJson5 }, { jsonSpeller, refuseDuplicates }] =
      await Promise.all([
        import("../lib/cli/text_files/deliver.ts"),
        import("../lib/cli/text_files/read_text.ts"),
        import("../lib/formats/json5/format.ts"),
        import("../lib/formats/json5/parse.ts"),
        import("../lib/formats/json5/spell_json.ts"),
      ]);
    const document = parseJson5(await readText(world, path));
    refuseDuplicates(document);
    const spell = jsonSpeller(document, {
      non_finite: flags["non-finite"] as "refuse" | "null" | "string",
      big_integers: flags["big-integers"] as "keep" | "string" | "refuse",
    });
    const { indent, jsonc } = flags;
    const pieces = formatJson5(document, { indent, spell, comments: jsonc, trailing_commas: false });
    return await deliver(world, flags, pieces);
  },
});
