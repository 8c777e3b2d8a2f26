/** Opens the access that a config asks for: files read and checked, the ledger connected. */
import { isAbsolute, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { readRedisAddress } from "../../config/redis_address.ts";
import { readFiles, type WatchedFile } from "../watch_files.ts";
import type { Access } from "./access.ts";
import type { AccessConfig } from "./access_config.ts";
import type { KeyResolver } from "./jwks.ts";
import type { JwtConfig } from "./jwt_config.ts";
import { LocalLedger, type QuotaLedger } from "./quota_ledger.ts";
import { TenantAccess } from "./tenant_access.ts";
import { checkTenantsMode, parseTenants } from "./tenants_file.ts";

const MAX_TENANTS_BYTES = 4 * 1024 * 1024;
const MAX_JWKS_BYTES = 262_144;

export interface AccessContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Relative paths start here; default the process's own. */
  readonly cwd?: string;
  /** Whoever passes one keeps it: it is not disposed with the access. Default: what `quotas` says. */
  readonly ledger?: QuotaLedger;
}

/** The ledger that `quotas` asks for; its owner disposes it. */
export async function openLedger(
  { redis, key_prefix }: AccessConfig["quotas"],
  { clock, log, metrics, cwd }: AccessContext,
): Promise<QuotaLedger> {
  if (redis === undefined) return new LocalLedger(clock);
  const { RedisLedger } = await import("./redis_ledger.ts");
  return new RedisLedger(await readRedisAddress(redis, cwd), { clock, log, metrics, key_prefix });
}

/** @throws UserError, ConfigError (exit 2) for files that can't be read or are wrong */
export async function openAccess(config: AccessConfig, context: AccessContext): Promise<Access> {
  const { cwd = Deno.cwd() } = context;
  const { jwt } = config;
  const files: WatchedFile[] = [
    { path: absolute(config.tenants_file, cwd), max_bytes: MAX_TENANTS_BYTES, what: "tenants" },
  ];
  if (jwt?.jwks_file !== undefined) {
    files.push({ path: absolute(jwt.jwks_file, cwd), max_bytes: MAX_JWKS_BYTES, what: "keys" });
  }
  const texts = await readFiles(files);
  await checkTenantsMode(files[0].path);
  const tenants = parseTenants(files[0].path, texts[0]);
  return new TenantAccess({
    ...context,
    ...(jwt && await openVerifier(jwt, context, texts[1], files[1]?.path)),
    tenants,
    ledger: context.ledger ?? await openLedger(config.quotas, context),
    owns_ledger: context.ledger === undefined,
    files,
    texts,
    period_ms: config.check_every_ms,
  });
}

/** Loaded only where tokens are wanted. */
async function openVerifier(jwt: JwtConfig, context: AccessContext, text: string, path: string) {
  const [{ FixedKeys, RemoteKeys }, { JwtVerifier }] = await Promise.all([
    import("./jwks.ts"),
    import("./jwt.ts"),
  ]);
  const verifier = (keys: KeyResolver) => new JwtVerifier(jwt, keys, context.clock);
  if (jwt.jwks_file !== undefined) {
    const fixed_keys = new FixedKeys(path, text);
    return { verifier: verifier(fixed_keys.find), fixed_keys };
  }
  if (jwt.jwks_url !== undefined) {
    const remote_keys = new RemoteKeys(jwt.jwks_url, context);
    remote_keys.prepare();
    return { verifier: verifier(remote_keys.find), remote_keys };
  }
  const secret = new TextEncoder().encode(jwt.hmac_secret);
  return { verifier: verifier(() => Promise.resolve(secret)) };
}

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}
