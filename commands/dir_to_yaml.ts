/** `mdg dir-to-yaml`: a tree of YAML, JSON5, JSON and text files as one YAML, with its comments. */
import { basename, relative, resolve } from "node:path";
import { quoted, UserError } from "../lib/base/errors.ts";
import { defineCommand, type World } from "../lib/cli/command.ts";
import { DELIVERY_FLAGS } from "../lib/cli/text_files/delivery_flags.ts";
import type { ReadTreeOptions } from "../lib/cli/text_files/read_tree.ts";
import type { BlockMap } from "../lib/formats/yaml_tree/block_tree.ts";
import type { TreeFolder } from "../lib/formats/yaml_tree/fold.ts";

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
      doc:
        "a key in two files: refuse (the default), or the later file wins, whole (shallow) or key by key (deep)",
    },
    dialect: {
      type: "text",
      value: "DIALECT",
      choices: ["plain", "compose", "configmap"],
      default: "plain",
      doc:
        "compose: Docker Compose's rules of merging; configmap: a Kubernetes ConfigMap of the files as they are",
    },
    name: { type: "text", value: "NAME", doc: "of the ConfigMap; default the folder's" },
    namespace: { type: "text", value: "NAME", doc: "of the ConfigMap" },
    "keep-prefixes": { type: "boolean", doc: "NN- orders but stays in the key" },
    "data-only": { type: "boolean", doc: "leave out files that are neither YAML nor JSON" },
  },
  examples: [
    { command: "mdg dir-to-yaml config.d -o config.yaml", doc: "write a file, whole or not at all" },
    { command: "mdg dir-to-yaml --merge deep base production", doc: "layers: the later one wins" },
    { command: "mdg dir-to-yaml --dialect configmap conf --name app", doc: "for kubectl apply -f -" },
    { command: "mdg dir-to-yaml --check config.d -o config.yaml", doc: "is the YAML up to date? for CI" },
  ],
  async run(world, flags, args) {
    const configmap = flags.dialect === "configmap";
    refuseIdleFlags(flags, configmap);
    const [{ deliver }, { printFolded }] = await Promise.all([
      import("../lib/cli/text_files/deliver.ts"),
      import("../lib/formats/yaml_tree/print_folded.ts"),
    ]);
    const trees = await readTrees(world, args, flags.output, {
      data_only: flags["data-only"],
      binary: configmap,
    });
    const folded = configmap
      ? await asConfigMap(trees, flags.name ?? basename(resolve(world.cwd, args[0])), flags.namespace)
      : await fold(trees, flags);
    return await deliver(world, flags, [printFolded(folded)]);
  },
});

interface FoldFlags {
  merge: string | undefined;
  dialect: string;
  "keep-prefixes": boolean;
}

function refuseIdleFlags(
  flags: FoldFlags & { name: string | undefined; namespace: string | undefined; "data-only": boolean },
  configmap: boolean,
): void {
  const idle = configmap
    ? { "--merge": flags.merge, "--keep-prefixes": flags["keep-prefixes"], "--data-only": flags["data-only"] }
    : { "--name": flags.name, "--namespace": flags.namespace };
  const given = Object.entries(idle).find(([, value]) => value !== undefined && value !== false)?.[0] ??
    (flags.dialect === "compose" && flags.merge !== undefined ? "--merge" : undefined);
  if (given === undefined) return;
  const wanted = given.startsWith("--name") ? "--dialect configmap" : "another dialect";
  throw new UserError(`read ${quoted(given)}: it means nothing with this dialect, want ${wanted}`, {
    code: 2,
  });
}

async function readTrees(
  world: World,
  paths: readonly string[],
  output: string | undefined,
  options: ReadTreeOptions,
): Promise<TreeFolder[]> {
  const { readTree } = await import("../lib/cli/text_files/read_tree.ts");
  const trees: TreeFolder[] = [];
  for (const path of paths) {
    if (output !== undefined && isInside(world.cwd, output, path)) {
      const reason = `it lies in ${quoted(path, 200)} and would be read the next time, want it elsewhere`;
      throw new UserError(`write ${quoted(output, 200)}: ${reason}`, { code: 2 });
    }
    trees.push(await readTree(world.cwd, path, options));
  }
  return trees;
}

async function fold(trees: readonly TreeFolder[], flags: FoldFlags): Promise<BlockMap> {
  const [{ foldTrees }, merges, compose] = await Promise.all([
    import("../lib/formats/yaml_tree/fold.ts"),
    import("../lib/formats/yaml_tree/merge.ts"),
    import("../lib/formats/yaml_tree/compose_rules.ts"),
  ]);
  const keep_prefixes = flags["keep-prefixes"];
  if (flags.dialect === "compose") {
    const rules = compose.composeRules;
    const folded = foldTrees(trees, { rules, keep_prefixes, spellText: compose.composeText });
    compose.quotePorts(folded);
    return folded;
  }
  const rules = { refuse: merges.refuseTwice, shallow: merges.replaceWhole, deep: merges.mergeDeep };
  const way = (flags.merge ?? "refuse") as typeof MERGES[number];
  return foldTrees(trees, { rules: rules[way], keep_prefixes });
}

async function asConfigMap(
  trees: readonly TreeFolder[],
  name: string,
  namespace: string | undefined,
): Promise<BlockMap> {
  const { configMapOf } = await import("../lib/formats/yaml_tree/config_map.ts");
  return configMapOf(trees, { name, namespace });
}

function isInside(cwd: string, file: string, folder: string): boolean {
  const path = relative(resolve(cwd, folder), resolve(cwd, file));
  return file !== "-" && !path.startsWith("..");
}
