/**
 * The tenants file: who there is, what each may have, and the hashes of the keys. YAML, JSON5 or JSON, read as strictly as a
 * config: every problem at once, each with its line. Holds no secret, but whoever can write it can let himself in, so a
 * file that anybody may write is refused.
 */
import { z } from "zod";
import { quoted, UserError } from "../../base/errors.ts";
import { locateConfig } from "../../config/locate.ts";
import { ConfigError, ProblemList } from "../../config/problem.ts";
import { type ConfigFormat, formatOf } from "../../config/read_source.ts";
import { resolve } from "../../config/resolve.ts";
import { validate } from "../../config/validate.ts";
import { SourceText } from "../../formats/source_text.ts";
import { KEY_HASH, KEY_ID } from "./api_key.ts";
import { CHANNELS } from "./entitlement.ts";

export const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const DEFAULT_PRIORITY = 5;
export const MAX_TENANTS = 10_000;
const MAX_NAME_CHARS = 255;

const name = z.string().min(1).max(MAX_NAME_CHARS);
const names = (what: string) => z.array(name).min(1).max(1_000).default(["*"]).describe(what);
const when = z.string().refine(
  (text) => !Number.isNaN(Date.parse(text)),
  "want a time such as 2026-11-30T12:00:00Z",
);

const allowance = z.strictObject({
  venues: names("Venues, as configs name them; * stands for any characters"),
  symbols: names("Symbols, such as BTC*; case matters"),
  channels: z.array(z.enum([...CHANNELS, "*"])).min(1).max(20).default(["*"])
    .describe("Channels; status comes with book"),
  max_depth: z.int().min(1).max(1_000_000).optional()
    .describe("Deepest book, levels a side; absent: the whole book too"),
});

export const QUOTAS = {
  connections: z.int().min(1).max(1_000_000).default(100)
    .describe("Open connections, over all workers and nodes"),
  subscriptions: z.int().min(1).max(100_000).default(2_048).describe("Subscriptions of one connection"),
  bytes_per_s: z.int().min(1_024).max(100_000_000_000).default(16_777_216)
    .describe("Bytes per second to all connections together, with bursts of one second's worth"),
  requests_per_s: z.int().min(1).max(10_000).default(50).describe("Messages per second from one connection"),
};

const key = z.strictObject({
  id: z.string().regex(KEY_ID, "must be 6 to 32 lower-case letters and digits"),
  hash: z.string().regex(KEY_HASH, "must be sha256: and 64 hex digits, as `mdg tenant add` writes it"),
  created: when.optional(),
  note: z.string().max(1_000).optional().describe("For people"),
  revoked: when.optional().describe("Since when it is worth nothing; its connections are ended"),
});

const tenant = z.strictObject({
  id: z.string().regex(TENANT_ID, "must be letters, digits, dot, dash and underscore, at most 64"),
  note: z.string().max(1_000).optional().describe("For people"),
  priority: z.int().min(0).max(9).default(DEFAULT_PRIORITY)
    .describe("0 to 9: when memory is short, the lowest are ended first"),
  allow: z.array(allowance).max(1_000)
    .describe("What it may have; one entry that covers a subscription is enough, an empty list is nothing"),
  quotas: z.strictObject(QUOTAS).prefault({}),
  keys: z.array(key).max(1_000).default([]).describe("Made by `mdg tenant add`"),
  revoked: when.optional().describe("Since when the whole tenant is shut out, its JWTs too"),
  revoked_tokens: z.array(z.string().min(1).max(MAX_NAME_CHARS)).max(10_000).default([])
    .describe("`jti` of JWTs that are worth nothing any more"),
});

export const tenantsSchema = z.strictObject({
  version: z.literal(1).default(1).describe("Of this format"),
  tenants: z.array(tenant).max(MAX_TENANTS),
}).superRefine(({ tenants }, context) => {
  const refuse = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const ids = new Set<string>();
  const key_ids = new Set<string>();
  tenants.forEach(({ id, keys }, at) => {
    if (ids.has(id)) refuse(["tenants", at, "id"], `${quoted(id)} is there twice, want one entry a tenant`);
    ids.add(id);
    keys.forEach((one, i) => {
      if (key_ids.has(one.id)) {
        refuse(["tenants", at, "keys", i, "id"], `${quoted(one.id)} is there twice, want each key once`);
      }
      key_ids.add(one.id);
    });
  });
});

export type TenantsFile = z.output<typeof tenantsSchema>;
export type TenantEntry = TenantsFile["tenants"][number];

/** @throws ConfigError with every problem */
export function readTenants(source: SourceText, format: ConfigFormat): TenantsFile {
  const problems = new ProblemList(source);
  const value = locateConfig(source, format);
  const plain = resolve({ value, retyped: new Map() }, tenantsSchema, problems);
  const file = validate(tenantsSchema, plain, value, problems);
  if (file === undefined || problems.size > 0) {
    throw new ConfigError(source.name, problems.sorted(), problems.size);
  }
  return file;
}

/** The file as a text to read: what the watcher hands over. @throws UserError, ConfigError */
export function parseTenants(path: string, text: string): TenantsFile {
  return readTenants(new SourceText(path, text), formatOf(path));
}

/** @throws UserError (exit 2) for a file that anybody may write */
export async function checkTenantsMode(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const { mode } = await Deno.stat(path);
  if (((mode ?? 0) & 0o002) === 0) return;
  throw new UserError(`read tenants ${quoted(path, 200)}: anybody may write it, want mode 0600`, {
    code: 2,
    hint: "chmod 600",
  });
}
