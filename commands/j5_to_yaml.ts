/** `mdg j5-to-yaml`: JSON5 as YAML of the same values, with its comments. */
import { defineCommand } from "../lib/cli/command.ts";
import { DELIVERY_FLAGS } from "../lib/cli/text_files/delivery_flags.ts";

export const j5ToYaml = defineCommand({
  summary: "Convert JSON5 to YAML, keeping comments, key order and exact numbers",
  description:
    "Every scalar that YAML 1.1 or 1.2 would misread is quoted. Repeated keys are refused with their place, and so is " +
    "what mdg's own YAML reader would not take.",
  arguments: [{ name: "FILE", doc: "JSON5, JSONC or JSON; - is stdin, the default" }],
  flags: {
    ...DELIVERY_FLAGS,
    "any-size": {
      type: "boolean",
      doc: "write what YAML readers refuse, too: beyond 200 levels, 200,000 values",
    },
  },
  examples: [
    { command: "mdg j5-to-yaml config.json5 -o config.yaml", doc: "write a file, whole or not at all" },
    { command: "mdg j5-to-yaml --check config.json5 -o config.yaml", doc: "is the YAML up to date? for CI" },
  ],
  async run(world, flags, [path = "-"]) {
    const [
      { deliver },
      { readText },
      { parseJson5 },
      { refuseDuplicates },
      { refuseUnreadable, yamlFromJson5 },
      { DEFAULT_MAX_DEPTH },
    ] = await Promise
      .all([
        import("../lib/cli/text_files/deliver.ts"),
        import("../lib/cli/text_files/read_text.ts"),
        import("../lib/formats/json5/parse.ts"),
        import("../lib/formats/json5/spell_json.ts"),
        import("../lib/formats/yaml/from_json5.ts"),
        import("../lib/formats/yaml/compose.ts"),
      ]);
    const document = parseJson5(await readText(world, path), {
      max_depth: flags["any-size"] ? 1_000 : DEFAULT_MAX_DEPTH,
    });
    refuseDuplicates(document);
    if (!flags["any-size"]) refuseUnreadable(document);
    return await deliver(world, flags, yamlFromJson5(document));
  },
});
