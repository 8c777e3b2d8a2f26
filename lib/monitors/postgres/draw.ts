/** PostgreSQL on a screen: the state in a few lines, the rest of the height for sessions, or for tables and standbys. */
import { bytesText, countText, microsecondsText, percentText, secondsText } from "../../tui/quantity.ts";
import { type Block, type Fact, type Row, type TableBlock, type Tone, toned } from "../../tui/screen.ts";
import type { Look, ViewChoice } from "../monitor.ts";
import { deadRowsPct, postgresReadings } from "./readings.ts";
import type { PostgresSample, Session } from "./sample.ts";

export const SESSIONS_TITLE = "Sessions";

/** The keys of pg_activity. */
export const VIEWS: readonly ViewChoice[] = [
  { key: "F1", name: "running", doc: "sessions that are not idle" },
  { key: "F2", name: "waiting", doc: "sessions that wait for a lock, and for whom" },
  { key: "F3", name: "blocking", doc: "sessions that others wait for" },
  { key: "F4", name: "tables", doc: "dead rows and vacuum, checkpoints, standbys and slots" },
];

export function drawPostgres(
  sample: PostgresSample,
  { view, history }: Look,
  rowId: (one: Session) => string,
): Block[] {
  const readings = postgresReadings(sample);
  const blocks: Block[] = [
    { kind: "facts", facts: facts(sample) },
    {
      kind: "trends",
      trends: [
        {
          name: "transactions/s",
          value: countText(readings.transactions_per_s),
          series: history("transactions_per_s"),
        },
      ],
    },
  ];
  if (!sample.sees_all) {
    const text = " other users' sessions are hidden from this one: GRANT pg_monitor TO it";
    blocks.push({ kind: "lines", lines: [toned("warning", text)] });
  }
  if (view === "tables") {
    blocks.push({ kind: "facts", title: "Checkpoints", facts: checkpointFacts(sample) }, tableTable(sample));
    if (sample.replicas.length > 0) blocks.push(replicaTable(sample));
    if (sample.slots.length > 0) blocks.push(slotTable(sample));
    return blocks;
  }
  const shown = sample.sessions.filter(({ state, is_waiting, blocks: count, type }) => {
    if (view === "waiting") return is_waiting;
    if (view === "blocking") return count > 0;
    return state !== "idle" && (state !== undefined || type !== "client backend");
  });
  return [...blocks, sessionTable(shown, view, rowId)];
}

function facts(sample: PostgresSample): Fact[] {
  const { connections, standby } = sample;
  const readings = postgresReadings(sample);
  const full = readings.connections_pct ?? 0;
  const found: Fact[] = [
    { name: "role", value: sample.role },
    { name: "version", value: sample.version.split(" ")[0] },
    { name: "up", value: secondsText(sample.uptime_s) },
    {
      name: "connections",
      value: toned(
        full >= 95 ? "bad" : full >= 80 ? "warning" : "plain",
        `${connections.total} of ${connections.max}`,
      ),
    },
    { name: "active", value: countText(readings.active) },
    { name: "idle", value: countText(connections.by_state.idle ?? 0) },
    { name: "idle in tx", value: countText(readings.idle_in_transaction) },
    { name: "waiting", value: toned(readings.waiting ? "warning" : "plain", countText(readings.waiting)) },
    { name: "oldest tx", value: secondsText(readings.longest_transaction_s) },
    { name: "rollbacks", value: percentText(readings.rollback_pct) },
    { name: "cache hits", value: percentText(readings.cache_hit_pct) },
    { name: "read", value: `${countText(sample.rows_read_per_s)} rows/s` },
    { name: "written", value: `${countText(sample.rows_written_per_s)} rows/s` },
    { name: "temp", value: `${bytesText(sample.temp_bytes_per_s)}/s` },
    { name: standby ? "replayed" : "WAL", value: `${bytesText(sample.wal_bytes_per_s)}/s` },
    { name: "deadlocks", value: `${countText(sample.deadlocks_per_s)}/s` },
    { name: "answer", value: microsecondsText(sample.answer_us) },
  ];
  if (sample.replicas.length > 0) {
    found.push({
      name: "standbys",
      value: `${readings.replicas} behind ${bytesText(readings.replica_lag_bytes)}`,
    });
  }
  if (standby) {
    const behind = `${bytesText(standby.not_replayed_bytes)}, ${secondsText(standby.behind_s)}`;
    found.push({ name: "behind", value: behind });
    const receiver = standby.receiver ?? "none";
    found.push({ name: "receiver", value: toned(standby.receiver ? "good" : "bad", receiver) });
  }
  return found;
}

function checkpointFacts(sample: PostgresSample): Fact[] {
  const { checkpoints, archiver } = sample;
  const { checkpoints_requested_pct, wraparound_pct } = postgresReadings(sample);
  const early: Tone = (checkpoints_requested_pct ?? 0) > 50 ? "warning" : "plain";
  return [
    { name: "timed", value: countText(checkpoints.timed) },
    {
      name: "early",
      value: toned(early, `${countText(checkpoints.requested)} (${percentText(checkpoints_requested_pct)})`),
    },
    { name: "writing", value: `${countText(checkpoints.write_ms_per_s)}ms/s` },
    { name: "syncing", value: `${countText(checkpoints.sync_ms_per_s)}ms/s` },
    { name: "buffers", value: `${countText(checkpoints.buffers_per_s)}/s` },
    { name: "by sessions", value: `${countText(checkpoints.backend_buffers_per_s)}/s` },
    { name: "archive", value: archiver.is_on ? archiver.is_failing ? toned("bad", "failing") : "on" : "off" },
    { name: "ids used", value: percentText(wraparound_pct) },
  ];
}

const TITLES: Readonly<Record<string, string>> = {
  running: "nothing runs",
  waiting: "nobody waits for a lock",
  blocking: "nobody is waited for",
};

function sessionTable(
  sessions: readonly Session[],
  view: string,
  rowId: (one: Session) => string,
): TableBlock {
  const is_about_locks = view !== "running";
  const third = view === "blocking" ? "blocks" : "blocked by";
  return {
    kind: "table",
    title: SESSIONS_TITLE,
    columns: [
      { name: "pid", align: "right", key: "p" },
      { name: "database", key: "d", optional: true },
      { name: "user", key: "u" },
      { name: "client", optional: !is_about_locks },
      { name: "time", align: "right", key: "t" },
      { name: "tx", align: "right", key: "x" },
      { name: "state", key: "s" },
      ...(is_about_locks ? [{ name: third }] : [{ name: "waits for", key: "w", optional: true } as const]),
      { name: "query", grows: true },
    ],
    empty: TITLES[view],
    sort: { column: "time", descending: true },
    rows: sessions.map((one): Row => {
      const time_s = one.wait_s ?? (one.state === "active" ? one.query_s : one.state_s);
      return {
        id: rowId(one),
        tone: one.is_waiting ? "warning" : one.blocks > 0 ? "bad" : "plain",
        cells: [
          { text: String(one.pid), order: one.pid },
          one.database ?? "-",
          one.user ?? one.type,
          one.client ?? "local",
          { text: secondsText(time_s), order: time_s },
          { text: secondsText(one.transaction_s), order: one.transaction_s },
          stateText(one),
          is_about_locks
            ? view === "blocking"
              ? { text: String(one.blocks), order: one.blocks }
              : one.blocked_by.join(" ") || "-"
            : one.waits_for ?? "",
          one.query.trim(),
        ],
      };
    }),
  };
}

function stateText({ state, is_waiting, type }: Session): string {
  if (is_waiting) return "waiting";
  const short: Readonly<Record<string, string>> = {
    "idle in transaction": "idle in tx",
    "idle in transaction (aborted)": "aborted tx",
    "fastpath function call": "fastpath",
  };
  return short[state ?? ""] ?? state ?? type;
}

function tableTable(sample: PostgresSample): TableBlock {
  return {
    kind: "table",
    title: `Tables of ${sample.database}`,
    columns: [
      { name: "table", grows: true },
      { name: "size", align: "right", key: "s" },
      { name: "rows", align: "right", key: "r" },
      { name: "dead", align: "right", key: "d" },
      { name: "dead%", align: "right" },
      { name: "vacuumed", align: "right", key: "v" },
      { name: "analyzed", align: "right", optional: true },
      { name: "seq scans", align: "right", optional: true },
    ],
    empty: "no tables",
    sort: { column: "dead", descending: true },
    rows: sample.tables.map((one): Row => {
      const pct = deadRowsPct(one);
      return {
        id: `${one.schema}.${one.name}`,
        tone: pct >= 50 && one.dead_rows >= 10_000 ? "warning" : "plain",
        cells: [
          one.schema === "public" ? one.name : `${one.schema}.${one.name}`,
          { text: bytesText(one.bytes), order: one.bytes },
          { text: countText(one.live_rows), order: one.live_rows },
          { text: countText(one.dead_rows), order: one.dead_rows },
          { text: percentText(pct), order: pct },
          {
            text: one.vacuum_s === undefined ? "never" : `${secondsText(one.vacuum_s)} ago`,
            order: one.vacuum_s,
          },
          {
            text: one.analyze_s === undefined ? "never" : `${secondsText(one.analyze_s)} ago`,
            order: one.analyze_s,
          },
          { text: countText(one.sequential_scans), order: one.sequential_scans },
        ],
      };
    }),
  };
}

function replicaTable({ replicas }: PostgresSample): TableBlock {
  return {
    kind: "table",
    title: "Standbys",
    columns: [
      { name: "name", grows: true },
      { name: "client" },
      { name: "state" },
      { name: "sync" },
      { name: "behind", align: "right" },
      { name: "in time", align: "right" },
    ],
    rows: replicas.map(({ name, client, state, sync_state, behind_bytes, behind_s }): Row => ({
      id: `${name} ${client}`,
      tone: state === "streaming" ? "plain" : "warning",
      cells: [
        name,
        client ?? "local",
        state,
        sync_state,
        { text: bytesText(behind_bytes), order: behind_bytes },
        { text: secondsText(behind_s), order: behind_s },
      ],
    })),
  };
}

function slotTable({ slots }: PostgresSample): TableBlock {
  return {
    kind: "table",
    title: "Replication slots",
    columns: [
      { name: "slot", grows: true },
      { name: "type" },
      { name: "read" },
      { name: "WAL" },
      { name: "kept", align: "right" },
    ],
    rows: slots.map(({ name, type, active, wal_status, kept_bytes }): Row => ({
      id: name,
      tone: active ? "plain" : "warning",
      cells: [name, type, active ? "yes" : "no", wal_status ?? "-", {
        text: bytesText(kept_bytes),
        order: kept_bytes,
      }],
    })),
  };
}
