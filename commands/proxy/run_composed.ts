/** A config put together from flags: checked, printed, or run as `mdg run` would. */
import { Metrics } from "../../lib/base/metrics.ts";
import type { ExitCode, World } from "../../lib/cli/command.ts";
import { serveGateway } from "../gateway/serve.ts";

export interface Sections {
  readonly sources: readonly Record<string, unknown>[];
  readonly sinks: readonly Record<string, unknown>[];
  readonly servers: readonly Record<string, unknown>[];
}

/** Passwords are in it for the run, and never in what is printed. */
export async function runComposed(world: World, sections: Sections, is_printed: boolean): Promise<ExitCode> {
  const [{ Gateway }, { permissionsFor }, { composedConfig }, { prepareReclaim }] = await Promise.all([
    import("../../lib/gateway/gateway.ts"),
    import("../../lib/gateway/catalog.ts"),
    import("../../lib/gateway/config_schema.ts"),
    import("../../lib/os/reclaim_memory.ts"),
  ]);
  const config = composedConfig({ ...sections });
  if (is_printed) {
    await world.stdout(JSON.stringify(sections, withoutPasswords, 2) + "\n");
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
  return key === "password" || key === "token" ? undefined : value;
}
