/** The flags of `mdg monitor gateway` → its sampler. */
import { UserError } from "../../base/errors.ts";
import type { World } from "../../cli/command.ts";
import { passwordOf } from "../../cli/passwords.ts";
import type { MonitorOptions, Sampler } from "../monitor.ts";
import { GatewaySampler } from "./gateway_sampler.ts";
import { HealthPort } from "./health_port.ts";

export interface GatewayFlags {
  "token-file"?: string;
  "stale-after": number;
}

const DEFAULT_ADDRESS = "127.0.0.1:9090";

/** @throws UserError (exit 2) */
export async function openGatewaySampler(
  world: World,
  flags: GatewayFlags,
  args: readonly string[],
  { timeout_ms }: MonitorOptions,
): Promise<Sampler> {
  const [address = DEFAULT_ADDRESS, ...more] = args;
  if (more.length > 0) {
    throw new UserError(`monitor ${1 + more.length} gateways: want one address`, { code: 2 });
  }
  const { url } = new HealthPort({ url: address, clock: world.clock, timeout_ms });
  const token = await passwordOf(world, {
    flag: "ADDRESS",
    url,
    variable: "MDG_HEALTH_TOKEN",
    file_flag: "--token-file",
    file: flags["token-file"],
    ask: false,
  });
  const port = new HealthPort({ url: address, clock: world.clock, timeout_ms, token });
  return new GatewaySampler(port, flags["stale-after"]) as Sampler;
}
