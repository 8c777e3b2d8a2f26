/**
 * Who may become a client: the right path, a known origin, a free place. Decided before the 101, answered in plain HTTP
 * with JSON. A browser sends `Origin` and cannot forge it, so a page from elsewhere cannot read the feed of a gateway on
 * the visitor's own machine; programs send none.
 */
import type { IncomingMessage } from "node:http";

export const PATHS: readonly string[] = ["/", "/ws"];
const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export interface Refusal {
  status: 403 | 404 | 426 | 503;
  /** For metrics. */
  reason: "path" | "origin" | "full" | "no_upgrade";
  message: string;
  headers?: Record<string, string>;
}

/** Why this handshake is refused; undefined when it is welcome. */
export function refusalOf(
  request: IncomingMessage,
  limits: { clients: number; max_clients: number; allowed_origins: readonly string[] },
): Refusal | undefined {
  const path = (request.url ?? "/").split("?", 1)[0];
  if (!PATHS.includes(path)) {
    const message = `find ${JSON.stringify(path.slice(0, 80))}: no such path, want ${PATHS.join(" or ")}`;
    return { status: 404, reason: "path", message };
  }
  const { origin } = request.headers;
  if (origin !== undefined && !originAllowed(origin, limits.allowed_origins)) {
    const message = `admit origin ${
      JSON.stringify(origin.slice(0, 80))
    }: not allowed, want one of allowed_origins`;
    return { status: 403, reason: "origin", message };
  }
  if (limits.clients >= limits.max_clients) {
    const message = `admit one more client: ${limits.clients} of ${limits.max_clients} connected`;
    return { status: 503, reason: "full", message, headers: { "retry-after": "5" } };
  }
  return undefined;
}

export function originAllowed(origin: string, allowed: readonly string[]): boolean {
  if (allowed.includes(origin)) return true;
  try {
    const { protocol, hostname } = new URL(origin);
    return (protocol === "http:" || protocol === "https:") && LOOPBACK.test(hostname);
  } catch {
    return false;
  }
}

/** The refusal as a whole HTTP/1.1 response for a socket on which no response object exists. */
export function refusalResponse(refusal: Refusal): string {
  const body = JSON.stringify({ error: { code: refusal.reason, message: refusal.message } });
  const names: Record<Refusal["status"], string> = {
    403: "Forbidden",
    404: "Not Found",
    426: "Upgrade Required",
    503: "Service Unavailable",
  };
  const headers: Record<string, string> = {
    "content-type": "application/json; charset=utf-8",
    "content-length": String(new TextEncoder().encode(body).length),
    connection: "close",
    ...refusal.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 ${refusal.status} ${names[refusal.status]}\r\n${lines}\r\n${body}`;
}
