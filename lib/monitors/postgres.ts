/** `mdg monitor postgres`: one server, primary or standby, as its own statistics tell. */
import { defineMonitor } from "./monitor.ts";
import { POSTGRES_FLAGS } from "./postgres/flags.ts";

export const postgres = defineMonitor({
  summary: "Watch a PostgreSQL: sessions, who blocks whom, transactions, WAL, replication, vacuum",
  description:
    "Sessions are those of all databases, tables those of the database that the URL names. F1 running, F2 waiting, F3 " +
    "blocking, as in pg_activity; C cancels the selected session's query and K ends the session, after a question. A " +
    "user without pg_monitor sees only what is its own, and is told so. Passwords come from a file, PGPASSWORD or " +
    "~/.pgpass, or are asked for; never from a URL on the command line.",
  flags: POSTGRES_FLAGS,
  examples: [
    { command: "mdg monitor postgres", doc: "the local server, live" },
    {
      command: "mdg monitor postgres --url postgres://mdg@db/market --json",
      doc: "another one, as JSON lines",
    },
    {
      command: "mdg monitor postgres --check -c longest_transaction_s=3600 -w replica_lag_bytes=16777216",
      doc: "a monitoring check",
    },
  ],
  measures: {
    connections: { unit: "", doc: "client connections", min: 0 },
    connections_pct: {
      unit: "%",
      doc: "client connections of those that users may have",
      warning: "80",
      critical: "95",
      min: 0,
    },
    active: { unit: "", doc: "sessions that run a query", min: 0 },
    idle_in_transaction: { unit: "", doc: "sessions that hold a transaction and do nothing", min: 0 },
    waiting: { unit: "", doc: "sessions that wait for a lock", min: 0 },
    longest_wait_s: { unit: "s", doc: "longest wait for a lock", warning: "30", critical: "300", min: 0 },
    longest_query_s: { unit: "s", doc: "longest running query of a client", min: 0 },
    longest_transaction_s: { unit: "s", doc: "oldest transaction of a client", min: 0 },
    longest_idle_in_transaction_s: {
      unit: "s",
      doc: "longest idleness inside a transaction",
      warning: "600",
      critical: "3600",
      min: 0,
    },
    transactions_per_s: { unit: "", doc: "transactions a second, without our own", min: 0 },
    rollback_pct: { unit: "%", doc: "transactions rolled back", min: 0, max: 100 },
    cache_hit_pct: { unit: "%", doc: "blocks found in shared buffers", min: 0, max: 100 },
    deadlocks_per_s: { unit: "", doc: "deadlocks a second", min: 0 },
    temp_bytes_per_s: { unit: "B", doc: "temporary files written a second", min: 0 },
    wal_bytes_per_s: { unit: "B", doc: "WAL written a second; on a standby replayed", min: 0 },
    replicas: { unit: "", doc: "standbys that stream", min: 0 },
    replica_lag_bytes: { unit: "B", doc: "WAL that the furthest standby has not replayed", min: 0 },
    replica_lag_s: {
      unit: "s",
      doc: "how far the furthest standby is behind in time",
      warning: "10",
      critical: "60",
      min: 0,
    },
    slot_bytes: { unit: "B", doc: "WAL kept for the furthest replication slot", min: 0 },
    checkpoints_requested_pct: {
      unit: "%",
      doc: "checkpoints that came early because max_wal_size was reached, since the statistics began",
      min: 0,
      max: 100,
    },
    dead_rows_pct: {
      unit: "%",
      doc: "dead rows of the worst table with 10,000 or more of them",
      warning: "50",
      min: 0,
      max: 100,
    },
    wraparound_pct: {
      unit: "%",
      doc: "transaction ids used before the oldest database must be frozen",
      warning: "50",
      critical: "80",
      min: 0,
      max: 100,
    },
    answer_us: { unit: "us", doc: "from asking to having all of these answers", min: 0 },
  },
  async open(world, flags, _args, options) {
    const { openPostgresSampler } = await import("./postgres/open.ts");
    return await openPostgresSampler(world, flags, options);
  },
});
