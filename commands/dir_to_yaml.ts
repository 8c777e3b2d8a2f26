/** `mdg dir-to-yaml`: a tree of YAML, JSON5, JSON and text files as one YAML, with its comments. */
import { relative, resolve } from "node:path";
import { quoted, UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";
import { DELIVERY_FLAGS } from "../lib/cli/text_files/delivery_flags.ts";

const MERGES = ["refuse", "shallow", "deep"] as const;

export const dirToYaml = defineCommand({
  summary: "Fold a folder of YAML, JSON5, JSON and text files into one YAML",
  description:
    "Names of folders and files without extension become keys; other files than YAML and JSON become texts. Files of " +
    "DIR itself, and @ files and @ folders anywhere, merge into what they lie in. A prefix NN- or NN_ orders and is " +
    "dropped from the key; dot-files are left out. Comments stay. Several DIRs are layers, the later one above.",
  arguments: [{ name: "DIR", doc: "the folder to fold", required: true, many: true }],
  flags: {
    ...DELIVERY_FLAGS,
    merge: {
      type: "text",
      value: "WAY",
      short: "m",
      choices: MERGES,
      default: "refuse",
      doc: "a key in two files: refuse, or the later file wins, whole (shallow) or key by key (deep)",
    },
    "keep-prefixes": { type: "boolean", doc: "NN- orders but stays in the key" },
    "data-only": { type: "boolean", doc: "leave out files that are neither YAML nor JSON" },
  },
  examples: [
    { command: "mdg dir-to-yaml config.d -o config.yaml", doc: "write a file, whole or not at all" },
    { command: "mdg dir-to-yaml --merge deep base production", doc: "layers: the later one wins" },
    { command: "mdg dir-to-yaml --check config.d -o config.yaml", doc: "is the YAML up to date? for CI" },
  ],
  async run(world, flags, args) {
    const [{ deliver }, { readTree }, { foldTrees }, { printFolded }, merges] = await Promise.all([
      import("../lib/cli/text_files/deliver.ts"),
      import("../lib/cli/text_files/read_tree.ts"),
      import("../lib/formats/yaml_tree/fold.ts"),
      import("../lib/formats/yaml_tree/print_folded.ts"),
      import("../lib/formats/yaml_tree/merge.ts"),
    ]);
    const trees = [];
    for (const path of args) {
      if (flags.output !== undefined && isInside(world.cwd, flags.output, path)) {
        const reason = `it lies in ${quoted(path, 200)} and would be read the next time, want it elsewhere`;
        throw new UserError(`write ${quoted(flags.output, 200)}: ${reason}`, { code: 2 });
      }
      trees.push(await readTree(world.cwd, path, { data_only: flags["data-only"] }));
    }
    const rules = { refuse: merges.refuseTwice, shallow: merges.replaceWhole, deep: merges.mergeDeep };
    const folded = foldTrees(trees, {
      rules: rules[flags.merge as typeof MERGES[number]],
      keep_prefixes: flags["keep-prefixes"],
    });
    return await deliver(world, flags, [printFolded(folded)]);
  },
});

function isInside(cwd: string, file: string, folder: string): boolean {
  const path = relative(resolve(cwd, folder), resolve(cwd, file));
  return file !== "-" && !path.startsWith("..");
}
