/** The source sections that a URL stands for. Another mdg is asked for its venues where none is named. */
import { quoted, UserError } from "../../lib/base/errors.ts";
import type { World } from "../../lib/cli/command.ts";

export interface Origin {
  readonly url: string;
  readonly symbols: readonly string[] | undefined;
  readonly venue: string | undefined;
  /** With another mdg: its token. */
  readonly password: string | undefined;
  readonly ca_file: string | undefined;
}

/** Empty only when the command was told to stop while it waited for the other side. */
export async function sourcesOf(world: World, origin: Origin): Promise<Record<string, unknown>[]> {
  const { url, symbols, venue, password, ca_file } = origin;
  const scheme = /^([a-z]+):\/\//.exec(url)?.[1];
  switch (scheme) {
    case "redis":
    case "rediss":
      if (symbols === undefined) {
        throw new UserError(
          `read from ${quoted(url, 200)}: no symbols are named, want --symbols with redis://`,
          {
            code: 2,
            hint: "for example --symbols BTCUSDT,ETHUSDT",
          },
        );
      }
      return [{
        kind: "redis",
        url,
        symbols,
        venue,
        password,
        tls: ca_file === undefined ? undefined : { ca_file },
      }];
    case "ws":
    case "wss": {
      const venues = venue === undefined ? await venuesOf(world, origin) : [venue];
      return venues.map((venue) => ({ kind: "gateway", url, venue, symbols, token: password, ca_file }));
    }
    default:
      throw new UserError(`read "--from": ${quoted(url, 200)}, want redis://, rediss://, ws:// or wss://`, {
        code: 2,
      });
  }
}

async function venuesOf(world: World, { url, password, ca_file }: Origin): Promise<string[]> {
  const [{ findVenues }, { readCa }, { RateLimitedLog }] = await Promise.all([
    import("../../lib/sources/gateway/find_venues.ts"),
    import("../../lib/sources/gateway/read_ca.ts"),
    import("../../lib/base/log.ts"),
  ]);
  const log = new RateLimitedLog(world.log, world.clock);
  return await findVenues({ urls: [url], token: password, ca: await readCa(ca_file, world.cwd) }, {
    ...world,
    onFailure: (reason) => log.warn("wait", "waiting for the other gateway", { url, reason }),
  });
}
