/**
 * Which JWTs are taken. Contradictions that have broken other servers cannot be written down: no algorithm by the token's
 * choice, no shared secret beside public keys, no keys over an open line, no second place to take keys from.
 */
import { z } from "zod";
import { markSecret } from "../../config/secret.ts";

const ASYMMETRIC = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
const SHARED = ["HS256", "HS384", "HS512"] as const;
const MIN_SECRET_CHARS = 32;

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function isKeyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));
}

const is_list = { error: "want a text or a list of texts" };
const names = z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(100)], is_list);

export const jwtSchema = z.strictObject({
  issuer: names.describe("What `iss` must be, or one of these"),
  audience: names.describe("What `aud` must hold, or one of these"),
  algorithms: z.array(z.enum([...ASYMMETRIC, ...SHARED])).min(1).max(13)
    .describe("Signatures that are taken, such as [ES256]; a token that names another is refused"),
  jwks_file: z.string().min(1).optional().describe(
    "Public keys of the issuer, a JWK set; read again on change",
  ),
  jwks_url: z.string().refine(isKeyUrl, "must be https:// (http:// on this machine only), without a password")
    .optional().describe("Where the issuer publishes them"),
  hmac_secret: markSecret(
    z.string().min(MIN_SECRET_CHARS),
    "Instead of public keys: the secret that the issuer shares with us, for HS algorithms",
  ).optional(),
  tenant_claim: z.string().min(1).max(100).default("sub").describe("The claim that names the tenant"),
  clock_skew_s: z.int().min(0).max(300).default(5).describe("How far the issuer's clock may be off"),
  grace_s: z.int().min(0).max(600).default(25)
    .describe("How long after its token's end a connection may stay that has not sent a new one"),
}).superRefine(({ algorithms, jwks_file, jwks_url, hmac_secret }, context) => {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  const sources = [jwks_file, jwks_url, hmac_secret].filter((one) => one !== undefined).length;
  if (sources !== 1) {
    refuse("algorithms", "must have keys: exactly one of jwks_file, jwks_url and hmac_secret beside it");
    return;
  }
  const is_shared = (one: string) => one.startsWith("HS");
  const wrong = algorithms.find((one) => is_shared(one) !== (hmac_secret !== undefined));
  if (wrong === undefined) return;
  const wanted = hmac_secret === undefined ? "no HS algorithm beside public keys" : "only HS algorithms";
  refuse("algorithms", `must not have ${wrong} here, want ${wanted}`);
});

export type JwtConfig = z.output<typeof jwtSchema>;
