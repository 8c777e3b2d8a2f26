/**
 * The session registry of one thread: its own sessions, the last closes, and the registries of other threads, asked with
 * a deadline. Pages are by id, so that a page stays right while sessions come and go. Bounds: 10,000 closes kept, pages
 * of at most 1,000; sessions are bounded by the servers that enter them.
 */
import { type Clock, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { RecentRing } from "../../base/recent_ring.ts";
import type {
  ClientSession,
  RemoteSessions,
  SessionClose,
  SessionPage,
  SessionQuery,
  Sessions,
  SessionView,
  UpstreamState,
} from "../session_registry.ts";

const KEPT_CLOSES = 10_000;
const MAX_PAGE = 1_000;
const REMOTE_MS = 2_000;

export interface SessionContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Absent where nothing flows in: in a worker. */
  upstreams?(): readonly UpstreamState[];
}

export class LocalSessions implements Sessions {
  readonly #sessions = new Map<string, ClientSession>();
  readonly #remotes = new Set<RemoteSessions>();
  readonly #closes = new RecentRing<SessionClose>(KEPT_CLOSES);
  readonly #noisy: RateLimitedLog;
  /** Called with each close here: a worker hands it on. */
  onClose: ((close: SessionClose) => void) | undefined;

  constructor(readonly context: SessionContext) {
    this.#noisy = new RateLimitedLog(context.log, context.clock);
    const sessions = context.metrics.gauge("mdg_sessions", "Client sessions entered in this process", [
      "server",
    ]);
    context.metrics.onCollect(() => {
      for (const { value } of sessions.children.values()) value.value = 0;
      for (const { server } of this.#sessions.values()) sessions.with(server).value++;
    });
  }

  add(session: ClientSession): void {
    this.#sessions.set(session.id, session);
  }
  ended(id: string, reason: string, code?: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    const { server, tenant, key_id, peer, connected_ms } = session;
    const closed_ms = this.context.clock.now_ms();
    this.noteClose({ id, server, tenant, key_id, peer, connected_ms, closed_ms, reason, code });
  }
  noteClose(close: SessionClose): void {
    this.#closes.push(close);
    this.onClose?.(close);
  }
  addRemote(remote: RemoteSessions): () => void {
    this.#remotes.add(remote);
    return () => void this.#remotes.delete(remote);
  }
  /** Sessions of this thread only. */
  listHere({ limit, cursor, tenant }: SessionQuery): SessionPage {
    const page_size = pageSize(limit);
    const matching = [...this.#sessions.values()].filter((one) =>
      tenant === undefined || one.tenant === tenant
    );
    const after = matching.filter(({ id }) => cursor === undefined || id > cursor).sort(compareIds);
    const sessions = after.slice(0, page_size).map((one) => this.#view(one));
    return {
      sessions,
      total: matching.length,
      next: after.length > page_size ? sessions.at(-1)?.id : undefined,
    };
  }
  async list(query: SessionQuery): Promise<SessionPage> {
    const page_size = pageSize(query.limit);
    const pages = [this.listHere(query)];
    const missing: string[] = [];
    await Promise.all([...this.#remotes].map(async (remote) => {
      const page = await this.#ask(remote, "list sessions", (one) => one.list(query));
      if (page === undefined) missing.push(remote.name);
      else pages.push(page);
    }));
    // Each page is the first of its registry after the cursor, so the first of all of them is right.
    const found = pages.flatMap((page) => page.sessions).sort(compareIds);
    const sessions = found.slice(0, page_size);
    const more = found.length > page_size || pages.some((page) => page.next !== undefined);
    return {
      sessions,
      total: pages.reduce((sum, page) => sum + page.total, 0),
      next: more ? sessions.at(-1)?.id : undefined,
      missing: missing.length > 0 ? missing.sort() : undefined,
    };
  }
  /** In this thread only. */
  kickHere(id: string, reason: string): boolean {
    const session = this.#sessions.get(id);
    session?.kick(reason);
    return session !== undefined;
  }
  async kick(id: string, reason: string): Promise<boolean> {
    if (this.kickHere(id, reason)) return true;
    const answers = await Promise.all(
      [...this.#remotes].map((remote) => this.#ask(remote, "kick", (one) => one.kick(id, reason))),
    );
    return answers.includes(true);
  }
  closes(limit: number): readonly SessionClose[] {
    return this.#closes.latest(limit);
  }
  upstreams(): readonly UpstreamState[] {
    return this.context.upstreams?.() ?? [];
  }

  #view(session: ClientSession): SessionView {
    const { id, server, tenant, key_id, peer, connected_ms, priority } = session;
    return { id, server, tenant, key_id, peer, connected_ms, priority, ...session.describe() };
  }
  async #ask<T>(
    remote: RemoteSessions,
    what: string,
    ask: (remote: RemoteSessions) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await withDeadline(this.context.clock, REMOTE_MS, `${what} of ${remote.name}`, ask(remote));
    } catch (error) {
      this.#noisy.warn(remote.name, "sessions of a worker not reached", { reason: reasonOf(error) });
      return undefined;
    }
  }
}

function pageSize(limit: number): number {
  return Math.min(MAX_PAGE, Math.max(1, Math.trunc(limit)));
}

function compareIds(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
