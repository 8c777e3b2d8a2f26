/** `mdg yaml-to-dir`: one YAML as a tree of files, the reverse of dir-to-yaml. */
import { quoted, UserError } from "../lib/base/errors.ts";
import { defineCommand, type ExitCode, type World } from "../lib/cli/command.ts";
import type { UnfoldedFile } from "../lib/formats/yaml_tree/unfold.ts";

export const yamlToDir = defineCommand({
  summary: "Unfold a YAML into a folder of files that dir-to-yaml folds back",
  description:
    "Mappings of the root become folders, what they hold files; other values of the root share @root.yaml. Blocks of " +
    "text become .txt files. Prefixes NN- appear where names alone would not keep the order. Keys that cannot be file " +
    "names on Linux, macOS and Windows are refused.",
  arguments: [
    { name: "FILE", doc: "YAML, or JSON5, JSONC, JSON by extension; - is stdin", required: true },
    { name: "DIR", doc: "the folder to write, made when it does not exist", required: true },
  ],
  flags: {
    depth: {
      type: "number",
      value: "N",
      short: "d",
      integer: true,
      min: 0,
      max: 20,
      default: 1,
      doc: "levels of mappings that become folders; 0 writes one file",
    },
    replace: { type: "boolean", short: "r", doc: "replace files that exist; others in DIR must not" },
    check: { type: "boolean", doc: "write nothing; exit 1 when DIR is not what would be written" },
    diff: { type: "boolean", doc: "write nothing; print the differences to DIR, exit 1 when there are any" },
  },
  examples: [
    { command: "mdg yaml-to-dir config.yaml config.d", doc: "one file per section and key" },
    { command: "mdg yaml-to-dir --check config.yaml config.d", doc: "are they the same? for CI" },
  ],
  async run(world, flags, [file, folder]) {
    const [{ absolutePath, readText }, { unfoldSource }] = await Promise.all([
      import("../lib/cli/text_files/read_text.ts"),
      import("../lib/formats/yaml_tree/unfold_source.ts"),
    ]);
    const files = unfoldSource(await readText(world, file), flags.depth);
    const extra = await extraFiles(world, folder, files);
    if (flags.check || flags.diff) return await compareAll(world, flags, folder, files, extra);
    if (extra.length > 0 && !flags.replace) {
      const reason = "it exists, want an empty folder or --replace";
      throw new UserError(`write ${quoted(folder, 200)}: ${quoted(extra[0], 200)}: ${reason}`);
    }
    if (extra.length > 0) {
      const reason = `dir-to-yaml would fold it in as well, want it gone`;
      throw new UserError(
        `write ${quoted(folder, 200)}: ${quoted(extra[0], 200)} is not among what is written; ${reason}`,
      );
    }
    const { writeWholeTree } = await import("../lib/os/write_whole_tree.ts");
    await writeWholeTree(absolutePath(world.cwd, folder), files, { replace: flags.replace });
    return 0;
  },
});

/** Files of the folder, dot-files apart, that would not be written; none when there is no folder. */
async function extraFiles(world: World, folder: string, files: readonly UnfoldedFile[]): Promise<string[]> {
  const { absolutePath } = await import("../lib/cli/text_files/read_text.ts");
  const info = await Deno.lstat(absolutePath(world.cwd, folder)).catch(() => undefined);
  if (info === undefined) return [];
  const { readTree } = await import("../lib/cli/text_files/read_tree.ts");
  const { treeFiles } = await import("../lib/formats/yaml_tree/unfold_source.ts");
  const wanted = new Set(files.map(({ path }) => path));
  return treeFiles(await readTree(world.cwd, folder)).map(({ path }) => path).filter((path) =>
    !wanted.has(path)
  );
}

async function compareAll(
  world: World,
  flags: { check: boolean; diff: boolean },
  folder: string,
  files: readonly UnfoldedFile[],
  extra: readonly string[],
): Promise<ExitCode> {
  const { compare, existingText } = await import("../lib/cli/text_files/deliver.ts");
  let worst: ExitCode = 0;
  const all = [...files, ...extra.map((path) => ({ path, text: "" }))];
  for (const { path, text } of all) {
    const name = `${folder}/${path}`;
    const code = await compare(world, flags, name, await existingText(world, name), text);
    if (code !== 0) worst = code;
  }
  return worst;
}
