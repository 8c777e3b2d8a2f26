/** `mdg tenant list`: the tenants with their rights and keys, never with a hash. */
import { defineCommand } from "../../lib/cli/command.ts";
import type { TenantEntry } from "../../lib/servers/access/tenants_file.ts";
import { FILE_FLAG } from "./file_flag.ts";

export const tenantList = defineCommand({
  summary: "List the tenants, their rights and their keys",
  flags: { ...FILE_FLAG, json: { type: "boolean", doc: "one JSON array, defaults filled in" } },
  examples: [
    { command: "mdg tenant list", doc: "of tenants.yaml" },
    { command: "mdg tenant list --json | jq '.[].keys[].id'", doc: "ids of all keys" },
  ],
  async run(world, flags) {
    const { loadTenants } = await import("../../lib/servers/access/edit_tenants.ts");
    const { tenants } = await loadTenants(flags.file, world.cwd);
    const shown = tenants.map(({ keys, ...rest }) => ({
      ...rest,
      keys: keys.map(({ hash: _, ...key }) => key),
    }));
    await world.stdout(flags.json ? JSON.stringify(shown, null, 2) + "\n" : shown.map(linesOf).join(""));
    return 0;
  },
});

type Shown = Omit<TenantEntry, "keys"> & { keys: Omit<TenantEntry["keys"][number], "hash">[] };

function linesOf({ id, note, priority, allow, quotas, keys, revoked, revoked_tokens }: Shown): string {
  const { connections, subscriptions, bytes_per_s, requests_per_s } = quotas;
  const lines = [
    `${id}${revoked === undefined ? "" : `  REVOKED ${revoked}`}${said(note)}`,
    `  priority ${priority}, ${connections} connections, ${subscriptions} subscriptions, ` +
    `${bytes_per_s} bytes/s, ${requests_per_s} requests/s`,
    ...allow.map(({ venues, symbols, channels, max_depth }) =>
      `  allow ${venues.join("|")} : ${symbols.join("|")} : ${channels.join("|")}` +
      (max_depth === undefined ? "" : ` : depth ${max_depth}`)
    ),
    ...(allow.length === 0 ? ["  allow nothing"] : []),
    ...keys.map((key) =>
      `  key ${key.id}${key.created === undefined ? "" : `  created ${key.created}`}` +
      `${key.revoked === undefined ? "" : `  REVOKED ${key.revoked}`}${said(key.note)}`
    ),
    ...(revoked_tokens.length > 0 ? [`  ${revoked_tokens.length} revoked tokens`] : []),
  ];
  return lines.join("\n") + "\n";
}

/** One line, whatever it holds. */
function said(note: string | undefined): string {
  return note === undefined ? "" : `  ${JSON.stringify(note)}`;
}
