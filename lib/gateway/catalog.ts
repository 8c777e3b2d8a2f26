/**
 * The plugin registries, read in this folder only. Each is checked against its family's contract here: a wrong shape or
 * a missing file is a compile error, an unknown name a UserError that lists the known ones.
 */
import { UserError } from "../base/errors.ts";
import type { Feed } from "../feeds/feed.ts";
import * as feeds from "../feeds/registry.ts";

export const FEEDS = { ...feeds } satisfies Record<string, Feed>;

/** The plugin of this name, or a UserError (exit 2) that lists what there is. */
export function pick<T>(family: string, registry: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(registry, name)) return registry[name];
  throw new UserError(
    `find ${family} ${JSON.stringify(name)}: unknown, want one of ${Object.keys(registry).join(", ")}`,
    {
      code: 2,
    },
  );
}
