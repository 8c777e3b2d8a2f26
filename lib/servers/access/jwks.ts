/**
 * The issuer's public keys (RFC 7517), from a file or a URL, found by `kid`. Whatever a token says it can cost only so
 * much: `jku`, `x5u` and embedded keys are never followed, a `kid` nobody knows makes us ask at most once per
 * `REFETCH_MS`, an answer is bounded in time, size and number of keys, redirects are refused. Keys that were good go on
 * being good while the issuer is away, for a day.
 */
import {
  createLocalJWKSet,
  type CryptoKey,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";
import type { Clock, Timer } from "../../base/clock.ts";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { Metrics, MetricValue } from "../../base/metrics.ts";

const MAX_JWKS_BYTES = 262_144;
const MAX_KEYS = 100;
const MAX_KID_CHARS = 255;
/** Shorter than the deadline of a decision, so that the reason is this. */
const FETCH_MS = 4_000;
/** Between two questions to the issuer, whatever the reason; after one that failed. */
const REFETCH_MS = 30_000;
const RETRY_MS = 5_000;
/** Keys are asked for anew after so long. */
const FRESH_MS = 600_000;
/** And are worth nothing once they could not be for so long. */
const STALE_MS = 86_400_000;

export type KeyResolver = (
  header?: JWSHeaderParameters,
  token?: FlattenedJWSInput,
) => Promise<CryptoKey | Uint8Array>;

/** Nobody can say whether the token is good. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

interface KeySet {
  readonly find: KeyResolver;
  readonly kids: ReadonlySet<string>;
  /** Some keys have no `kid`; then any may fit. */
  readonly has_nameless: boolean;
}

/** @throws UserError for what is no key set, without a word of what it holds */
function parseJwks(text: string, name: string): KeySet {
  const fail = (reason: string) => new UserError(`read keys ${quoted(name, 200)}: ${reason}`, { code: 2 });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail("no JSON, want a JWK set");
  }
  const keys = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.some((one) => typeof one !== "object" || one === null)) {
    throw fail('no list "keys", want a JWK set');
  }
  if (keys.length === 0 || keys.length > MAX_KEYS) throw fail(`${keys.length} keys, want 1 to ${MAX_KEYS}`);
  if (keys.some((one) => "d" in one || "k" in one)) {
    throw fail("private or shared keys in it, want public keys only");
  }
  const kids = keys.map((one) => (one as { kid?: unknown }).kid);
  return {
    find: createLocalJWKSet(value as JSONWebKeySet),
    kids: new Set(kids.filter((kid) => typeof kid === "string")),
    has_nameless: kids.some((kid) => kid === undefined),
  };
}

/** @throws errors.JWKSNoMatchingKey for a name that no issuer would give */
function checkKid(kid: unknown): asserts kid is string | undefined {
  if (kid === undefined || (typeof kid === "string" && kid.length <= MAX_KID_CHARS)) return;
  throw new errors.JWKSNoMatchingKey();
}

/** Keys from a file; whoever watches it hands its text over. */
export class FixedKeys {
  #keys: KeySet;

  /** @throws UserError */
  constructor(readonly path: string, text: string) {
    this.#keys = parseJwks(text, path);
  }
  /** @throws UserError, and then the old keys stay */
  replace(text: string): void {
    this.#keys = parseJwks(text, this.path);
  }
  readonly find: KeyResolver = async (header, token) => {
    checkKid(header?.kid);
    return await this.#keys.find(header, token);
  };
}

export interface RemoteKeysContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Keys from the issuer's URL. */
export class RemoteKeys implements AsyncDisposable {
  readonly #log: RateLimitedLog;
  readonly #fetches: (result: "ok" | "failed") => MetricValue;
  #keys: KeySet | undefined;
  #fetched_ms = -Infinity;
  #next_fetch_ms = -Infinity;
  #fetching: Promise<void> | undefined;
  #ending = new AbortController();

  constructor(readonly url: string, readonly context: RemoteKeysContext) {
    this.#log = new RateLimitedLog(context.log, context.clock);
    const family = context.metrics.counter(
      "access_jwks_fetches_total",
      "Questions to the issuer for its keys",
      ["result"],
    );
    this.#fetches = (result) => family.with(result);
  }
  readonly find: KeyResolver = async (header, token) => {
    const kid: unknown = header?.kid;
    checkKid(kid);
    const now_ms = this.context.clock.monotonic_ms();
    const known = this.#keys && (kid === undefined || this.#keys.kids.has(kid) || this.#keys.has_nameless);
    if (!known || now_ms - this.#fetched_ms > FRESH_MS) await this.#refresh();
    if (!this.#keys || this.context.clock.monotonic_ms() - this.#fetched_ms > STALE_MS) {
      throw new KeysUnavailable("the issuer's keys are not known");
    }
    return await this.#keys.find(header, token);
  };
  /** Asks before the first token does. */
  prepare(): void {
    void this.#refresh();
  }
  /** One question at a time, and a pause after each. Never rejects. */
  #refresh(): Promise<void> {
    if (this.#fetching) return this.#fetching;
    const now_ms = this.context.clock.monotonic_ms();
    if (now_ms < this.#next_fetch_ms || this.#ending.signal.aborted) return Promise.resolve();
    this.#next_fetch_ms = now_ms + RETRY_MS;
    return this.#fetching = this.#fetch().finally(() => this.#fetching = undefined);
  }
  async #fetch(): Promise<void> {
    const { clock } = this.context;
    const late = new AbortController();
    const timer: Timer = clock.after(
      FETCH_MS,
      () => late.abort(new Error(`no answer within ${FETCH_MS} ms`)),
    );
    try {
      const signal = AbortSignal.any([late.signal, this.#ending.signal]);
      const response = await fetch(this.url, {
        redirect: "manual",
        signal,
        headers: { accept: "application/json" },
      });
      const text = await boundedText(response);
      this.#keys = parseJwks(text, this.url);
      this.#fetched_ms = clock.monotonic_ms();
      this.#next_fetch_ms = this.#fetched_ms + REFETCH_MS;
      this.#fetches("ok").value++;
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#fetches("failed").value++;
      this.#log.warn("jwks", "keys of the issuer not fetched", { url: this.url, reason: reasonOf(error) });
    } finally {
      timer.cancel();
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#fetching;
  }
}

async function boundedText(response: Response): Promise<string> {
  if (response.status !== 200) {
    await response.body?.cancel();
    const is_redirect = response.status >= 300 && response.status < 400;
    throw new Error(
      `status ${response.status}, want 200${is_redirect ? " (redirects are not followed)" : ""}`,
    );
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  // leaving the loop early cancels the body
  for await (const piece of response.body ?? []) {
    bytes += piece.length;
    if (bytes > MAX_JWKS_BYTES) throw new Error(`larger than ${MAX_JWKS_BYTES} bytes, want less`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}
