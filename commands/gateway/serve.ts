/**
 * What every command does that runs a gateway: serve until it is told to stop or a finite source has ended, reload the
 * symbols on SIGHUP where there is something to load them from, then drain.
 */
import { reasonOf } from "../../lib/base/errors.ts";
import type { ExitCode, World } from "../../lib/cli/command.ts";
import type { Gateway, GatewayConfig } from "../../lib/gateway/gateway.ts";

/** Until Ctrl-C, SIGTERM, the end of a finite source or `over`; then drains. */
export async function serveGateway(
  world: World,
  gateway: Gateway,
  load?: () => Promise<GatewayConfig>,
  over?: Promise<void>,
): Promise<ExitCode> {
  const stopReload = world.onReload(async () => {
    if (!load) return world.log.warn("nothing to reload: this gateway has no config file");
    try {
      const restart = gateway.reload(await load());
      if (restart.length > 0) world.log.warn("config changed beyond symbols: restart to apply", { restart });
    } catch (error) {
      world.log.error("reload refused, running on as before", { reason: reasonOf(error) });
    }
  });
  const aborted = new Promise<void>((resolve) => {
    if (world.signal.aborted) resolve();
    else world.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    await Promise.race([aborted, gateway.ended, ...over ? [over] : []]);
    return 0;
  } finally {
    stopReload();
    world.log.info("draining");
    await gateway[Symbol.asyncDispose]();
    world.log.info("stopped");
  }
}
