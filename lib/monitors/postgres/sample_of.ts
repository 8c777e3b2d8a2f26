/** The answers of one look as its sample. Pure. */
import type { CounterRates } from "../counter_rates.ts";
import type { Part } from "./queries.ts";
import type { PostgresSample, ReplicaRow, Session, SlotRow, TableRow } from "./sample.ts";

type Row = Record<string, unknown>;
export type Answers = Readonly<Record<Part, readonly Row[]>>;

const COUNTERS = [
  "commits",
  "rollbacks",
  "blocks_read",
  "blocks_hit",
  "rows_returned",
  "rows_fetched",
  "rows_inserted",
  "rows_updated",
  "rows_deleted",
  "temp_bytes",
  "deadlocks",
  "conflicts",
] as const;
export type Counter =
  | typeof COUNTERS[number]
  | `checkpoint_${
    | "timed"
    | "requested"
    | "write_ms"
    | "sync_ms"
    | "buffers"
    | "buffers_backend"
    | "cleaner_stopped"}`
  | "position";
export type PostgresRates = CounterRates<Counter>;

export function countersOf({ totals: [totals], checkpoints: [checkpoints], wal: [wal] }: Answers) {
  const counters: Partial<Record<Counter, number>> = {};
  for (const name of COUNTERS) counters[name] = numberOf(totals[name]);
  for (
    const name of [
      "timed",
      "requested",
      "write_ms",
      "sync_ms",
      "buffers",
      "buffers_backend",
      "cleaner_stopped",
    ] as const
  ) {
    counters[`checkpoint_${name}`] = numberOf(checkpoints[name]);
  }
  counters.position = numberOf(wal.position);
  return counters;
}

/** Counters begin anew with another process, another role, or when somebody resets them. */
export function epochOf({ server: [server], totals: [totals], checkpoints: [checkpoints] }: Answers): string {
  return [server.started, server.is_standby, totals.reset, checkpoints.reset].join(" ");
}

/** NULL and what is no number is absent. */
function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
function sum(...values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

export function postgresSampleOf(
  answers: Answers,
  rates: PostgresRates,
  { answer_us, own }: { answer_us: number; own: number },
): PostgresSample {
  const { server: [server], checkpoints: [checkpoints], wal: [wal], archiver: [archiver] } = answers;
  const max = numberOf(server.max_connections) ?? 0;
  const by_state = Object.fromEntries(
    answers.states.map(({ state, count }) => [String(state), Number(count)]),
  );
  const transactions = sum(rates.grown("commits"), rates.grown("rollbacks"));
  const all_per_s = sum(rates.per_s("commits"), rates.per_s("rollbacks"));
  const others = transactions ? Math.max(0, transactions - own) / transactions : 0;
  const is_standby = server.is_standby === true;
  return {
    version: String(server.version),
    role: is_standby ? "standby" : "primary",
    database: String(server.database),
    uptime_s: numberOf(server.uptime_s) ?? 0,
    answer_us: Math.round(answer_us),
    sees_all: server.sees_all === true,
    connections: {
      total: Object.values(by_state).reduce((total, count) => total + count, 0),
      max,
      usable: max - (numberOf(server.reserved_connections) ?? 0),
      by_state,
    },
    sessions: sessionsOf(answers.sessions),
    transactions_per_s: all_per_s === undefined ? undefined : all_per_s * others,
    rollbacks_per_s: rates.per_s("rollbacks"),
    blocks_read_per_s: rates.per_s("blocks_read"),
    blocks_hit_per_s: rates.per_s("blocks_hit"),
    rows_read_per_s: sum(rates.per_s("rows_returned"), rates.per_s("rows_fetched")),
    rows_written_per_s: sum(
      rates.per_s("rows_inserted"),
      rates.per_s("rows_updated"),
      rates.per_s("rows_deleted"),
    ),
    temp_bytes_per_s: rates.per_s("temp_bytes"),
    deadlocks_per_s: rates.per_s("deadlocks"),
    conflicts_per_s: rates.per_s("conflicts"),
    wal_bytes_per_s: rates.per_s("position"),
    standby: is_standby
      ? {
        not_replayed_bytes: numberOf(wal.not_replayed_bytes),
        behind_s: numberOf(wal.behind_s),
        receiver: textOf(wal.receiver),
      }
      : undefined,
    replicas: answers.replicas.map(replicaOf),
    slots: answers.slots.map(slotOf),
    checkpoints: checkpointsOf(checkpoints, rates),
    archiver: {
      is_on: archiver?.is_on === true,
      failed: numberOf(archiver?.failed) ?? 0,
      is_failing: archiver?.is_failing === true,
    },
    has_autovacuum: server.has_autovacuum === true,
    tables: answers.tables.map(tableOf),
    oldest_xid_age: numberOf(server.oldest_xid_age),
  };
}

function checkpointsOf(row: Row, rates: PostgresRates): PostgresSample["checkpoints"] {
  return {
    timed: numberOf(row.timed) ?? 0,
    requested: numberOf(row.requested) ?? 0,
    timed_now: rates.grown("checkpoint_timed"),
    requested_now: rates.grown("checkpoint_requested"),
    write_ms_per_s: rates.per_s("checkpoint_write_ms"),
    sync_ms_per_s: rates.per_s("checkpoint_sync_ms"),
    buffers_per_s: rates.per_s("checkpoint_buffers"),
    backend_buffers_per_s: rates.per_s("checkpoint_buffers_backend"),
    cleaner_stopped_per_s: rates.per_s("checkpoint_cleaner_stopped"),
  };
}

function sessionsOf(rows: readonly Row[]): Session[] {
  const blocks = new Map<number, number>();
  for (const { blocked_by } of rows) {
    for (const pid of new Set(blocked_by as number[])) blocks.set(pid, (blocks.get(pid) ?? 0) + 1);
  }
  return rows.map((row) => {
    const pid = Number(row.pid);
    const kind = textOf(row.wait_event_type);
    return {
      pid,
      began: String(row.began),
      database: textOf(row.database),
      user: textOf(row.user),
      application: textOf(row.application),
      client: textOf(row.client),
      type: String(row.type),
      state: textOf(row.state),
      waits_for: kind && `${kind}: ${row.wait_event}`,
      is_waiting: kind === "Lock",
      wait_s: numberOf(row.wait_s),
      transaction_s: numberOf(row.transaction_s),
      query_s: numberOf(row.query_s),
      state_s: numberOf(row.state_s),
      query: withoutPasswords(String(row.query ?? "")),
      // 0 stands for a prepared transaction, which has no process.
      blocked_by: [...new Set(row.blocked_by as number[])],
      blocks: blocks.get(pid) ?? 0,
    };
  });
}

/** `ALTER ROLE … PASSWORD '…'` stands in the statistics as it was typed. */
function withoutPasswords(query: string): string {
  return query.replaceAll(/\b(password\s*=?\s*)(e?'(?:[^']|'')*'?|\$(\w*)\$.*)/gis, "$1***");
}

function replicaOf(row: Row): ReplicaRow {
  return {
    name: String(row.name),
    client: textOf(row.client),
    state: String(row.state),
    sync_state: String(row.sync_state),
    behind_bytes: numberOf(row.behind_bytes),
    behind_s: numberOf(row.behind_s),
  };
}

function slotOf(row: Row): SlotRow {
  return {
    name: String(row.name),
    type: String(row.type),
    active: row.active === true,
    wal_status: textOf(row.wal_status),
    kept_bytes: numberOf(row.kept_bytes),
  };
}

function tableOf(row: Row): TableRow {
  const number = (name: string) => numberOf(row[name]) ?? 0;
  return {
    schema: String(row.schema),
    name: String(row.name),
    live_rows: number("live_rows"),
    dead_rows: number("dead_rows"),
    changed_rows: number("changed_rows"),
    bytes: numberOf(row.bytes),
    vacuum_s: numberOf(row.vacuum_s),
    analyze_s: numberOf(row.analyze_s),
    sequential_scans: numberOf(row.sequential_scans),
    index_scans: numberOf(row.index_scans),
  };
}
