/** From flags to a sampler: the address is judged here, so that what was asked wrongly is told before anything is opened. */
import type { FlagValues, World } from "../../cli/command.ts";
import { passwordOf } from "../../cli/passwords.ts";
import { readRedisAddress, redisAddressOf } from "../../config/redis_address.ts";
import { redisSettingsOf } from "../../config/redis_flags.ts";
import type { MonitorOptions } from "../monitor.ts";
import type { REDIS_FLAGS } from "./flags.ts";
import { RedisSampler } from "./redis_sampler.ts";

export async function openRedisSampler(
  world: World,
  flags: FlagValues<typeof REDIS_FLAGS>,
  { timeout_ms }: MonitorOptions,
): Promise<RedisSampler> {
  const password = await passwordOf(world, {
    flag: "--url",
    url: flags.url,
    variable: "REDISCLI_AUTH",
    file_flag: "--password-file",
    file: flags["password-file"],
    ask_flag: "--ask-password",
    ask: flags["ask-password"],
  });
  const tls = { ca_file: flags["tls-ca"], cert_file: flags["tls-cert"], key_file: flags["tls-key"] };
  const address = await readRedisAddress(
    redisAddressOf({
      ...redisSettingsOf(flags),
      password,
      sentinel_username: flags["sentinel-user"],
      sentinel_password: world.env.MDG_SENTINEL_PASSWORD || undefined,
      tls: Object.values(tls).some((file) => file !== undefined) ? tls : undefined,
      connect_timeout_ms: Math.max(100, timeout_ms),
      command_timeout_ms: Math.max(100, timeout_ms),
    }),
    world.cwd,
  );
  return new RedisSampler({
    address,
    clock: world.clock,
    ping_period_ms: flags["ping-interval"],
    timeout_ms,
  });
}
