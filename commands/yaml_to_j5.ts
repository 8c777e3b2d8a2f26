/** `mdg yaml-to-j5`: YAML as JSON5 of the same values, with its comments; the reverse of j5-to-yaml. */
import { defineCommand } from "../lib/cli/command.ts";
import { DELIVERY_FLAGS, INDENT_FLAG } from "../lib/cli/text_files/delivery_flags.ts";

export const yamlToJ5 = defineCommand({
  summary: "Convert YAML to JSON5, keeping comments, key order and exact numbers",
  description:
    "Reads YAML 1.2. Comments become // lines, also those that were block comments before j5-to-yaml. Aliases are " +
    "written out; anchors do not survive. Repeated keys are refused with their place.",
  arguments: [{ name: "FILE", doc: "YAML; - is stdin, the default" }],
  flags: {
    ...DELIVERY_FLAGS,
    ...INDENT_FLAG,
  },
  examples: [{
    command: "mdg yaml-to-j5 config.yaml -o config.json5",
    doc: "write a file, whole or not at all",
  }],
  async run(world, flags, [path = "-"]) {
    const [{ deliver }, { readText }, { json5FromYaml }] = await Promise.all([
      import("../lib/cli/text_files/deliver.ts"),
      import("../lib/cli/text_files/read_text.ts"),
      import("../lib/formats/yaml/to_json5.ts"),
    ]);
    const pieces = json5FromYaml(await readText(world, path), { indent: flags.indent });
    return await deliver(world, flags, pieces);
  },
});
