/**
 * What PostgreSQL is asked at a look: one transaction, read-only, in one round trip, each answer one row set. Works from
 * version 12 on; what a version does not have is asked for as NULL. Numbers leave as float8: a driver's int8 is text.
 */

/** Sessions that are listed; they are counted all. */
export const MAX_SESSIONS = 300;
const MAX_QUERY_CHARACTERS = 300;
const MAX_TABLES = 30;
/** A look must not wait behind a lock that it came to show. */
const LOCK_TIMEOUT_MS = 100;

/** In the order of the answers. */
export const PARTS = [
  "server",
  "states",
  "sessions",
  "totals",
  "checkpoints",
  "wal",
  "replicas",
  "slots",
  "archiver",
  "tables",
] as const;
export type Part = typeof PARTS[number];

export function lookQuery(version_num: number, timeout_ms: number): string {
  const queries: Record<Part, string> = {
    server: SERVER,
    states: STATES,
    sessions: version_num >= 140_000 ? SESSIONS : SESSIONS.replace(WAIT_S, "NULL::float8"),
    totals: TOTALS,
    checkpoints: version_num >= 170_000 ? CHECKPOINTER : BGWRITER,
    wal: WAL,
    replicas: REPLICAS,
    slots: version_num >= 130_000 ? SLOTS : SLOTS.replace("wal_status", "NULL"),
    archiver: ARCHIVER,
    tables: TABLES,
  };
  return [
    "BEGIN READ ONLY",
    // For this transaction only: a pooler may hand the connection to others.
    `SET LOCAL statement_timeout = ${Math.ceil(timeout_ms)}`,
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
    ...PARTS.map((part) => queries[part]),
    "COMMIT",
  ].join(";\n");
}

/** Statements before the first part. */
export const LEADING_STATEMENTS = 3;

const SERVER = `SELECT current_setting('server_version') AS version, current_database() AS database,
  pg_is_in_recovery() AS is_standby, pg_postmaster_start_time()::text AS started,
  extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS uptime_s,
  current_setting('max_connections')::float8 AS max_connections,
  current_setting('superuser_reserved_connections')::float8
    + coalesce(current_setting('reserved_connections', true), '0')::float8 AS reserved_connections,
  pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
  (SELECT max(age(datfrozenxid))::float8 FROM pg_database) AS oldest_xid_age,
  current_setting('autovacuum') = 'on' AS has_autovacuum`;

const STATES = `SELECT coalesce(state, 'unknown') AS state, count(*)::float8 AS count
  FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1 ORDER BY 1`;

const AGE = (column: string) => `extract(epoch FROM clock_timestamp() - ${column})::float8`;
const WAIT_S = `(SELECT ${AGE("min(l.waitstart)")} FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted)`;
/** Asking who blocks takes the lock manager's locks, so only of those that wait. */
const SESSIONS =
  `SELECT pid, extract(epoch FROM backend_start)::text AS began, datname AS database, usename AS "user",
  application_name AS application, host(client_addr) AS client, backend_type AS type, state,
  wait_event_type, wait_event, ${AGE("xact_start")} AS transaction_s, ${AGE("query_start")} AS query_s,
  ${AGE("state_change")} AS state_s, left(query, ${MAX_QUERY_CHARACTERS}) AS query,
  CASE WHEN wait_event_type = 'Lock' THEN pg_blocking_pids(pid) ELSE '{}'::int[] END AS blocked_by,
  CASE WHEN wait_event_type = 'Lock' THEN ${WAIT_S} END AS wait_s
  FROM pg_stat_activity a
  WHERE pid <> pg_backend_pid() AND (backend_type IN ('client backend', 'autovacuum worker', 'parallel worker',
    'logical replication worker') OR wait_event_type = 'Lock')
  ORDER BY (state IS NOT DISTINCT FROM 'idle'), xact_start NULLS LAST LIMIT ${MAX_SESSIONS}`;

const TOTALS = `SELECT sum(xact_commit)::float8 AS commits, sum(xact_rollback)::float8 AS rollbacks,
  sum(blks_read)::float8 AS blocks_read, sum(blks_hit)::float8 AS blocks_hit,
  sum(tup_returned)::float8 AS rows_returned, sum(tup_fetched)::float8 AS rows_fetched,
  sum(tup_inserted)::float8 AS rows_inserted, sum(tup_updated)::float8 AS rows_updated,
  sum(tup_deleted)::float8 AS rows_deleted, sum(temp_bytes)::float8 AS temp_bytes,
  sum(deadlocks)::float8 AS deadlocks, sum(conflicts)::float8 AS conflicts,
  max(stats_reset)::text AS reset FROM pg_stat_database`;

const BGWRITER = `SELECT checkpoints_timed::float8 AS timed, checkpoints_req::float8 AS requested,
  checkpoint_write_time::float8 AS write_ms, checkpoint_sync_time::float8 AS sync_ms,
  buffers_checkpoint::float8 AS buffers, buffers_clean::float8 AS buffers_cleaned,
  buffers_backend::float8 AS buffers_backend, maxwritten_clean::float8 AS cleaner_stopped,
  stats_reset::text AS reset FROM pg_stat_bgwriter`;
const CHECKPOINTER = `SELECT c.num_timed::float8 AS timed, c.num_requested::float8 AS requested,
  c.write_time::float8 AS write_ms, c.sync_time::float8 AS sync_ms, c.buffers_written::float8 AS buffers,
  b.buffers_clean::float8 AS buffers_cleaned, NULL::float8 AS buffers_backend,
  b.maxwritten_clean::float8 AS cleaner_stopped, c.stats_reset::text AS reset
  FROM pg_stat_checkpointer c, pg_stat_bgwriter b`;

const WAL = `SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')
    ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') END::float8 AS position,
  CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
    END::float8 AS not_replayed_bytes,
  CASE WHEN pg_is_in_recovery() THEN CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE ${AGE("pg_last_xact_replay_timestamp()")} END END::float8 AS behind_s,
  (SELECT status FROM pg_stat_wal_receiver LIMIT 1) AS receiver`;

const REPLICAS = `SELECT application_name AS name, host(client_addr) AS client, state, sync_state,
  pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
    replay_lsn)::float8 AS behind_bytes,
  extract(epoch FROM replay_lag)::float8 AS behind_s FROM pg_stat_replication ORDER BY 1, 2`;

const SLOTS = `SELECT slot_name AS name, slot_type AS type, active, wal_status,
  pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn)::float8 AS kept_bytes FROM pg_replication_slots ORDER BY 1`;

const ARCHIVER = `SELECT current_setting('archive_mode') <> 'off' AS is_on, failed_count::float8 AS failed,
  last_failed_time > coalesce(last_archived_time, '-infinity') AS is_failing FROM pg_stat_archiver`;

/** Sizes are those of the last vacuum or analyze: asking the files would wait behind whoever rewrites a table. */
const TABLES = `SELECT s.schemaname AS schema, s.relname AS name, s.n_live_tup::float8 AS live_rows,
  s.n_dead_tup::float8 AS dead_rows, s.n_mod_since_analyze::float8 AS changed_rows,
  nullif(c.relpages, 0)::float8 * current_setting('block_size')::float8 AS bytes,
  ${AGE("greatest(s.last_vacuum, s.last_autovacuum)")} AS vacuum_s,
  ${AGE("greatest(s.last_analyze, s.last_autoanalyze)")} AS analyze_s,
  s.seq_scan::float8 AS sequential_scans, s.idx_scan::float8 AS index_scans
  FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
  ORDER BY s.n_dead_tup DESC LIMIT ${MAX_TABLES}`;

export const CANCEL = `SELECT pg_cancel_backend(pid) AS done FROM pg_stat_activity
  WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2`;
export const TERMINATE = CANCEL.replace("pg_cancel_backend", "pg_terminate_backend");
