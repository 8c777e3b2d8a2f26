/** The answers of one node as its sample. Pure: what is kept from look to look comes with them. */
import type { CounterRates } from "../counter_rates.ts";
import { latencyFigures } from "../latency_windows.ts";
import type { RedisInfo } from "./info.ts";
import type { LatencyLook } from "./latency_probe.ts";
import type {
  KeyspaceSample,
  LatencySample,
  MasterSample,
  NodeSample,
  ReplicaSample,
  SlowCommand,
} from "./sample.ts";
import { limitsOf, type SubscriberWatch } from "./subscribers.ts";

const SHOWN_CHANNELS = 20;
const SHOWN_SUBSCRIBERS = 50;

/** The counters of a node. */
export function countersOf(info: RedisInfo, own_commands: number, slow_id: number | undefined) {
  return {
    commands: info.number("total_commands_processed"),
    own_commands,
    hits: info.number("keyspace_hits"),
    misses: info.number("keyspace_misses"),
    in_bytes: info.number("total_net_input_bytes"),
    out_bytes: info.number("total_net_output_bytes"),
    evicted: info.number("evicted_keys"),
    expired: info.number("expired_keys"),
    rejected: info.number("rejected_connections"),
    /** Entries of the slow log have ids that rise by one. */
    slow: slow_id,
  };
}
export type Counter = keyof ReturnType<typeof countersOf>;

export interface NodeAnswers {
  readonly address: string;
  readonly rates: CounterRates<Counter>;
  readonly subscribers: SubscriberWatch;
  readonly now_ms: number;
  readonly latency: LatencyLook;
  readonly values: ReadonlyMap<string, unknown>;
  readonly channels: readonly { channel: string; subscribers: number }[] | undefined;
  readonly refusals: readonly string[];
}

export function nodeSampleOf(info: RedisInfo, answers: NodeAnswers): NodeSample {
  const { address, rates, latency, values, channels, refusals } = answers;
  const hits_per_s = rates.per_s("hits");
  const misses_per_s = rates.per_s("misses");
  const lookups = (hits_per_s ?? 0) + (misses_per_s ?? 0);
  const all_per_s = rates.per_s("commands");
  const own_ops_per_s = rates.per_s("own_commands");
  const slow_log = slowLogOf(values.get("slow"));
  return {
    address,
    up: true,
    role: info.text("redis_mode") === "sentinel" ? "sentinel" : roleOf(info.text("role")),
    version: info.text("valkey_version") ?? info.text("redis_version") ?? "",
    uptime_s: info.number("uptime_in_seconds"),
    loading: info.number("loading") === 1 || info.number("async_loading") === 1,
    ops_per_s: all_per_s === undefined ? undefined : Math.max(0, all_per_s - (own_ops_per_s ?? 0)),
    own_ops_per_s,
    hits_per_s,
    misses_per_s,
    hit_pct: lookups > 0 ? 100 * (hits_per_s ?? 0) / lookups : undefined,
    in_bytes_per_s: rates.per_s("in_bytes"),
    out_bytes_per_s: rates.per_s("out_bytes"),
    evicted_per_s: rates.per_s("evicted"),
    expired_per_s: rates.per_s("expired"),
    rejected_per_s: rates.per_s("rejected"),
    memory: memoryOf(info),
    clients: clientsOf(info),
    persistence: {
      unsaved_changes: info.number("rdb_changes_since_last_save"),
      last_save_failed: (info.text("rdb_last_bgsave_status") ?? "ok") !== "ok",
      aof_write_failed: (info.text("aof_last_write_status") ?? "ok") !== "ok",
    },
    master: masterOf(info),
    replicas: replicasOf(info),
    pubsub: pubsubOf(info, answers, channels),
    slow_log,
    slow_per_s: rates.per_s("slow"),
    latency: latencySampleOf(latency),
    keyspace: keyspaceOf(info),
    refused: refusals,
  };
}

export function latencySampleOf(look: LatencyLook): LatencySample {
  const { last, minute, total, pending, pending_us, not_measured, own_delay_us } = look;
  return {
    last: latencyFigures(last),
    minute: latencyFigures(minute),
    total: latencyFigures(total),
    pending,
    pending_us: Math.round(pending_us),
    not_measured,
    own_delay_us: Math.round(own_delay_us),
  };
}

function roleOf(role: string | undefined): string {
  return role === "slave" ? "replica" : role ?? "unknown";
}

function memoryOf(info: RedisInfo): NodeSample["memory"] {
  const used_bytes = info.number("used_memory");
  const max_bytes = info.number("maxmemory") || undefined;
  return {
    used_bytes,
    peak_bytes: info.number("used_memory_peak"),
    rss_bytes: info.number("used_memory_rss"),
    max_bytes,
    used_pct: max_bytes && used_bytes !== undefined ? 100 * used_bytes / max_bytes : undefined,
    fragmentation: info.number("mem_fragmentation_ratio"),
    policy: info.text("maxmemory_policy"),
  };
}

function clientsOf(info: RedisInfo): NodeSample["clients"] {
  const connected = info.number("connected_clients");
  const max = info.number("maxclients");
  return {
    connected,
    blocked: info.number("blocked_clients"),
    max,
    used_pct: max && connected !== undefined ? 100 * connected / max : undefined,
    buffer_closed: info.number("client_output_buffer_limit_disconnections"),
  };
}

function masterOf(info: RedisInfo): MasterSample | undefined {
  if (info.text("role") !== "slave") return undefined;
  const last_io_s = info.number("master_last_io_seconds_ago");
  return {
    address: `${info.text("master_host")}:${info.text("master_port")}`,
    link: info.text("master_link_status") ?? "unknown",
    last_io_s: last_io_s === undefined || last_io_s < 0 ? undefined : last_io_s,
    sync_in_progress: info.number("master_sync_in_progress") === 1,
    down_s: info.number("master_link_down_since_seconds"),
  };
}

function replicasOf(info: RedisInfo): ReplicaSample[] {
  const reached = info.number("master_repl_offset");
  return info.numbered("slave").map(({ parts }) => {
    const offset = Number(parts.get("offset") ?? NaN);
    const lag = Number(parts.get("lag") ?? NaN);
    return {
      address: `${parts.get("ip")}:${parts.get("port")}`,
      state: parts.get("state") ?? "unknown",
      lag_s: Number.isFinite(lag) && lag >= 0 ? lag : undefined,
      lag_bytes: reached !== undefined && Number.isFinite(offset) ? Math.max(0, reached - offset) : undefined,
    };
  });
}

function pubsubOf(
  info: RedisInfo,
  { values, subscribers, now_ms }: NodeAnswers,
  channels: NodeAnswers["channels"],
): NodeSample["pubsub"] {
  const [, setting] = (values.get("limits") ?? []) as string[];
  const limits = setting === undefined ? undefined : limitsOf(setting, "pubsub");
  const list = values.get("subscribers");
  const found = typeof list === "string" ? subscribers.look(list, limits, now_ms) : undefined;
  const plain = info.number("pubsub_channels");
  return {
    channels: plain === undefined ? undefined : plain + (info.number("pubsubshard_channels") ?? 0),
    patterns: info.number("pubsub_patterns"),
    top: channels?.slice(0, SHOWN_CHANNELS),
    subscribers: found?.length,
    fullest: found?.slice(0, SHOWN_SUBSCRIBERS),
    limits,
  };
}

/** `[id, unix seconds, µs, [command, …], client, name]`, newest first. */
export function slowLogOf(reply: unknown): SlowCommand[] | undefined {
  if (!Array.isArray(reply)) return undefined;
  return reply.map((entry) => {
    const [id, at_s, duration_us, words, client] = entry as [number, number, number, string[], string?];
    return {
      id,
      at_ms: at_s * 1_000,
      duration_us,
      command: words.slice(0, 2).map((word) => word.slice(0, 64)).join(" "),
      client: client ?? "",
    };
  });
}

function keyspaceOf(info: RedisInfo): KeyspaceSample[] {
  return info.numbered("db").map(({ name, parts }) => ({
    database: name,
    keys: Number(parts.get("keys") ?? 0),
    expires: Number(parts.get("expires") ?? 0),
    average_ttl_ms: Number(parts.get("avg_ttl") ?? 0) || undefined,
  }));
}
