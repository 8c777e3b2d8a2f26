/**
 * Refuses to start where mdg is known to break. Deno 2.9.4 to 2.9.6 crash natively in the node:http2 server
 * (denoland/deno#36788); below 2.8.3 node TLS features are missing and socket handlers swallow exceptions. A compiled
 * binary carries its own runtime and has been tested with it, so it may be as old as 2.7.11.
 */
import { UserError } from "../base/errors.ts";

const LEAST = [2, 8, 3];
const LEAST_COMPILED = [2, 7, 11];
const BROKEN_FROM = [2, 9, 4];
const BROKEN_TO = [2, 9, 6];

/** What is wrong with running on this Deno; undefined when nothing is. */
export function checkRuntime(version: string, is_compiled: boolean): UserError | undefined {
  const now = version.split(/[.+-]/).slice(0, 3).map(Number);
  const least = is_compiled ? LEAST_COMPILED : LEAST;
  if (now.length < 3 || now.some(Number.isNaN)) {
    return refusal(version, `want ${least.join(".")} or newer`);
  }
  if (compare(now, least) < 0) return refusal(version, `want ${least.join(".")} or newer`);
  if (compare(now, BROKEN_FROM) >= 0 && compare(now, BROKEN_TO) <= 0) {
    return refusal(
      version,
      "its HTTP/2 server crashes (denoland/deno#36788), want 2.8.3, or newer than 2.9.6",
    );
  }
  return undefined;
}

function refusal(version: string, wanted: string): UserError {
  return new UserError(`start on Deno "${version}": ${wanted}`, {
    hint: "npx -y deno@2.8.3 brings the right one without installing it",
  });
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return 0;
}
