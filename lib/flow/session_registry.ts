/**
 * Client sessions and upstream connections in one place: what servers enter here is what an operator lists and ends.
 * Keeps the last closes with their reasons. Refuses: secrets — a session says its key's id, never the key.
 */

/** Live numbers of a session, as of now. What a server does not measure is absent. */
export interface SessionNumbers {
  readonly subscriptions: number;
  readonly queued_bytes: number;
  readonly sent_messages: number;
  readonly sent_bytes: number;
  /** Messages left out and announced by `lag`. */
  readonly skipped_messages: number;
  /** Age of the oldest thing the client has not confirmed (ping, ack). */
  readonly lag_ms?: number;
  /** Where it stands on the ladder of slow readers: "normal", "lagging", "skipping", "shedding". */
  readonly step: string;
}

/** One connected client as its server enters it. */
export interface ClientSession {
  /** Unique in the process and hard to guess: the `session` of the protocol's `hello`. */
  readonly id: string;
  /** The server's name. */
  readonly server: string;
  readonly tenant?: string;
  /** The public id of its key or token (`kid`, `jti`), never the key. */
  readonly key_id?: string;
  /** "192.0.2.1:50000". */
  readonly peer: string;
  readonly connected_ms: number;
  readonly priority: number;
  describe(): SessionNumbers;
  /** Closes it (code 4010). */
  kick(reason: string): void;
}

/** A session as it is listed: plain data, so that it may come from a worker. */
export interface SessionView extends SessionNumbers {
  readonly id: string;
  readonly server: string;
  readonly tenant?: string;
  readonly key_id?: string;
  readonly peer: string;
  readonly connected_ms: number;
  readonly priority: number;
}

/** A session that is over. */
export interface SessionClose {
  readonly id: string;
  readonly server: string;
  readonly tenant?: string;
  readonly key_id?: string;
  readonly peer: string;
  readonly connected_ms: number;
  readonly closed_ms: number;
  readonly reason: string;
  /** The WebSocket close code or the like; absent where there was none. */
  readonly code?: number;
}

export interface SessionQuery {
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string;
  readonly tenant?: string;
}

export interface SessionPage {
  /** By id. */
  readonly sessions: readonly SessionView[];
  /** All that match, on all pages. */
  readonly total: number;
  /** Absent on the last page. */
  readonly next?: string;
  /** Workers that gave no answer in time: their sessions are missing here. */
  readonly missing?: readonly string[];
}

/** One connection to where data comes from. */
export interface UpstreamState {
  /** The source's name: "live#2". */
  readonly source: string;
  readonly venue: string;
  /** Which of the source's connections: "depth-1"; the source's name where it has one only. */
  readonly connection: string;
  readonly state: "connected" | "connecting" | "paused" | "closed";
  /** Why it is not connected. */
  readonly reason?: string;
  readonly symbols: number;
  /** Age of the last message; absent before the first. */
  readonly last_message_age_ms?: number;
  /** How often it was lost after it had been open. */
  readonly disconnects?: number;
}

/** An upstream as its source sees it, which need not say whose it is. */
export type SourceConnection = Omit<UpstreamState, "source" | "venue">;

/** Sessions that live in another thread; asked by message, each answer with a deadline. */
export interface RemoteSessions {
  readonly name: string;
  list(query: SessionQuery): Promise<SessionPage>;
  /** True when the session was there. */
  kick(id: string, reason: string): Promise<boolean>;
}

export interface Sessions {
  add(session: ClientSession): void;
  /** The session is over. Unknown ids are ignored. */
  ended(id: string, reason: string, code?: number): void;
  /** A close in another thread, where `add` and `ended` were not called here. */
  noteClose(close: SessionClose): void;
  /** Returns how to take it back. */
  addRemote(remote: RemoteSessions): () => void;
  list(query: SessionQuery): Promise<SessionPage>;
  /** False: there is none of this id, here or in a worker that answered. */
  kick(id: string, reason: string): Promise<boolean>;
  /** Newest first. */
  closes(limit: number): readonly SessionClose[];
  /** Where data comes from; the gateway fills it in. */
  upstreams(): readonly UpstreamState[];
}
