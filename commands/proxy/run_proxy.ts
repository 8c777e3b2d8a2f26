/**
 * A stand-alone proxy: one source, one sink, put together from flags as the ordinary config that `mdg run` takes. What it
 * does beyond that is what a gateway does.
 */
import { Metrics } from "../../lib/base/metrics.ts";
import type { ExitCode, FlagValues, World } from "../../lib/cli/command.ts";
import { passwordOf } from "../../lib/cli/passwords.ts";
import { serveGateway } from "../gateway/serve.ts";
import type { PROXY_FLAGS } from "./flags.ts";
import { sourcesOf } from "./sources.ts";

export async function runProxy(
  world: World,
  flags: FlagValues<typeof PROXY_FLAGS>,
  sink: Record<string, unknown>,
): Promise<ExitCode> {
  const [{ Gateway }, { permissionsFor }, { composedConfig }, { prepareReclaim }] = await Promise.all([
    import("../../lib/gateway/gateway.ts"),
    import("../../lib/gateway/catalog.ts"),
    import("../../lib/gateway/config_schema.ts"),
    import("../../lib/os/reclaim_memory.ts"),
  ]);
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
  const sources = await sourcesOf(world, { url, symbols, venue, password });
  if (sources.length === 0) return 0;
  const config = composedConfig({ sources, ...rest });
  if (flags["print-config"]) {
    await world.stdout(JSON.stringify({ sources, ...rest }, withoutPasswords, 2) + "\n");
    return 0;
  }
  prepareReclaim();
  world.restrict(permissionsFor(config.sinks));
  const gateway = await Gateway.start(config, {
    clock: world.clock,
    log: world.log,
    metrics: new Metrics(),
    version: world.version,
    seed: crypto.randomUUID(),
  });
  for (const server of gateway.servers) world.log.info("listening", { server: server.name, url: server.url });
  return await serveGateway(world, gateway);
}

function withoutPasswords(key: string, value: unknown): unknown {
  return key === "password" ? undefined : value;
}
