/**
 * JWTs of another issuer, checked by `jose`: signature by an allowed algorithm and a key of the issuer, `iss`, `aud`, `exp`
 * and `nbf`. Algorithms are a list of the config, never the token's choice, and shared secrets never stand beside public
 * keys, so a public key cannot be passed off as a secret. What exactly was wrong goes to the log, not to the client.
 */
import { errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from "jose";
import type { Clock } from "../../base/clock.ts";
import { type KeyResolver, KeysUnavailable } from "./jwks.ts";
import type { JwtConfig } from "./jwt_config.ts";
import type { Credential, Lifetime } from "./tenants.ts";

const MAX_ID_CHARS = 255;

export type JwtVerdict =
  | {
    readonly tenant: string;
    readonly credential: Credential & { kind: "jwt" };
    readonly lifetime: Lifetime;
  }
  | { readonly failed: "unauthorized" | "expired" | "unavailable"; readonly reason: string };

export class JwtVerifier {
  readonly #options: JWTVerifyOptions;

  constructor(readonly config: JwtConfig, readonly keys: KeyResolver, readonly clock: Clock) {
    const { algorithms, issuer, audience, clock_skew_s, tenant_claim } = config;
    this.#options = {
      algorithms: [...algorithms],
      issuer,
      audience,
      clockTolerance: clock_skew_s,
      requiredClaims: ["exp", "iss", "aud", tenant_claim],
    };
  }
  /** Never rejects; waits no longer than the keys take. */
  async verify(token: string): Promise<JwtVerdict> {
    try {
      const currentDate = new Date(this.clock.now_ms());
      const { payload, protectedHeader } = await jwtVerify(token, this.keys, {
        ...this.#options,
        currentDate,
      });
      return this.#read(payload, protectedHeader.kid);
    } catch (error) {
      if (error instanceof KeysUnavailable) return { failed: "unavailable", reason: error.message };
      const failed = error instanceof errors.JWTExpired ? "expired" : "unauthorized";
      return { failed, reason: reasonFor(error) };
    }
  }
  #read(payload: JWTPayload, kid: string | undefined): JwtVerdict {
    const { clock_skew_s, grace_s, tenant_claim } = this.config;
    const tenant = payload[tenant_claim];
    const { jti, exp } = payload;
    if (typeof tenant !== "string" || tenant.length > MAX_ID_CHARS) {
      return { failed: "unauthorized", reason: `claim ${tenant_claim} names no tenant` };
    }
    if (jti !== undefined && (typeof jti !== "string" || jti.length > MAX_ID_CHARS)) {
      return { failed: "unauthorized", reason: "claim jti is no short text" };
    }
    const expires_ms = exp! * 1000;
    const cut_off_ms = expires_ms + (clock_skew_s + grace_s) * 1000;
    return { tenant, credential: { kind: "jwt", jti, kid }, lifetime: { expires_ms, cut_off_ms } };
  }
}

/** The error's code and the claim it is about: never its message, which may quote the token. */
function reasonFor(error: unknown): string {
  if (!(error instanceof errors.JOSEError)) return "not verifiable";
  const claim = error instanceof errors.JWTClaimValidationFailed ? ` (${error.claim})` : "";
  return error.code + claim;
}
