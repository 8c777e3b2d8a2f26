/**
 * What a WebSocket path asks for: `/public/stream?streams=a/b` (combined), `/market/ws/a` (raw), `/ws` (nothing yet).
 * Pure. A market without routes has the one unnamed route; a market with routes accepts the unnamed one too and serves
 * nothing there.
 */

export interface StreamPath {
  /** "" when unrouted. */
  route: string;
  combined: boolean;
  streams: string[];
}

/** Undefined: the venue has no such path. */
export function parseStreamPath(path: string, routes: readonly string[]): StreamPath | undefined {
  const url = URL.parse(path, "ws://mock");
  const match = url && /^(?:\/(public|market|private))?\/(ws|stream)(?:\/(.*))?$/.exec(url.pathname);
  if (!match) return undefined;
  const [, route = "", kind, rest = ""] = match;
  if (route !== "" && !routes.some((one) => one !== "")) return undefined;
  const combined = kind === "stream";
  const names = combined ? url.searchParams.get("streams") ?? "" : rest;
  try {
    const streams = decodeURIComponent(names).split("/").filter((one) => one !== "");
    return { route, combined, streams };
  } catch {
    return undefined;
  }
}
