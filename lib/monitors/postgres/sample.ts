/** What a look at PostgreSQL finds: plain data, the JSON of `mdg monitor postgres --json`. Absent: not told here. */

export interface Session {
  readonly pid: number;
  /** When it began, Unix seconds with all digits: with the pid it names one session for ever. */
  readonly began: string;
  readonly database?: string;
  readonly user?: string;
  readonly application?: string;
  readonly client?: string;
  readonly type: string;
  readonly state?: string;
  /** "Lock: transactionid" */
  readonly waits_for?: string;
  /** For a lock. */
  readonly is_waiting: boolean;
  /** Absent before version 14, and while it does not wait. */
  readonly wait_s?: number;
  readonly transaction_s?: number;
  readonly query_s?: number;
  readonly state_s?: number;
  readonly query: string;
  readonly blocked_by: readonly number[];
  /** How many wait for it, directly. */
  readonly blocks: number;
}
export interface ReplicaRow {
  readonly name: string;
  readonly client?: string;
  readonly state: string;
  readonly sync_state: string;
  readonly behind_bytes?: number;
  readonly behind_s?: number;
}
export interface SlotRow {
  readonly name: string;
  readonly type: string;
  readonly active: boolean;
  readonly wal_status?: string;
  readonly kept_bytes?: number;
}
export interface TableRow {
  readonly schema: string;
  readonly name: string;
  readonly live_rows: number;
  readonly dead_rows: number;
  readonly changed_rows: number;
  /** As of its last vacuum or analyze. */
  readonly bytes?: number;
  readonly vacuum_s?: number;
  readonly analyze_s?: number;
  readonly sequential_scans?: number;
  readonly index_scans?: number;
}

/** Rates are absent at the first look and after a restart of the server. */
export interface PostgresSample {
  readonly version: string;
  readonly role: "primary" | "standby";
  readonly database: string;
  readonly uptime_s: number;
  readonly answer_us: number;
  /** False: this user sees only its own sessions. */
  readonly sees_all: boolean;
  readonly connections: {
    /** Ours included. */
    readonly total: number;
    readonly max: number;
    /** Of those, what is left to ordinary users. */
    readonly usable: number;
    readonly by_state: Readonly<Record<string, number>>;
  };
  readonly sessions: readonly Session[];
  readonly transactions_per_s?: number;
  readonly rollbacks_per_s?: number;
  readonly blocks_read_per_s?: number;
  readonly blocks_hit_per_s?: number;
  readonly rows_read_per_s?: number;
  readonly rows_written_per_s?: number;
  readonly temp_bytes_per_s?: number;
  readonly deadlocks_per_s?: number;
  readonly conflicts_per_s?: number;
  readonly wal_bytes_per_s?: number;
  readonly standby?: {
    readonly not_replayed_bytes?: number;
    readonly behind_s?: number;
    /** State of the receiver; absent: it does not stream. */
    readonly receiver?: string;
  };
  readonly replicas: readonly ReplicaRow[];
  readonly slots: readonly SlotRow[];
  readonly checkpoints: {
    readonly timed: number;
    readonly requested: number;
    /** Since the last look. */
    readonly timed_now?: number;
    readonly requested_now?: number;
    readonly write_ms_per_s?: number;
    readonly sync_ms_per_s?: number;
    readonly buffers_per_s?: number;
    /** Written by sessions themselves because nobody else had; absent from version 17 on. */
    readonly backend_buffers_per_s?: number;
    readonly cleaner_stopped_per_s?: number;
  };
  readonly archiver: { readonly is_on: boolean; readonly failed: number; readonly is_failing: boolean };
  readonly has_autovacuum: boolean;
  readonly tables: readonly TableRow[];
  readonly oldest_xid_age?: number;
}
