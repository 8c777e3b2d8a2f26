/** From flags to a sampler: what was asked wrongly is told before anything is opened. */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import type { FlagValues, World } from "../../cli/command.ts";
import { passwordOf } from "../../cli/passwords.ts";
import { readPostgresUrl } from "../../wire/postgres/address.ts";
import type { MonitorOptions } from "../monitor.ts";
import type { POSTGRES_FLAGS } from "./flags.ts";
import { PostgresSampler } from "./postgres_sampler.ts";

export async function openPostgresSampler(
  world: World,
  flags: FlagValues<typeof POSTGRES_FLAGS>,
  { timeout_ms }: MonitorOptions,
): Promise<PostgresSampler> {
  const password = await passwordOf(world, {
    flag: "--url",
    url: flags.url,
    variable: "PGPASSWORD",
    file_flag: "--password-file",
    file: flags["password-file"],
    ask_flag: "--ask-password",
    ask: flags["ask-password"],
  });
  const address = readPostgresUrl(flags.url);
  if (!address) {
    const wanted = "want postgres://USER@HOST:PORT/DATABASE, with no other parameter than sslmode";
    throw new UserError(`read "--url": ${quoted(flags.url, 200)}, ${wanted}`, { code: 2 });
  }
  const file = flags["tls-ca"];
  if (file !== undefined && address.ssl_mode !== "verify-full") {
    throw new UserError(
      `read "--tls-ca": sslmode is ${address.ssl_mode}, want ?sslmode=verify-full in the URL`,
      {
        code: 2,
      },
    );
  }
  const ca = file === undefined ? undefined : await readAuthorities(world, file);
  return new PostgresSampler({ address, password, ca, timeout_ms, clock: world.clock });
}

async function readAuthorities(world: World, file: string): Promise<string> {
  try {
    return await Deno.readTextFile(isAbsolute(file) ? file : join(world.cwd, file));
  } catch (error) {
    throw new UserError(`read "--tls-ca": ${quoted(file, 200)}: ${reasonOf(error)}`, {
      code: 2,
      cause: error,
    });
  }
}
