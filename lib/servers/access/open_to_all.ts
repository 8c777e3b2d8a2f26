/** The access of a server without tenants: everybody is welcome under one grant, nothing is counted. */
import type { Access, Grant, GrantLimits, Lease, Verdict } from "./access.ts";
import { DEFAULT_PRIORITY } from "./tenants_file.ts";

const LEASE: Lease = { takeBytes: () => true, retry_after_ms: () => 0, release() {} };

export class OpenAccess implements Access {
  readonly wants_token = false;
  readonly #grant: Grant;

  /** `limits`: those of the server itself; what is absent is without limit. */
  constructor(limits: Partial<GrantLimits> = {}) {
    this.#grant = {
      tenant: "everybody",
      key_id: "none",
      priority: DEFAULT_PRIORITY,
      limits: {
        max_connections: Infinity,
        max_subscriptions: Infinity,
        max_bytes_per_s: Infinity,
        max_requests_per_second: Infinity,
        ...limits,
      },
      refuses: () => undefined,
    };
  }
  /** Whatever the token is: it is not looked at. */
  authenticate(): Promise<Verdict<Grant>> {
    return Promise.resolve({ ok: this.#grant });
  }
  admit(): Promise<Verdict<Lease>> {
    return Promise.resolve({ ok: LEASE });
  }
  renew(grant: Grant): Verdict<Grant> {
    return { ok: grant };
  }
  onChange(): () => void {
    return () => {};
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
