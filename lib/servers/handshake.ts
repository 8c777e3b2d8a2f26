/**
 * What a handshake must be like before anybody asks who it is: HTTP/1.1 with a host (RFC 6455 §4.2.1), the right path and
 * a free place. Decided before the 101, answered in plain HTTP with JSON.
 */
import type { IncomingMessage } from "node:http";

export const PATHS: readonly string[] = ["/", "/ws"];

export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 426 | 429 | 503;
  /** For metrics. */
  readonly reason: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why this handshake is refused; undefined when it is welcome. */
export function refusalOf(
  request: IncomingMessage,
  limits: { clients: number; max_clients: number; busy?: boolean },
): Refusal | undefined {
  if (request.httpVersion === "1.0" || request.headers.host === undefined) {
    const message = `read the request: HTTP/${request.httpVersion}${
      request.headers.host === undefined ? " without Host" : ""
    }, want HTTP/1.1 with Host`;
    return { status: 400, reason: "http", message };
  }
  const path = (request.url ?? "/").split("?", 1)[0];
  if (!PATHS.includes(path)) {
    const message = `find ${JSON.stringify(path.slice(0, 80))}: no such path, want ${PATHS.join(" or ")}`;
    return { status: 404, reason: "path", message };
  }
  if (limits.busy) {
    const message = "admit one more client: memory is short, try again later";
    return { status: 503, reason: "memory", message, headers: { "retry-after": "5" } };
  }
  if (limits.clients >= limits.max_clients) {
    const message = `admit one more client: ${limits.clients} of ${limits.max_clients} connected`;
    return { status: 503, reason: "full", message, headers: { "retry-after": "5" } };
  }
  return undefined;
}

const REASONS: Readonly<Record<Refusal["status"], string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  426: "Upgrade Required",
  429: "Too Many Requests",
  503: "Service Unavailable",
};

/** The refusal as a whole HTTP/1.1 response for a socket on which no response object exists. */
export function refusalResponse(refusal: Refusal): string {
  const body = JSON.stringify({ error: { code: refusal.reason, message: refusal.message } });
  const headers: Record<string, string> = {
    "content-type": "application/json; charset=utf-8",
    "content-length": String(new TextEncoder().encode(body).length),
    connection: "close",
    ...refusal.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 ${refusal.status} ${REASONS[refusal.status]}\r\n${lines}\r\n${body}`;
}
