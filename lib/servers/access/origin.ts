/**
 * Which web pages may connect: scheme, host and port exactly as listed, no wildcard, no ending of a name. A browser writes
 * `Origin` itself and always the same way, so equality is the whole comparison; "null" (sandboxed pages, files) is nobody.
 */
const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** `https://app.example.com` or with a port: what an allow-list may hold. */
export function isOrigin(text: string): boolean {
  return serialized(text) !== undefined;
}

/** `with_loopback`: pages served from this very machine need not be listed. */
export function originAllowed(origin: string, allowed: readonly string[], with_loopback = false): boolean {
  if (allowed.some((one) => serialized(one) === origin)) return true;
  if (!with_loopback || serialized(origin) !== origin) return false;
  return LOOPBACK.test(new URL(origin).hostname);
}

/** As browsers write it: lower case, no default port; undefined when it says more, or is no web origin. */
function serialized(text: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\\\s*]+$/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}
