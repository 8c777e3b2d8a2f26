/**
 * A stand-alone proxy: one source, one sink, put together from flags as the ordinary config that `mdg run` takes. What it
 * does beyond that is what a gateway does.
 */
import type { ExitCode, FlagValues, World } from "../../lib/cli/command.ts";
import { passwordOf } from "../../lib/cli/passwords.ts";
import type { PROXY_FLAGS } from "./flags.ts";
import { runComposed } from "./run_composed.ts";
import { sourcesOf } from "./sources.ts";

export async function runProxy(
  world: World,
  flags: FlagValues<typeof PROXY_FLAGS>,
  sink: Record<string, unknown>,
): Promise<ExitCode> {
  const { composedConfig } = await import("../../lib/gateway/config_schema.ts");
  const password = await passwordOf(world, {
    flag: "--from",
    url: flags.from,
    variable: "MDG_FROM_PASSWORD",
    file: flags["from-password-file"],
    ask: flags["ask-passwords"] && flags.from.startsWith("redis"),
  });
  const health = flags["health-listen"];
  const rest = { sinks: [sink], servers: health === undefined ? [] : [{ kind: "health", listen: health }] };
  // What is wrong with the sink is told before anybody is waited for.
  composedConfig({ sources: [{ kind: "simulator" }], ...rest });
  const { from: url, venue } = flags;
  const symbols = flags.symbols.length > 0 ? flags.symbols : undefined;
  const sources = await sourcesOf(world, { url, symbols, venue, password, ca_file: flags["from-ca"] });
  if (sources.length === 0) return 0;
  return await runComposed(world, { sources, ...rest }, flags["print-config"]);
}
