/**
 * Credentials do not belong in URLs: proxies, browsers and logs keep those. A handshake that carries one is refused, so
 * that nobody gets used to it; a token seen there should be revoked.
 */
import { isSecretKey } from "../../base/redact.ts";

const MORE_NAMES = new Set(["auth", "jwt", "key", "bearer", "access_token", "api_key", "apikey", "ticket"]);
const LOOKS_LIKE_TOKEN = /(?:^|[/?&=])(?:mdg_[a-z0-9]{4,}_|eyJ[\w-]{10,}\.)/;

export function hasTokenInUrl(url: string): boolean {
  if (LOOKS_LIKE_TOKEN.test(url)) return true;
  const query = url.indexOf("?");
  if (query < 0) return false;
  for (const name of new URLSearchParams(url.slice(query + 1)).keys()) {
    if (MORE_NAMES.has(name.toLowerCase()) || isSecretKey(name)) return true;
  }
  return false;
}
