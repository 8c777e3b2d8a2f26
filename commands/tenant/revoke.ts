/**
 * `mdg tenant revoke`: a tenant, one of its keys, or one JWT is worth nothing from now on, and connections that rest on it
 * are ended by every running server. Entries stay in the file, so that it still says who they were.
 */
import { quoted, UserError } from "../../lib/base/errors.ts";
import { defineCommand } from "../../lib/cli/command.ts";
import { checkTenantId, FILE_FLAG } from "./file_flag.ts";

export const tenantRevoke = defineCommand({
  summary: "Shut out a tenant, or one of its keys or tokens",
  description:
    "Running servers end the connections within a second. To let it in again take `revoked` out of the file.",
  arguments: [{ name: "TENANT", doc: "its id", required: true }],
  flags: {
    ...FILE_FLAG,
    key: { type: "text", value: "KEY-ID", doc: "only this key: the part between mdg_ and the second _" },
    "token-id": { type: "text", value: "JTI", doc: "only the JWT with this jti" },
  },
  examples: [
    { command: "mdg tenant revoke acme", doc: "the tenant with all its keys and tokens" },
    { command: "mdg tenant revoke acme --key k3v5t7qa2bzc4", doc: "one key; the others go on" },
  ],
  async run(world, flags, [id]) {
    const [{ editTenants }, { keyIdOf, KEY_ID }, { TENANT_ID }] = await Promise.all([
      import("../../lib/servers/access/edit_tenants.ts"),
      import("../../lib/servers/access/api_key.ts"),
      import("../../lib/servers/access/tenants_file.ts"),
    ]);
    const { key, "token-id": jti } = flags;
    checkTenantId(id, TENANT_ID);
    if (key !== undefined && jti !== undefined) {
      throw new UserError("revoke: both --key and --token-id, want one of them", { code: 2 });
    }
    if (key !== undefined && !KEY_ID.test(key)) {
      // never repeated: it may be the whole key
      const is_key = keyIdOf(key) !== undefined;
      const found = is_key ? "a whole key (it has now been seen: revoke it by its id)" : "no key id";
      throw new UserError(`read "--key": ${found}, want the part between mdg_ and the second _`, { code: 2 });
    }
    const now = new Date(world.clock.now_ms()).toISOString();
    const done = await editTenants(flags.file, world, { may_create: false }, ({ file, text }) => {
      const at = file.tenants.findIndex((one) => one.id === id);
      if (at < 0) {
        throw new UserError(`revoke tenant ${quoted(id)}: not in the file, want one of \`mdg tenant list\``);
      }
      const entry = file.tenants[at];
      if (jti !== undefined) {
        if (entry.revoked_tokens.includes(jti)) return "token was revoked already";
        text.append(["tenants", at, "revoked_tokens"], jti);
        return "token revoked";
      }
      if (key === undefined) {
        if (entry.revoked !== undefined) return `revoked already, since ${entry.revoked}`;
        text.set(["tenants", at, "revoked"], now);
        return "revoked";
      }
      const i = entry.keys.findIndex((one) => one.id === key);
      if (i < 0) throw new UserError(`revoke key ${quoted(key)}: tenant ${quoted(id)} has no such key`);
      if (entry.keys[i].revoked !== undefined) {
        return `key ${key} revoked already, since ${entry.keys[i].revoked}`;
      }
      text.set(["tenants", at, "keys", i, "revoked"], now);
      return `key ${key} revoked`;
    });
    world.stderr(`tenant ${id}: ${done}\n`);
    return 0;
  },
});
