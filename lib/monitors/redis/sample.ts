/** What a look at Redis finds: plain data, the JSON of `mdg monitor redis --json`. Absent: this server does not tell. */
import type { LatencyFigures } from "../latency_windows.ts";
import type { Subscriber } from "./subscribers.ts";

export interface ReplicaSample {
  readonly address: string;
  readonly state: string;
  readonly lag_s?: number;
  readonly lag_bytes?: number;
}
export interface MasterSample {
  readonly address: string;
  readonly link: string;
  readonly last_io_s?: number;
  readonly sync_in_progress: boolean;
  readonly down_s?: number;
}
export interface SlowCommand {
  readonly id: number;
  readonly at_ms: number;
  readonly duration_us: number;
  /** The command and its key, never its values. */
  readonly command: string;
  readonly client: string;
}
export interface KeyspaceSample {
  readonly database: string;
  readonly keys: number;
  readonly expires: number;
  readonly average_ttl_ms?: number;
}
export interface LatencySample {
  readonly last: LatencyFigures;
  readonly minute: LatencyFigures;
  readonly total: LatencyFigures;
  readonly pending: number;
  readonly pending_us: number;
  readonly not_measured: number;
  readonly own_delay_us: number;
}

/** Rates are absent at the first look and after a restart of the server. */
export interface NodeSample {
  readonly address: string;
  readonly up: true;
  readonly role: string;
  readonly version: string;
  readonly uptime_s?: number;
  readonly loading: boolean;
  readonly ops_per_s?: number;
  readonly own_ops_per_s?: number;
  readonly hits_per_s?: number;
  readonly misses_per_s?: number;
  readonly hit_pct?: number;
  readonly in_bytes_per_s?: number;
  readonly out_bytes_per_s?: number;
  readonly evicted_per_s?: number;
  readonly expired_per_s?: number;
  readonly rejected_per_s?: number;
  readonly memory: {
    readonly used_bytes?: number;
    readonly peak_bytes?: number;
    readonly rss_bytes?: number;
    /** Absent: no limit. */
    readonly max_bytes?: number;
    readonly used_pct?: number;
    readonly fragmentation?: number;
    readonly policy?: string;
  };
  readonly clients: {
    readonly connected?: number;
    readonly blocked?: number;
    readonly max?: number;
    readonly used_pct?: number;
    /** Closed because of their output buffer, since the server started. */
    readonly buffer_closed?: number;
  };
  readonly persistence: {
    readonly unsaved_changes?: number;
    readonly last_save_failed: boolean;
    readonly aof_write_failed: boolean;
  };
  readonly master?: MasterSample;
  readonly replicas: readonly ReplicaSample[];
  readonly pubsub: {
    readonly channels?: number;
    readonly patterns?: number;
    /** Those with most subscribers. Absent: too many to list, or not allowed. */
    readonly top?: readonly { readonly channel: string; readonly subscribers: number }[];
    readonly subscribers?: number;
    /** The fullest ones. */
    readonly fullest?: readonly Subscriber[];
    readonly limits?: { readonly hard_bytes: number; readonly soft_bytes: number; readonly soft_s: number };
  };
  readonly slow_log?: readonly SlowCommand[];
  readonly slow_per_s?: number;
  readonly latency: LatencySample;
  readonly keyspace: readonly KeyspaceSample[];
  /** Commands that this user may not use. */
  readonly refused: readonly string[];
  /** What a Cluster says of it. */
  readonly slots?: number;
}
export interface LostNode {
  readonly address: string;
  readonly up: false;
  readonly role: string;
  readonly reason: string;
  readonly latency: LatencySample;
  readonly slots?: number;
}
export type AnyNode = NodeSample | LostNode;

export interface ClusterSample {
  readonly state: string;
  readonly slots_covered: number;
  readonly slots_migrating: number;
  readonly masters: number;
  readonly replicas: number;
  /** Nodes that a node holds for failed or failing. */
  readonly failing: readonly string[];
}
export interface SentinelSample {
  readonly address: string;
  readonly up: boolean;
  readonly reason?: string;
  /** Which master it names. */
  readonly master?: string;
  readonly known_replicas?: number;
  readonly known_sentinels?: number;
  readonly quorum?: number;
  readonly master_down?: boolean;
}
export interface RedisSample {
  readonly topology: "single" | "sentinel" | "cluster";
  readonly nodes: readonly AnyNode[];
  /** There are more nodes than are asked. */
  readonly nodes_not_asked?: number;
  /** Of all nodes together. */
  readonly latency: LatencySample;
  readonly cluster?: ClusterSample;
  readonly sentinels?: readonly SentinelSample[];
}
