/** A tenants file in a folder of its own, an access on it, and an issuer of JWTs, for tests. */
import { exportJWK, generateKeyPair, type GenerateKeyPairResult, SignJWT } from "jose";
import { type Clock, ManualClock } from "../../../../lib/base/clock.ts";
import type { Log, LogFields } from "../../../../lib/base/log.ts";
import { redact } from "../../../../lib/base/redact.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { accessSchema } from "../../../../lib/servers/access/access_config.ts";
import { makeKey, type NewKey } from "../../../../lib/servers/access/api_key.ts";
import { openAccess } from "../../../../lib/servers/access/open_access.ts";
import type { QuotaLedger } from "../../../../lib/servers/access/quota_ledger.ts";
import type { TenantAccess } from "../../../../lib/servers/access/tenant_access.ts";

export const NOW_MS = Date.parse("2026-11-30T12:00:00Z");
export const PEER = { address: "192.0.2.1" };

/** Remembers every line, as the logger would print it. */
export class LogBook implements Log {
  constructor(readonly lines: string[] = [], readonly fields: LogFields = {}) {}
  #add(level: string, message: string, fields: LogFields = {}): void {
    this.lines.push(JSON.stringify(redact({ level, message, ...this.fields, ...fields })));
  }
  trace = (message: string, fields?: LogFields) => this.#add("trace", message, fields);
  debug = (message: string, fields?: LogFields) => this.#add("debug", message, fields);
  info = (message: string, fields?: LogFields) => this.#add("info", message, fields);
  warn = (message: string, fields?: LogFields) => this.#add("warn", message, fields);
  error = (message: string, fields?: LogFields) => this.#add("error", message, fields);
  with = (fields: LogFields) => new LogBook(this.lines, { ...this.fields, ...fields });
}

export interface TenantText {
  id: string;
  keys?: (NewKey & { revoked?: string })[];
  allow?: unknown[];
  quotas?: Record<string, number>;
  priority?: number;
  revoked?: string;
  revoked_tokens?: string[];
}

/** JSON, which is YAML too. */
export function tenantsText(tenants: TenantText[]): string {
  return JSON.stringify({
    version: 1,
    tenants: tenants.map(({ keys = [], allow = [{}], ...rest }) => ({
      ...rest,
      allow,
      keys: keys.map(({ key: _, ...stored }) => stored),
    })),
  });
}

export interface AccessRig {
  access: TenantAccess;
  clock: ManualClock;
  metrics: Metrics;
  log: LogBook;
  path: string;
  /** Writes the file anew and has it read. */
  change(tenants: TenantText[] | string): Promise<void>;
  results(): Record<string, number>;
}

export async function withAccess(
  options: {
    tenants: TenantText[];
    jwt?: Record<string, unknown>;
    ledger?: QuotaLedger;
    /** For what really waits (sockets). */
    clock?: Clock;
    files?: Record<string, string>;
  },
  body: (rig: AccessRig) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-access-" });
  try {
    const path = `${folder}/tenants.json`;
    const write = (text: string) => Deno.writeTextFile(path, text, { mode: 0o600 });
    await write(tenantsText(options.tenants));
    for (const [name, text] of Object.entries(options.files ?? {})) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const clock = new ManualClock(NOW_MS);
    const [metrics, log] = [new Metrics(), new LogBook()];
    const config = accessSchema.parse({ tenants_file: "tenants.json", jwt: options.jwt });
    const { ledger } = options;
    await using access = await openAccess(config, {
      clock: options.clock ?? clock,
      log,
      metrics,
      cwd: folder,
      ledger,
    }) as TenantAccess;
    await body({
      access,
      clock,
      metrics,
      log,
      path,
      async change(tenants) {
        await write(typeof tenants === "string" ? tenants : tenantsText(tenants));
        await access.reload();
      },
      results: () =>
        Object.fromEntries(
          [...metrics.counter("access_authentications_total", "", ["result"]).children.values()]
            .map(({ labels, value }) => [labels[0], value.value]),
        ),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Signs what it is told to, right or wrong. */
export class Issuer {
  private constructor(readonly pair: GenerateKeyPairResult, readonly kid: string, readonly alg: string) {}
  static async create(kid = "key-1", alg = "ES256"): Promise<Issuer> {
    return new Issuer(await generateKeyPair(alg, { extractable: true }), kid, alg);
  }
  async jwk(): Promise<Record<string, unknown>> {
    return { ...await exportJWK(this.pair.publicKey), kid: this.kid, alg: this.alg, use: "sig" };
  }
  async jwks(): Promise<string> {
    return JSON.stringify({ keys: [await this.jwk()] });
  }
  async sign(
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
    key: Parameters<SignJWT["sign"]>[0] = this.pair.privateKey,
  ): Promise<string> {
    const payload = {
      iss: "https://issuer.example",
      aud: "mdg",
      sub: "acme",
      exp: NOW_MS / 1000 + 60,
      ...claims,
    };
    return await new SignJWT(payload).setProtectedHeader({ alg: this.alg, kid: this.kid, ...header }).sign(
      key,
    );
  }
}

export const JWT = {
  issuer: "https://issuer.example",
  audience: "mdg",
  algorithms: ["ES256"],
  jwks_file: "jwks.json",
};
export { makeKey };
