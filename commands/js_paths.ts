/** `mdg js-paths`: every path of a JSON, JSON5 or YAML file in the notations people use, and the value at one. */
import { UserError } from "../lib/base/errors.ts";
import { defineCommand, type World } from "../lib/cli/command.ts";
import type { LocatedValue } from "../lib/formats/located.ts";
import type { PathEntry } from "../lib/formats/paths/list_paths.ts";
import type { SourceText } from "../lib/formats/source_text.ts";

const FORMATS = ["table", "pointer", "jsonpath", "jq", "gron", "json"] as const;

export const jsPaths = defineCommand({
  summary: "List the paths of a JSON, JSON5 or YAML file, or get the value at one",
  description:
    "The table has tab-separated columns: pointer, JSONPath, jq, line:column, type. stdin is read as YAML when " +
    "--yaml is given, else as JSON5.",
  arguments: [{ name: "FILE", doc: ".json, .json5, .jsonc, .yaml or .yml; - is stdin, the default" }],
  flags: {
    get: {
      type: "text",
      value: "PATH",
      short: "g",
      doc: "print the value at this pointer, JSONPath or jq path as JSON",
    },
    raw: { type: "boolean", short: "r", doc: "with --get: a string without its quotes" },
    format: {
      type: "text",
      value: "FORMAT",
      short: "f",
      choices: FORMATS,
      default: "table",
      doc: "what to print for each path",
    },
    leaves: { type: "boolean", short: "l", doc: "only scalars and empty containers" },
    json: { type: "boolean", doc: "the same as --format json: one object a line" },
    yaml: { type: "boolean", doc: "read YAML whatever the file is called" },
    ungron: { type: "boolean", short: "u", doc: "read gron statements and print the JSON they make" },
  },
  examples: [
    { command: "mdg js-paths config.json5", doc: "every path with its line" },
    { command: "mdg js-paths config.yaml --get '.redis.url' -r", doc: "one value" },
    { command: "mdg js-paths -f gron a.json | grep port | mdg js-paths --ungron", doc: "grep a document" },
  ],
  async run(world, flags, [path = "-"]) {
    const [{ readText }, paths] = await Promise.all([
      import("../lib/cli/text_files/read_text.ts"),
      import("../lib/formats/paths/list_paths.ts"),
    ]);
    const source = await readText(world, path);
    if (flags.ungron) {
      const { ungron } = await import("../lib/formats/paths/ungron.ts");
      await world.stdout(`${paths.compactJson(ungron(source))}\n`);
      return 0;
    }
    const root = await located(source, path, flags.yaml);
    if (flags.get !== undefined) {
      const { readPath } = await import("../lib/formats/paths/notation.ts");
      const value = paths.resolvePath(root, readPath(flags.get));
      const is_text = value.kind === "scalar" && typeof value.value === "string";
      await world.stdout(`${flags.raw && is_text ? value.value : paths.compactJson(value)}\n`);
      return 0;
    }
    if (flags.raw) throw new UserError('read "--raw": no --get beside it, want both', { code: 2 });
    const lines = await lineWriter(source, flags.json ? "json" : flags.format as typeof FORMATS[number]);
    await print(world, paths.listPaths(root), flags.leaves, lines);
    return 0;
  },
});

async function located(source: SourceText, path: string, yaml: boolean): Promise<LocatedValue> {
  if (yaml || /\.ya?ml$/i.test(path)) {
    const { locateYaml } = await import("../lib/formats/yaml/locate.ts");
    return locateYaml(source);
  }
  const { dialectOf } = await import("../lib/cli/text_files/read_text.ts");
  const { locateJson5 } = await import("../lib/formats/json5/locate.ts");
  const { parseJson5 } = await import("../lib/formats/json5/parse.ts");
  return locateJson5(parseJson5(source, { dialect: dialectOf(path) }));
}

async function lineWriter(
  source: SourceText,
  format: typeof FORMATS[number],
): Promise<(entry: PathEntry) => string> {
  const { gronOf, jqOf, jsonPathOf, pointerOf } = await import("../lib/formats/paths/notation.ts");
  const { compactJson } = await import("../lib/formats/paths/list_paths.ts");
  const placeOf = (value: LocatedValue) => source.positionAt(value.offset);
  switch (format) {
    case "pointer":
      return ({ path }) => pointerOf(path);
    case "jsonpath":
      return ({ path }) => jsonPathOf(path);
    case "jq":
      return ({ path }) => jqOf(path);
    case "gron":
      return ({ path, value }) => {
        const text = value.kind === "scalar" ? compactJson(value) : value.kind === "mapping" ? "{}" : "[]";
        return `${gronOf(path)} = ${text};`;
      };
    case "json":
      return ({ path, value, type }) =>
        JSON.stringify({
          pointer: pointerOf(path),
          jsonpath: jsonPathOf(path),
          jq: jqOf(path),
          ...placeOf(value),
          type,
        });
    case "table":
      return ({ path, value, type }) => {
        const { line, column } = placeOf(value);
        return [pointerOf(path), jsonPathOf(path), jqOf(path), `${line}:${column}`, type].map(oneLine).join(
          "\t",
        );
      };
  }
}

/** Keys may hold tabs and line ends; a table cell may not. */
function oneLine(cell: string): string {
  return cell.replaceAll("\t", "\\t").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

async function print(
  world: World,
  entries: Iterable<PathEntry>,
  leaves: boolean,
  lineOf: (entry: PathEntry) => string,
): Promise<void> {
  let text = "";
  for (const entry of entries) {
    const { value } = entry;
    const size = value.kind === "mapping"
      ? value.entries.length
      : value.kind === "sequence"
      ? value.items.length
      : 0;
    if (leaves && size > 0) continue;
    text += lineOf(entry) + "\n";
    if (text.length < 1 << 16) continue;
    await world.stdout(text);
    text = "";
    if (world.signal.aborted) return;
  }
  await world.stdout(text);
}
