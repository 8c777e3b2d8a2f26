/** `mdg config`: check, show and describe configurations without starting anything. Loads the engine only when run. */
import type { ConfigSchema } from "../lib/config/compose_schema.ts";
import type { LoadedConfig } from "../lib/config/load.ts";
import type { Problem } from "../lib/config/problem.ts";
import { UserError } from "../lib/base/errors.ts";
import { askingWorld } from "../lib/cli/read_input.ts";
import { type CommandGroup, defineCommand, defineGroup, type World } from "../lib/cli/command.ts";

const file = {
  name: "FILE",
  doc: "The config: .yaml, .yml, .json5, .jsonc or .json",
  required: true,
} as const;

/** The group for a given schema; tests pass one composed from invented plugins. */
export function configCommands(schema: () => Promise<ConfigSchema>): CommandGroup {
  const check = defineCommand({
    summary: "Check a config and report every problem with its place",
    description:
      "Exit code 0 when the config can be run, 2 when it cannot. Variables are taken from the environment.",
    arguments: [file],
    flags: { json: { type: "boolean", doc: "Print the verdict as JSON" } },
    examples: [
      { command: "mdg config check mdg.yaml", doc: "Every problem as file:line:column: path: message" },
      { command: "mdg config check mdg.json5 --json", doc: "The same for an editor or a pipeline" },
    ],
    async run(world, flags, [path]) {
      if (!flags.json) {
        const loaded = await load(world, await schema(), path);
        await world.stdout(`${path}: valid, ${contents(loaded)}\n`);
        return 0;
      }
      const verdict = await verdictOf(world, await schema(), path);
      await world.stdout(JSON.stringify(verdict, null, 2) + "\n");
      return verdict.valid ? 0 : 2;
    },
  });

  const show = defineCommand({
    summary: "Show a config as it will be run: defaults filled, variables replaced, secrets masked",
    description:
      "The flat form of the older service is shown translated into sections. Masked values cannot be run.",
    arguments: [file],
    flags: { json: { type: "boolean", doc: "Print JSON instead of YAML" } },
    examples: [{ command: "mdg config show mdg.yaml", doc: "What this file amounts to" }],
    async run(world, flags, [path]) {
      const shown = (await load(world, await schema(), path)).masked();
      if (flags.json) {
        await world.stdout(JSON.stringify(shown, null, 2) + "\n");
        return 0;
      }
      const { printYaml } = await import("../lib/formats/yaml/print.ts");
      await world.stdout(printYaml(shown));
      return 0;
    },
  });

  const describe = defineCommand({
    summary: "Print the JSON Schema of the config, for editors",
    flags: {},
    examples: [{
      command: "mdg config schema > mdg.schema.json",
      doc: "Then point the editor's YAML support at it",
    }],
    async run(world) {
      const { configJsonSchema } = await import("../lib/config/json_schema.ts");
      await world.stdout(JSON.stringify(configJsonSchema(await schema()), null, 2) + "\n");
      return 0;
    },
  });

  return defineGroup("Check, show and describe configurations", { check, show, schema: describe });
}

async function load(world: World, schema: ConfigSchema, path: string): Promise<LoadedConfig> {
  const { loadConfig } = await import("../lib/config/load.ts");
  const { problemText } = await import("../lib/config/problem.ts");
  const loaded = await loadConfig(schema, path, askingWorld(world));
  for (const warning of loaded.warnings) world.stderr(`warning: ${problemText(warning)}\n`);
  return loaded;
}

interface Verdict {
  valid: boolean;
  form?: "sectioned" | "flat";
  problems: readonly (Problem | { file: string; message: string })[];
  warnings: readonly Problem[];
}

async function verdictOf(world: World, schema: ConfigSchema, path: string): Promise<Verdict> {
  const { loadConfig } = await import("../lib/config/load.ts");
  const { ConfigError } = await import("../lib/config/problem.ts");
  try {
    const { form, warnings } = await loadConfig(schema, path, askingWorld(world));
    return { valid: true, form, problems: [], warnings };
  } catch (error) {
    if (error instanceof ConfigError) return { valid: false, problems: error.problems, warnings: [] };
    if (!(error instanceof UserError)) throw error;
    return { valid: false, problems: [{ file: path, message: error.message }], warnings: [] };
  }
}

function contents({ config, form }: LoadedConfig): string {
  const count = (items: readonly unknown[], noun: string) =>
    `${items.length} ${noun}${items.length === 1 ? "" : "s"}`;
  const sections = [
    count(config.sources, "source"),
    count(config.sinks, "sink"),
    count(config.servers, "server"),
  ];
  return `${form === "flat" ? "flat keys of the older service" : "sections"}: ${sections.join(", ")}`;
}

export const config: CommandGroup = configCommands(async () => {
  const { configSchema } = await import("../lib/gateway/config_schema.ts");
  return configSchema();
});
