/** `mdg supervise check FILE`: every problem of a supervise file with its place, and programs that are not there. */
import { reasonOf, UserError } from "../../lib/base/errors.ts";
import { defineCommand, type ExitCode } from "../../lib/cli/command.ts";
import { askingWorld } from "../../lib/cli/read_input.ts";

export const check = defineCommand({
  summary: "Check a supervise file without starting anything",
  description:
    "Exit code 0 when it can be run as it is, 2 for problems of the file, 1 for a program or folder that is not there.",
  arguments: [{ name: "FILE", doc: "The supervise file" }],
  flags: { schema: { type: "boolean", doc: "print the JSON Schema of such files, for editors" } },
  examples: [
    { command: "mdg supervise check supervise.yaml", doc: "before a reload" },
    { command: "mdg supervise check --schema > supervise.schema.json", doc: "for the editor's YAML support" },
  ],
  async run(world, flags, [file]): Promise<ExitCode> {
    const [{ loadSuperviseFile }, { findProgram }, { folderOf }, { fromFolder }] = await Promise.all([
      import("../../lib/supervisor/load_supervise_file.ts"),
      import("../../lib/supervisor/find_program.ts"),
      import("../../lib/supervisor/surroundings.ts"),
      import("../../lib/supervisor/supervisor.ts"),
    ]);
    if (flags.schema) {
      const { superviseJsonSchema } = await import("../../lib/supervisor/config_schema.ts");
      await world.stdout(JSON.stringify(superviseJsonSchema(), null, 2) + "\n");
      return 0;
    }
    if (file === undefined) throw new UserError("read FILE: none, want a supervise file", { code: 2 });
    const { value: config, warnings } = await loadSuperviseFile(file, askingWorld(world));
    for (const { line, path, message } of warnings) world.stderr(`warning: ${line}: ${path}: ${message}\n`);
    const faults = config.apps.flatMap(({ name, script, cwd, env }) => {
      if (script === "mdg") return [];
      try {
        findProgram(script, fromFolder(folderOf(file, world.cwd), cwd), env.PATH ?? world.env.PATH);
        return [];
      } catch (error) {
        return [`app "${name}": ${reasonOf(error)}`];
      }
    });
    for (const fault of faults) world.stderr(`error: ${fault}\n`);
    if (faults.length > 0) return 1;
    const count = config.apps.length;
    await world.stdout(`${file}: valid, ${count} app${count === 1 ? "" : "s"}\n`);
    return 0;
  },
});
