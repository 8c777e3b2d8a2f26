/** `mdg j5-format`: JSON5, JSONC and JSON in one layout; comments, blank lines and numerals kept as written. */
import { quoted, UserError } from "../lib/base/errors.ts";
import { defineCommand, type ExitCode, type World } from "../lib/cli/command.ts";
import { INDENT_FLAG } from "../lib/cli/text_files/delivery_flags.ts";
import type { Delivery } from "../lib/cli/text_files/deliver.ts";
import type { FormatOptions } from "../lib/formats/json5/format.ts";

export const j5Format = defineCommand({
  summary: "Format and validate JSON5, JSONC and JSON, keeping comments and numerals",
  description:
    "Reads files, folders (with -R) or stdin (-). A fault in any file stops everything before a file is written. " +
    "Without -r the text goes to stdout or to --output FILE.",
  arguments: [{ name: "FILE", doc: "files or folders; - is stdin, the default", many: true }],
  flags: {
    "no-trailing-commas": { type: "boolean", short: "n", doc: "no comma behind the last item" },
    "one-element-lines": { type: "boolean", short: "o", doc: "containers with one item stay on one line" },
    "sort-arrays": { type: "boolean", short: "s", doc: "sort arrays of scalars that hold no comments" },
    ...INDENT_FLAG,
    replace: { type: "boolean", short: "r", doc: "rewrite the files in place, all or none" },
    recursive: {
      type: "boolean",
      short: "R",
      doc: "format the .json5, .j5, .jsonc and .json files of folders",
    },
    "ignore-file": {
      type: "text",
      value: "FILE",
      default: ".j5ignore",
      doc: "patterns of paths that -R leaves out, one a line, looked for in each given folder",
    },
    "keep-quotes": { type: "boolean", doc: "leave quotes of keys as they are" },
    output: { type: "text", value: "FILE", doc: "write this file instead of stdout" },
    check: { type: "boolean", doc: "write nothing; exit 1 when a file is not formatted" },
    diff: { type: "boolean", doc: "write nothing; print what would change, exit 1 when anything would" },
  },
  examples: [
    { command: "mdg j5-format -r config.json5", doc: "format in place" },
    { command: "mdg j5-format --check -R .", doc: "is everything here formatted? for CI" },
    { command: "mdg j5-format - < in.json5 > out.json5", doc: "as a filter" },
  ],
  async run(world, flags, args) {
    const options = {
      trailing_commas: !flags["no-trailing-commas"],
      collapse_single: flags["one-element-lines"],
      sort_arrays: flags["sort-arrays"],
      indent: flags.indent,
      keep_quotes: flags["keep-quotes"],
    };
    const { listTextFiles } = await import("../lib/cli/text_files/list_text_files.ts");
    const given = args.length > 0 ? args : ["-"];
    const paths = flags.recursive ? await listTextFiles(world.cwd, given, flags["ignore-file"]) : given;
    if (flags.check || flags.diff) return await compareAll(world, flags, paths, options);
    if (flags.replace) return await replaceAll(world, paths, options);
    if (paths.length !== 1) {
      throw new UserError(`format ${paths.length} files: want one, or -r, --check or --diff`, { code: 2 });
    }
    const { deliver } = await import("../lib/cli/text_files/deliver.ts");
    return await deliver(
      world,
      { ...flags, check: false, diff: false },
      (await formatted(world, paths[0], options)).pieces,
    );
  },
});

async function formatted(world: World, path: string, options: FormatOptions) {
  const { dialectOf, readText } = await import("../lib/cli/text_files/read_text.ts");
  const { formatJson5 } = await import("../lib/formats/json5/format.ts");
  const { parseJson5 } = await import("../lib/formats/json5/parse.ts");
  const source = await readText(world, path);
  const dialect = dialectOf(path);
  const document = parseJson5(source, { dialect });
  // JSON has no trailing commas; readers of JSONC disagree about them.
  const trailing_commas = options.trailing_commas && dialect === "json5";
  return { source, pieces: formatJson5(document, { ...options, trailing_commas }) };
}

async function compareAll(
  world: World,
  flags: Pick<Delivery, "check" | "diff">,
  paths: readonly string[],
  options: FormatOptions,
): Promise<ExitCode> {
  const { compare } = await import("../lib/cli/text_files/deliver.ts");
  let worst: ExitCode = 0;
  for (const path of paths) {
    const { source, pieces } = await formatted(world, path, options);
    const code = await compare(world, flags, source.name, source.text, [...pieces].join(""));
    if (code !== 0) worst = code;
  }
  return worst;
}

async function replaceAll(world: World, paths: readonly string[], options: FormatOptions): Promise<ExitCode> {
  const { absolutePath } = await import("../lib/cli/text_files/read_text.ts");
  const { writeWholeFiles } = await import("../lib/os/write_whole_file.ts");
  const changed: { path: string; content: string }[] = [];
  for (const path of paths) {
    if (path === "-") throw new UserError(`replace ${quoted(path)}: stdin, want files`, { code: 2 });
    const { source, pieces } = await formatted(world, path, options);
    const content = [...pieces].join("");
    if (content !== source.text) changed.push({ path: absolutePath(world.cwd, path), content });
  }
  await writeWholeFiles(changed);
  return 0;
}
