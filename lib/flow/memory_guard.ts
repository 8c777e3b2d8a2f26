/**
 * The words of the memory guard: one budget for the whole process, pools of clients whose memory can be taken back, and
 * upstreams that can wait. Servers bring pools, the gateway brings upstreams; memory_guard/budget_guard.ts decides.
 * Refuses: touching control lanes — a pool evicts clients, and conflates what may be conflated, nothing else.
 */

/** One holder of memory that can be taken back: a client. */
export interface GuardedClient {
  readonly id: string;
  /** The class: a higher one is worth more and goes later. A small whole number, 0 to 15. */
  readonly priority: number;
  readonly tenant: string;
  /** Bytes queued for it, counted as if it had them alone. */
  readonly held_bytes: number;
  /** Lets go of it and of all it holds, at once (close code 4009). Idempotent. */
  evict(): void;
}

/** What all pools are to do now; in force until the next word. */
export interface PressureStep {
  /** New connections and new subscriptions are answered "busy". */
  readonly refuse_newcomers: boolean;
  /** Everything that may be conflated is, for every client. Trades and control messages never are. */
  readonly conflate_all: boolean;
}

export interface PoolMeasure {
  /** Sum over clients of what each holds: for fairness. */
  readonly client_bytes: number;
  /** What is in memory once, however many clients hold it; copies inside TLS count each. */
  readonly unique_bytes: number;
  readonly clients: number;
}

/** A server, or a worker's share of one, that the guard looks after. Each word is quick: asked every 100 ms. */
export interface GuardedPool {
  readonly name: string;
  measure(): PoolMeasure;
  /** Of each class up to `limit_per_class` of the largest holders, in any order. May be a snapshot from a worker. */
  candidates(limit_per_class: number): readonly GuardedClient[];
  /** Tenant → held bytes. Asked only when memory is nearly gone. */
  tenantBytes(): ReadonlyMap<string, number>;
  /** Act on it until the next word. Said at once when the pool is added, then at each change. */
  setPressure(step: PressureStep): void;
  /** Collect the garbage of its thread; absent where that is the guard's own. */
  collect?(): void;
}

/** Something that fills memory and can wait without losing anything for good. */
export interface GuardedUpstream {
  readonly name: string;
  /** False: it is never paused. */
  readonly recoverable: boolean;
  pause(reason: string): void;
  resume(): void;
}

/** 0 all is well; 1 from 70 % refuse and conflate; 2 from 80 % evict by class; 3 from 90 % by size; 4 from 95 % pause. */
export type GuardLevel = 0 | 1 | 2 | 3 | 4;

/** What the guard knows and does now. Bytes are as of the last sample. */
export interface GuardState {
  readonly budget_bytes: number;
  /** Where the budget comes from, in words: "60 % of the control group's limit". */
  readonly budget_from: string;
  readonly level: GuardLevel;
  /** Since when, Unix epoch. */
  readonly level_since_ms: number;
  /** What is compared with the budget: the resident set, less what was evicted and is still to be given back. */
  readonly used_bytes: number;
  readonly rss_bytes: number;
  readonly heap_used_bytes: number;
  readonly external_bytes: number;
  readonly client_bytes: number;
  readonly unique_bytes: number;
  readonly clients: number;
  /** Evicted, and the resident set has not fallen yet. */
  readonly credit_bytes: number;
  readonly pressure: PressureStep;
  readonly paused: readonly string[];
  readonly evicted_clients: number;
  readonly evicted_bytes: number;
  /** How often garbage was collected and free memory given back on the guard's word. */
  readonly reclaims: number;
  /** How often a level was entered again soon after it had been left. */
  readonly oscillations: number;
}

/** One thing the guard did. Bytes are those freed, or in use when the level changed. */
export interface GuardAct {
  readonly at_ms: number;
  readonly what: "level" | "evict" | "pause" | "resume";
  /** The client, the upstream, or the level's number. */
  readonly target: string;
  readonly pool?: string;
  readonly tenant?: string;
  readonly priority?: number;
  readonly bytes: number;
  readonly reason: string;
}

export interface MemoryGuard {
  /** Returns how to take it back. */
  addPool(pool: GuardedPool): () => void;
  /** Returns how to take it back; a paused upstream is resumed then. */
  addUpstream(upstream: GuardedUpstream): () => void;
  /** What is in force now, for those that are no pool. */
  readonly pressure: PressureStep;
  readonly state: GuardState;
  /**
   * Bytes that were just queued or allocated for clients: enough of them bring the next sample forward. Cheap; never
   * evicts before the caller's own turn is over.
   */
  noteAdmitted(bytes: number): void;
  /** The latest acts, newest first. */
  acts(limit: number): readonly GuardAct[];
}
