/** The numbers of a sample that checks judge, its headline, and what is wrong that no number says. */
import { countText, secondsText } from "../../tui/quantity.ts";
import type { Finding, Readings } from "../monitor.ts";
import type { PostgresSample, Session } from "./sample.ts";

/** A table with fewer dead rows is no burden, whatever their share. */
const MIN_DEAD_ROWS = 10_000;
/** Transaction ids that can be told apart: beyond them the server refuses to go on. */
const MAX_XID_AGE = 2 ** 31;
const MAX_BLOCKERS_TOLD = 3;

function most(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

export function deadRowsPct({ live_rows, dead_rows }: { live_rows: number; dead_rows: number }): number {
  return dead_rows === 0 ? 0 : 100 * dead_rows / (live_rows + dead_rows);
}

export function postgresReadings(sample: PostgresSample): Readings {
  const { connections, sessions, checkpoints, standby } = sample;
  const { total, usable, by_state } = connections;
  const clients = sessions.filter(({ type }) => type === "client backend");
  const longest = (all: readonly Session[], of: (one: Session) => number | undefined) =>
    most([0, ...all.map(of)]);
  const hits = sample.blocks_hit_per_s;
  const blocks = hits === undefined ? 0 : hits + (sample.blocks_read_per_s ?? 0);
  const ended = checkpoints.timed + checkpoints.requested;
  const { transactions_per_s } = sample;
  const burdened = sample.tables.filter(({ dead_rows }) => dead_rows >= MIN_DEAD_ROWS);
  return {
    connections: total,
    connections_pct: usable > 0 ? 100 * total / usable : undefined,
    active: by_state.active ?? 0,
    idle_in_transaction: (by_state["idle in transaction"] ?? 0) +
      (by_state["idle in transaction (aborted)"] ?? 0),
    waiting: sessions.filter(({ is_waiting }) => is_waiting).length,
    longest_wait_s: longest(
      sessions.filter(({ is_waiting }) => is_waiting),
      ({ wait_s, query_s }) => wait_s ?? query_s,
    ),
    longest_query_s: longest(clients.filter(({ state }) => state === "active"), ({ query_s }) => query_s),
    longest_transaction_s: longest(clients, ({ transaction_s }) => transaction_s),
    longest_idle_in_transaction_s: longest(
      clients.filter(({ state }) => state?.startsWith("idle in transaction")),
      ({ state_s }) => state_s,
    ),
    transactions_per_s,
    rollback_pct: transactions_per_s && sample.rollbacks_per_s !== undefined
      ? Math.min(100, 100 * sample.rollbacks_per_s / transactions_per_s)
      : undefined,
    cache_hit_pct: blocks > 0 ? 100 * (hits ?? 0) / blocks : undefined,
    deadlocks_per_s: sample.deadlocks_per_s,
    temp_bytes_per_s: sample.temp_bytes_per_s,
    wal_bytes_per_s: sample.wal_bytes_per_s,
    replicas: sample.replicas.filter(({ state }) => state === "streaming").length,
    replica_lag_bytes: most([
      ...sample.replicas.map(({ behind_bytes }) => behind_bytes),
      standby?.not_replayed_bytes,
    ]),
    replica_lag_s: most([...sample.replicas.map(({ behind_s }) => behind_s), standby?.behind_s]),
    slot_bytes: most(sample.slots.map(({ kept_bytes }) => kept_bytes)),
    checkpoints_requested_pct: ended > 0 ? 100 * checkpoints.requested / ended : undefined,
    dead_rows_pct: most([0, ...burdened.map(deadRowsPct)]),
    wraparound_pct: sample.oldest_xid_age === undefined
      ? undefined
      : 100 * sample.oldest_xid_age / MAX_XID_AGE,
    answer_us: sample.answer_us,
  };
}

export function postgresFindings(sample: PostgresSample): Finding[] {
  const findings: Finding[] = [];
  const say = (level: Finding["level"], text: string) => findings.push({ level, text });
  const { standby, archiver, slots, replicas } = sample;
  if (standby && standby.receiver === undefined) {
    say("critical", "the standby does not stream from any primary");
  }
  for (const { name, client, state } of replicas) {
    if (state !== "streaming") say("warning", `standby ${name || client} is in state ${state}`);
  }
  for (const { name, active, wal_status } of slots) {
    if (wal_status === "lost") say("critical", `replication slot "${name}" has lost WAL that it needs`);
    else if (wal_status === "unreserved") say("critical", `replication slot "${name}" is about to lose WAL`);
    else if (!active) say("warning", `replication slot "${name}" keeps WAL and nobody reads it`);
  }
  if (archiver.is_on && archiver.is_failing) say("critical", "the last WAL file could not be archived");
  if (!sample.has_autovacuum) say("warning", "autovacuum is off");
  return findings;
}

/** The worst blockers, for the line of a check: "3 wait for pid 4711 (alice, idle in transaction)". */
function blockersText(sessions: readonly Session[]): string[] {
  return sessions.filter(({ blocks, is_waiting }) => blocks > 0 && !is_waiting)
    .toSorted((one, other) => other.blocks - one.blocks).slice(0, MAX_BLOCKERS_TOLD)
    .map(({ pid, blocks, user, state }) => `${blocks} wait for pid ${pid} (${user ?? "-"}, ${state ?? "-"})`);
}

export function postgresHeadline(sample: PostgresSample): string {
  const { connections, role, sessions } = sample;
  const { transactions_per_s, longest_transaction_s } = postgresReadings(sample);
  return [
    role,
    `${connections.total} of ${connections.max} connections`,
    `${countText(transactions_per_s)} transactions/s`,
    `oldest transaction ${secondsText(longest_transaction_s)}`,
    ...blockersText(sessions),
  ].join(", ");
}
