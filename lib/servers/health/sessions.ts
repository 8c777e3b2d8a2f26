/**
 * What the health port tells an operator of clients and upstreams: who is connected, what the memory guard did, why the
 * last ones left, where data comes from; and how to end a session. All behind the control token. Pages are bounded;
 * known secrets are masked in whatever is told, since reasons may quote the other side.
 */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { knownSecrets } from "../../base/known_secrets.ts";
import { quoted } from "../../base/errors.ts";
import type { Hub } from "../../flow/hub.ts";
import type { Sessions } from "../../flow/session_registry.ts";
import { Refusal } from "./control.ts";

const MAX_PAGE = 1_000;
const MAX_CLOSES = 10_000;
const count = (max: number, otherwise: number) => z.coerce.number().int().min(1).max(max).default(otherwise);

const clientsQuery = z.strictObject({
  limit: count(MAX_PAGE, 100),
  cursor: z.string().max(200).optional(),
  tenant: z.string().min(1).max(200).optional(),
  /** Acts of the memory guard. */
  acts: count(1_000, 50),
});
const closesQuery = z.strictObject({ limit: count(MAX_CLOSES, 100) });

/** `GET /clients?limit=&cursor=&tenant=&acts=` */
export async function listClients(request: IncomingMessage, sessions: Sessions, hub: Hub): Promise<string> {
  const { acts, ...query } = queryOf(request, clientsQuery, "list clients");
  const page = await sessions.list(query);
  const memory = hub.memory && { ...hub.memory.state, acts: hub.memory.acts(acts) };
  return masked({ ...page, memory });
}

/** `GET /closes?limit=` */
export function listCloses(request: IncomingMessage, sessions: Sessions): string {
  const { limit } = queryOf(request, closesQuery, "list closes");
  return masked({ closes: sessions.closes(limit) });
}

export function listUpstreams(sessions: Sessions): string {
  return masked({ upstreams: sessions.upstreams() });
}

/** `POST /clients/{id}/kick`: the id as `/clients` lists it. */
export async function kickClient(path: string, sessions: Sessions): Promise<string> {
  const id = idOf(path);
  if (id === undefined || !await sessions.kick(id, "ended by the operator")) {
    const message = `kick ${quoted(id ?? path)}: no such session, want an id of GET /clients`;
    throw new Refusal(404, "not_found", message);
  }
  return masked({ kicked: id });
}

const KICK_PATH = /^\/clients\/([^/]{1,600})\/kick$/;

export function isKickPath(path: string): boolean {
  return KICK_PATH.test(path);
}

function idOf(path: string): string | undefined {
  try {
    return decodeURIComponent(KICK_PATH.exec(path)![1]);
  } catch {
    return undefined;
  }
}

function queryOf<T extends z.ZodObject>(request: IncomingMessage, schema: T, what: string): z.output<T> {
  const given = new URL(request.url ?? "/", "http://localhost").searchParams;
  const read = schema.safeParse(Object.fromEntries(given));
  if (read.success) return read.data;
  const [{ path, message }] = read.error.issues;
  throw new Refusal(400, "bad_request", `${what}: ${path.join(".") || "query"}: ${message}`);
}

function masked(value: unknown): string {
  return knownSecrets.mask(JSON.stringify(value));
}
