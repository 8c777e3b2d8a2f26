/** The numbers of a sample that checks judge: sums over all nodes for what adds up, else that of the worst node. */
import { CLUSTER_SLOTS } from "../../wire/redis/cluster_slot.ts";
import { bytesText, countText, microsecondsText, percentText } from "../../tui/quantity.ts";
import type { Readings } from "../monitor.ts";
import type { NodeSample, RedisSample } from "./sample.ts";

export function upNodes({ nodes }: RedisSample): NodeSample[] {
  return nodes.filter((node) => node.up);
}

/** Undefined when none has the number: absent is not 0. */
export function total(
  nodes: readonly NodeSample[],
  of: (node: NodeSample) => number | undefined,
): number | undefined {
  const values = nodes.map(of).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
function most(
  nodes: readonly NodeSample[],
  of: (node: NodeSample) => number | undefined,
): number | undefined {
  const values = nodes.map(of).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : Math.max(...values);
}

export function redisReadings(sample: RedisSample): Readings {
  const nodes = upNodes(sample);
  const masters = nodes.filter(({ role }) => role === "master");
  const replicas = nodes.flatMap((node) => node.replicas);
  const hits = total(nodes, (node) => node.hits_per_s);
  const misses = total(nodes, (node) => node.misses_per_s);
  const lookups = (hits ?? 0) + (misses ?? 0);
  const largest = (values: (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  return {
    ops_per_s: total(nodes, (node) => node.ops_per_s),
    hit_pct: lookups > 0 ? 100 * (hits ?? 0) / lookups : undefined,
    memory_bytes: total(nodes, (node) => node.memory.used_bytes),
    memory_pct: most(nodes, (node) => node.memory.used_pct),
    clients: total(nodes, (node) => node.clients.connected),
    clients_pct: most(nodes, (node) => node.clients.used_pct),
    blocked_clients: total(nodes, (node) => node.clients.blocked),
    replicas: replicas.filter(({ state }) => state === "online").length,
    replica_lag_bytes: largest(replicas.map(({ lag_bytes }) => lag_bytes)),
    replica_lag_s: largest([
      ...replicas.map(({ lag_s }) => lag_s),
      ...nodes.map(({ master }) => master?.down_s ?? master?.last_io_s),
    ]),
    channels: total(nodes, (node) => node.pubsub.channels),
    subscriber_buffer_pct: largest(nodes.map(({ pubsub }) => fullestPct(pubsub))),
    slow_per_s: total(nodes, (node) => node.slow_per_s),
    evicted_per_s: total(nodes, (node) => node.evicted_per_s),
    rejected_per_s: total(nodes, (node) => node.rejected_per_s),
    latency_p50_us: sample.latency.last.p50_us,
    latency_p99_us: sample.latency.last.p99_us,
    latency_max_us: sample.latency.last.max_us,
    keys: total(
      masters.length > 0 ? masters : nodes,
      (node) => node.keyspace.reduce((sum, { keys }) => sum + keys, 0),
    ),
    nodes_down: sample.nodes.length - nodes.length,
    slots_uncovered: sample.cluster && CLUSTER_SLOTS - sample.cluster.slots_covered,
  };
}

/** 0 when nobody subscribes; absent where there is no limit or no leave to look. */
function fullestPct({ fullest, limits }: NodeSample["pubsub"]): number | undefined {
  if (fullest === undefined || limits === undefined) return undefined;
  if (limits.hard_bytes === 0 && limits.soft_bytes === 0) return undefined;
  return fullest[0]?.limit_pct ?? 0;
}

export function redisHeadline(sample: RedisSample): string {
  const nodes = upNodes(sample);
  const { ops_per_s, clients, memory_bytes, memory_pct, latency_p99_us } = redisReadings(sample);
  const role = sample.topology === "single"
    ? nodes[0].role
    : `${nodes.length} of ${sample.nodes.length} nodes up`;
  const memory = memory_pct === undefined
    ? bytesText(memory_bytes)
    : `${bytesText(memory_bytes)} (${percentText(memory_pct)})`;
  const parts = [
    role,
    `${countText(ops_per_s)} ops/s`,
    `${countText(clients)} clients`,
    `memory ${memory}`,
    `ping p99 ${microsecondsText(latency_p99_us).replace("µ", "u")}`,
  ];
  const fullest = nodes.flatMap(({ pubsub }) => pubsub.fullest ?? [])
    .toSorted((one, other) => (other.limit_pct ?? 0) - (one.limit_pct ?? 0))[0];
  if ((fullest?.limit_pct ?? 0) >= 25) {
    const name = fullest.name === "" ? "" : ` ${fullest.name}`;
    parts.push(`fullest subscriber ${fullest.address}${name} ${bytesText(fullest.buffer_bytes)}`);
  }
  return parts.join(", ");
}
