/**
 * `/clients` and `/upstreams` as this release writes them (servers/health/sessions.ts). Another release may say less:
 * every field may be absent, and what is no such page is no page.
 */
import { z } from "zod";
import type { GuardAct } from "../../flow/memory_guard.ts";
import type { SessionView, UpstreamState } from "../../flow/session_registry.ts";

export interface SessionList {
  readonly sessions: readonly Partial<SessionView>[];
  /** All there are; the list may be one page of them. */
  readonly total?: number;
  /** What the memory guard did last, newest first. */
  readonly acts: readonly Partial<GuardAct>[];
}

const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);

const session = z.object({
  id: text,
  server: text,
  tenant: text,
  key_id: text,
  peer: text,
  connected_ms: number,
  priority: number,
  subscriptions: number,
  queued_bytes: number,
  sent_messages: number,
  sent_bytes: number,
  skipped_messages: number,
  lag_ms: number,
  step: text,
});
const act = z.object({
  at_ms: number,
  what: z.enum(["level", "evict", "pause", "resume"]).optional().catch(undefined),
  target: text,
  bytes: number,
  reason: text,
});
const clientsPage = z.object({
  sessions: z.array(session),
  total: number,
  memory: z.object({ acts: z.array(act).catch([]) }).optional().catch(undefined),
});
const upstream = z.object({
  source: text,
  venue: text,
  connection: text,
  state: z.enum(["connected", "connecting", "paused", "closed"]).optional().catch(undefined),
  reason: text,
  symbols: number,
  last_message_age_ms: number,
  disconnects: number,
});
const upstreamsPage = z.object({ upstreams: z.array(upstream) });

export function sessionList(page: unknown): SessionList | undefined {
  const { data } = clientsPage.safeParse(page);
  return data && { sessions: data.sessions, total: data.total, acts: data.memory?.acts ?? [] };
}

export function upstreamList(page: unknown): readonly Partial<UpstreamState>[] | undefined {
  return upstreamsPage.safeParse(page).data?.upstreams;
}
