/**
 * The plugin registries, read in this folder only. Each is checked against its family's contract here: a wrong shape or
 * a missing file is a compile error, an unknown name a UserError that lists the known ones.
 */
import { UserError } from "../base/errors.ts";
import type { RevocablePermission } from "../cli/command.ts";
import type { Feed } from "../feeds/feed.ts";
import * as feeds from "../feeds/registry.ts";
import type { MockKind } from "../mocks/mock.ts";
import * as mocks from "../mocks/registry.ts";
import * as servers from "../servers/registry.ts";
import type { ServerKind } from "../servers/server.ts";
import * as sinks from "../sinks/registry.ts";
import type { SinkKind } from "../sinks/sink.ts";
import * as sources from "../sources/registry.ts";
import type { SourceKind } from "../sources/source.ts";

export const FEEDS: Readonly<Record<string, Feed>> = { ...feeds } satisfies Record<string, Feed>;
export const MOCKS: Readonly<Record<string, MockKind>> = { ...mocks } satisfies Record<string, MockKind>;
export const SOURCES: Readonly<Record<string, SourceKind>> = { ...sources } satisfies Record<
  string,
  SourceKind
>;
export const SINKS: Readonly<Record<string, SinkKind>> = { ...sinks } satisfies Record<string, SinkKind>;
export const SERVERS: Readonly<Record<string, ServerKind>> = { ...servers } satisfies Record<
  string,
  ServerKind
>;

/** The plugin of this name, or a UserError (exit 2) that lists what there is. */
export function pick<T>(family: string, registry: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(registry, name)) return registry[name];
  const known = Object.keys(registry).join(", ");
  throw new UserError(`find ${family} ${JSON.stringify(name)}: unknown, want one of ${known}`, { code: 2 });
}

/** What the configured sinks need of the permissions that are otherwise given up. */
export function permissionsFor(sinks: readonly { kind: string }[]): RevocablePermission[] {
  return sinks.flatMap(({ kind }) => [...pick("sink", SINKS, kind).permissions ?? []]);
}
