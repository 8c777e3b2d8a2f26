/**
 * `mdg tenant add`: a tenant with its first key, or another key for one that is there. The key is printed once, on stdout and
 * alone, so that it can be piped to where it belongs; the file keeps only its hash.
 */
import { quoted, UserError } from "../../lib/base/errors.ts";
import { defineCommand } from "../../lib/cli/command.ts";
import { checkTenantId, FILE_FLAG } from "./file_flag.ts";

const limit = (value: string, max: number, doc: string) =>
  ({ type: "number", value, integer: true, min: 1, max, doc }) as const;

export const tenantAdd = defineCommand({
  summary: "Add a tenant with a key, or another key to one that is there",
  description:
    "The key goes to stdout, once; the file holds only its hash. For a tenant that is there already, no rights may be " +
    "given: change those in the file. A running server takes the change within a second, nobody is disconnected.",
  arguments: [{ name: "TENANT", doc: "its id: letters, digits, dot, dash, underscore", required: true }],
  flags: {
    ...FILE_FLAG,
    allow: {
      type: "list",
      value: "VENUE:SYMBOL:CHANNEL[:DEPTH]",
      doc: "what it may have, * for any characters, + between channels; without it everything",
    },
    priority: {
      type: "number",
      value: "N",
      integer: true,
      min: 0,
      max: 9,
      doc: "when memory is short the lowest are ended first; default 5",
    },
    "max-connections": limit("N", 1_000_000, "open connections, over all nodes; default 100"),
    "max-subscriptions": limit("N", 100_000, "subscriptions of one connection; default 2048"),
    "max-bytes-per-second": {
      ...limit("N", 100_000_000_000, "to all of its connections together; default 16777216"),
      min: 1_024,
    },
    "max-requests-per-second": limit("N", 10_000, "messages from one connection; default 50"),
    note: { type: "text", value: "TEXT", doc: "for people: of the tenant, or of the further key" },
    "jwt-only": { type: "boolean", doc: "no key: the tenant comes with tokens of another issuer" },
  },
  examples: [
    { command: "mdg tenant add acme > acme.key", doc: "everything, with the default limits" },
    {
      command: "mdg tenant add acme --allow 'binance-*:BTC*:book+trades:20' --max-connections 10",
      doc: "20 levels and trades of some symbols",
    },
  ],
  async run(world, flags, [id]) {
    const [{ editTenants }, { makeKey }, { TENANT_ID }, { knownSecrets }] = await Promise.all([
      import("../../lib/servers/access/edit_tenants.ts"),
      import("../../lib/servers/access/api_key.ts"),
      import("../../lib/servers/access/tenants_file.ts"),
      import("../../lib/base/known_secrets.ts"),
    ]);
    checkTenantId(id, TENANT_ID);
    const allow = (flags.allow ?? []).map(allowanceOf);
    const quotas = defined({
      connections: flags["max-connections"],
      subscriptions: flags["max-subscriptions"],
      bytes_per_s: flags["max-bytes-per-second"],
      requests_per_s: flags["max-requests-per-second"],
    });
    const has_rights = allow.length > 0 || flags.priority !== undefined || Object.keys(quotas).length > 0;
    const { id: key_id, key, hash } = makeKey();
    knownSecrets.add(key);
    const created = new Date(world.clock.now_ms()).toISOString();
    const entry = { id: key_id, hash, created };
    const is_new = await editTenants(flags.file, world, { may_create: true }, ({ file, text }) => {
      const at = file.tenants.findIndex((one) => one.id === id);
      if (at < 0) {
        text.append(["tenants"], {
          ...defined({ id, note: flags.note, priority: flags.priority }),
          allow: allow.length > 0 ? allow : [EVERYTHING],
          ...(Object.keys(quotas).length > 0 ? { quotas } : {}),
          ...(flags["jwt-only"] ? {} : { keys: [entry] }),
        });
        return true;
      }
      refuseExisting(file.tenants[at], has_rights, flags["jwt-only"]);
      text.append(["tenants", at, "keys"], { ...entry, ...defined({ note: flags.note }) });
      return false;
    });
    if (!flags["jwt-only"]) await world.stdout(key + "\n");
    world.stderr(saidOf(id, is_new, flags["jwt-only"] ? undefined : key_id, allow.length === 0));
    return 0;
  },
});

const EVERYTHING = { venues: ["*"], symbols: ["*"], channels: ["*"] };

/** "VENUE:SYMBOL:CHANNEL[:DEPTH]"; a symbol may hold colons. @throws UserError (exit 2) */
function allowanceOf(text: string) {
  const [, venue, symbol, channels, depth] =
    /^([^:]+):(.+?):([a-z*]+(?:\+[a-z*]+)*)(?::(\d{1,7}))?$/.exec(text) ?? [];
  if (venue === undefined) {
    throw new UserError(`read "--allow": ${quoted(text)}, want VENUE:SYMBOL:CHANNEL or with :DEPTH`, {
      code: 2,
    });
  }
  return {
    venues: [venue],
    symbols: [symbol],
    channels: channels.split("+"),
    ...(depth === undefined ? {} : { max_depth: Number(depth) }),
  };
}

function refuseExisting(
  { id, revoked }: { id: string; revoked?: string },
  has_rights: boolean,
  jwt_only: boolean,
): void {
  const fail = (reason: string) => new UserError(`add tenant ${quoted(id)}: ${reason}`, { code: 2 });
  if (revoked !== undefined) throw fail("it is revoked, want `revoked` taken out of the file first");
  if (has_rights) throw fail("it is there already, want its rights changed in the file");
  if (jwt_only) throw fail("it is there already, want nothing more for JWTs");
}

function saidOf(id: string, is_new: boolean, key_id: string | undefined, is_everything: boolean): string {
  const key = key_id === undefined ? "no key: JWTs only" : `key ${key_id}; it is shown this once`;
  const rights = is_new && is_everything ? "it may have everything; --allow or the file narrows that\n" : "";
  return `tenant ${id} ${is_new ? "added" : "has another key"}, ${key}\n${rights}`;
}

/** Without what was not given. */
function defined<T extends Record<string, unknown>>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
