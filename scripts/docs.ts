/**
 * Writes what the documents have from the program itself: docs/configuration.md from the schema of this build, and with
 * `picture` docs/monitor.svg from a screen of `mdg monitor gateway`. Use: deno task docs [picture]
 */
import { configJsonSchema } from "../lib/config/json_schema.ts";
import { Output, processStreams } from "../lib/cli/output.ts";
import { configSchema } from "../lib/gateway/config_schema.ts";
import { configurationReference } from "./configuration_reference.ts";
import { monitorPicture } from "./monitor_picture.ts";

const root = new URL("..", import.meta.url);

/** docs/configuration.md as it has to be. */
export async function configurationPage(): Promise<string> {
  return await formatted(configurationReference(configJsonSchema(configSchema())));
}

/** As `deno fmt` wants markdown of this repository. */
async function formatted(markdown: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext", "md", "-"],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("format docs/configuration.md: deno fmt failed");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const output = new Output(processStreams(), false);
  const write = async (name: string, text: string) => {
    await Deno.writeTextFile(new URL(`docs/${name}`, root), text);
    output.talk(`docs/${name}: ${text.length} characters\n`);
  };
  await write("configuration.md", await configurationPage());
  if (Deno.args.includes("picture")) await write("monitor.svg", await monitorPicture());
}
