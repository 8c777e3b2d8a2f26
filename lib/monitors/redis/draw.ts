/** Redis on a screen: what matters first fits 80×24, F2 and F3 give subscribers and slow commands the whole height. */
import { bytesText, countText, microsecondsText, percentText, secondsText } from "../../tui/quantity.ts";
import {
  type Block,
  type Cell,
  type Fact,
  type Row,
  type TableBlock,
  type Tone,
  toned,
} from "../../tui/screen.ts";
import type { LatencyFigures } from "../latency_windows.ts";
import type { Look, ViewChoice } from "../monitor.ts";
import { redisReadings, total, upNodes } from "./readings.ts";
import type { AnyNode, NodeSample, RedisSample } from "./sample.ts";

export const VIEWS: readonly ViewChoice[] = [
  { key: "F1", name: "overview", doc: "load, memory, latency, replication" },
  { key: "F2", name: "pub/sub", doc: "subscribers by their output buffer, channels" },
  { key: "F3", name: "slow log", doc: "slow commands, databases" },
];

export function drawRedis(sample: RedisSample, { view, history }: Look): Block[] {
  const nodes = upNodes(sample);
  if (view === "pub/sub") return [subscriberTable(nodes), channelTable(nodes), ...refusedLines(nodes)];
  if (view === "slow log") return [slowTable(nodes), keyspaceTable(nodes), ...refusedLines(nodes)];
  const readings = redisReadings(sample);
  const blocks: Block[] = [
    { kind: "facts", facts: sample.topology === "single" ? nodeFacts(nodes[0]) : clusterFacts(sample) },
    {
      kind: "trends",
      trends: [
        { name: "ops/s", value: countText(readings.ops_per_s), series: history("ops_per_s") },
        {
          name: "ping p99",
          value: microsecondsText(readings.latency_p99_us),
          series: history("latency_p99_us"),
        },
      ],
    },
    latencyTable(sample),
  ];
  if (sample.topology !== "single") blocks.push(nodeTable(sample));
  if (sample.sentinels) blocks.push(sentinelTable(sample));
  const replicas = nodes.flatMap((node) => node.replicas.map((replica) => ({ node, replica })));
  if (replicas.length > 0 && sample.topology === "single") blocks.push(replicaTable(nodes));
  if (nodes.some(({ pubsub }) => (pubsub.subscribers ?? 0) > 0)) blocks.push(subscriberTable(nodes));
  return [...blocks, ...refusedLines(nodes)];
}

function nodeFacts(node: NodeSample): Fact[] {
  const { memory, clients, persistence, master, pubsub } = node;
  const of = (max: number | undefined, text: (value: number | undefined) => string) =>
    max === undefined ? "" : ` of ${text(max)}`;
  const facts: Fact[] = [
    { name: "role", value: node.role },
    { name: "version", value: node.version },
    { name: "up", value: secondsText(node.uptime_s) },
    { name: "clients", value: `${countText(clients.connected)}${of(clients.max, countText)}` },
    { name: "blocked", value: countText(clients.blocked) },
    {
      name: "memory",
      value: toned(
        pctTone(memory.used_pct),
        `${bytesText(memory.used_bytes)}${of(memory.max_bytes, bytesText)}`,
      ),
    },
    { name: "peak", value: bytesText(memory.peak_bytes) },
    { name: "rss", value: `${bytesText(memory.rss_bytes)} ×${memory.fragmentation ?? "-"}` },
    { name: "policy", value: memory.policy ?? "-" },
    { name: "keys", value: countText(node.keyspace.reduce((sum, { keys }) => sum + keys, 0)) },
    { name: "hits", value: percentText(node.hit_pct) },
    { name: "in", value: `${bytesText(node.in_bytes_per_s)}/s` },
    { name: "out", value: `${bytesText(node.out_bytes_per_s)}/s` },
    { name: "evicted", value: `${countText(node.evicted_per_s)}/s` },
    { name: "expired", value: `${countText(node.expired_per_s)}/s` },
    { name: "slow", value: `${countText(node.slow_per_s)}/s` },
    { name: "channels", value: countText(pubsub.channels) },
    { name: "subscribers", value: countText(pubsub.subscribers) },
    { name: "unsaved", value: countText(persistence.unsaved_changes) },
  ];
  if (clients.buffer_closed) {
    facts.push({ name: "cut off", value: toned("warning", countText(clients.buffer_closed)) });
  }
  if (master) {
    const tone: Tone = master.link === "up" ? "good" : "bad";
    facts.push({ name: "master", value: [master.address, " ", toned(tone, master.link)] });
    facts.push({ name: "heard of", value: `${secondsText(master.last_io_s ?? master.down_s)} ago` });
  }
  return facts;
}

function clusterFacts(sample: RedisSample): Fact[] {
  const nodes = upNodes(sample);
  const { cluster } = sample;
  const readings = redisReadings(sample);
  const facts: Fact[] = [
    {
      name: "nodes",
      value: toned(
        nodes.length === sample.nodes.length ? "good" : "bad",
        `${nodes.length} of ${sample.nodes.length} up`,
      ),
    },
    { name: "clients", value: countText(readings.clients) },
    { name: "memory", value: bytesText(readings.memory_bytes) },
    { name: "keys", value: countText(readings.keys) },
    { name: "hits", value: percentText(readings.hit_pct) },
    { name: "out", value: `${bytesText(total(nodes, (node) => node.out_bytes_per_s))}/s` },
  ];
  if (!cluster) return facts;
  const covered = redisReadings(sample).slots_uncovered === 0;
  return [
    { name: "cluster", value: toned(cluster.state === "ok" ? "good" : "bad", cluster.state) },
    { name: "slots", value: toned(covered ? "good" : "bad", `${cluster.slots_covered} of 16384`) },
    { name: "moving", value: String(cluster.slots_migrating) },
    { name: "masters", value: String(cluster.masters) },
    { name: "replicas", value: String(cluster.replicas) },
    ...facts,
  ];
}

function latencyTable({ latency }: RedisSample): TableBlock {
  const row = (id: string, figures: LatencyFigures): Row => ({
    id,
    cells: [
      id,
      countText(figures.count),
      ...[figures.p50_us, figures.p90_us, figures.p99_us, figures.p999_us, figures.max_us].map(
        microsecondsText,
      ),
    ],
  });
  const waiting = latency.pending > 0
    ? `, ${latency.pending} unanswered for ${microsecondsText(latency.pending_us)}`
    : "";
  return {
    kind: "table",
    title: `Ping latency${waiting}`,
    is_fixed: true,
    columns: [
      { name: "over" },
      ...["pings", "p50", "p90", "p99", "p99.9", "max"].map((
        name,
      ) => ({ name: name.padStart(7), align: "right" } as const)),
    ],
    rows: [row("last look", latency.last), row("a minute", latency.minute), row("all", latency.total)],
  };
}

function nodeTable(sample: RedisSample): TableBlock {
  const cellsOf = (node: AnyNode): (Cell | string)[] => {
    const slots = node.slots === undefined ? "" : { text: String(node.slots), order: node.slots };
    const p99_us = node.latency.last.p99_us;
    const ping: Cell = { text: microsecondsText(p99_us), order: p99_us };
    if (!node.up) {
      return [node.address, node.role, slots, "", "", "", "", ping, "", { text: node.reason, tone: "bad" }];
    }
    const { memory, clients } = node;
    const lag = node.master && (node.master.link === "up" ? "" : `link ${node.master.link}`);
    return [
      node.address,
      node.role,
      slots,
      { text: countText(node.ops_per_s), order: node.ops_per_s },
      { text: bytesText(memory.used_bytes), order: memory.used_bytes },
      { text: percentText(memory.used_pct), order: memory.used_pct, tone: pctTone(memory.used_pct) },
      { text: countText(clients.connected), order: clients.connected },
      ping,
      { text: lagText(sample, node), order: lagOf(sample, node)?.lag_bytes },
      { text: lag || (node.loading ? "loading" : "up"), tone: lag ? "bad" : "good" },
    ];
  };
  return {
    kind: "table",
    title: "Nodes",
    columns: [
      { name: "node", key: "n" },
      { name: "role", key: "r" },
      { name: "slots", align: "right", optional: true },
      { name: "ops/s", align: "right", key: "o" },
      { name: "memory", align: "right", key: "m" },
      { name: "of max", align: "right", optional: true },
      { name: "clients", align: "right", key: "c" },
      { name: "p99", align: "right", key: "l" },
      { name: "behind", align: "right", optional: true },
      { name: "state", grows: true },
    ],
    sort: { column: "role", descending: false },
    rows: sample.nodes.map((node) => ({ id: node.address, cells: cellsOf(node) })),
  };
}

/** What the replica's master knows of it. */
function lagOf(sample: RedisSample, { address }: NodeSample) {
  return upNodes(sample).flatMap(({ replicas }) => replicas).find((replica) => replica.address === address);
}
function lagText(sample: RedisSample, node: NodeSample): string {
  const lag = lagOf(sample, node);
  return lag ? bytesText(lag.lag_bytes) : "";
}

function sentinelTable({ sentinels = [] }: RedisSample): TableBlock {
  return {
    kind: "table",
    title: "Sentinels",
    columns: [
      { name: "sentinel" },
      { name: "master" },
      { name: "replicas", align: "right" },
      { name: "others", align: "right" },
      { name: "quorum", align: "right" },
      { name: "state", grows: true },
    ],
    rows: sentinels.map((
      { address, up, master, known_replicas, known_sentinels, quorum, reason, master_down },
    ) => ({
      id: address,
      tone: up && !master_down ? "plain" : "bad",
      cells: [
        address,
        master ?? "-",
        countText(known_replicas),
        countText(known_sentinels),
        countText(quorum),
        up ? master_down ? "holds the master for down" : "up" : reason ?? "lost",
      ],
    })),
  };
}

function replicaTable(nodes: readonly NodeSample[]): TableBlock {
  const rows = nodes.flatMap(({ replicas }) => replicas).map(({ address, state, lag_s, lag_bytes }): Row => ({
    id: address,
    tone: state === "online" ? "plain" : "warning",
    cells: [
      address,
      state,
      { text: bytesText(lag_bytes), order: lag_bytes },
      { text: secondsText(lag_s), order: lag_s },
    ],
  }));
  return {
    kind: "table",
    title: "Replicas",
    columns: [
      { name: "replica" },
      { name: "state" },
      { name: "behind", align: "right", key: "b" },
      { name: "heard of", align: "right" },
    ],
    sort: { column: "behind", descending: true },
    rows,
  };
}

function subscriberTable(nodes: readonly NodeSample[]): TableBlock {
  const limits = nodes.find(({ pubsub }) => pubsub.limits)?.pubsub.limits;
  const limit = limits
    ? ` (closed over ${bytesText(limits.hard_bytes)}, or ${limits.soft_s}s over ${
      bytesText(limits.soft_bytes)
    })`
    : "";
  const rows = nodes.flatMap((node) => (node.pubsub.fullest ?? []).map((one) => ({ node, one })));
  return {
    kind: "table",
    title: `Subscribers${limit}`,
    columns: [
      { name: "address", key: "a" },
      { name: "name", grows: true },
      { name: "subs", align: "right", key: "s" },
      { name: "buffer", align: "right", key: "b" },
      { name: "of limit", align: "right" },
      { name: "closed in", align: "right" },
      { name: "idle", align: "right", optional: true },
    ],
    empty: "nobody subscribes",
    sort: { column: "buffer", descending: true },
    rows: rows.map(({ node, one }): Row => ({
      id: `${node.address} ${one.id}`,
      tone: one.closes_in_s !== undefined ? "bad" : (one.limit_pct ?? 0) >= 50 ? "warning" : "plain",
      cells: [
        one.address,
        one.name,
        { text: countText(one.channels + one.patterns), order: one.channels + one.patterns },
        { text: bytesText(one.buffer_bytes), order: one.buffer_bytes },
        { text: percentText(one.limit_pct), order: one.limit_pct },
        { text: one.closes_in_s === undefined ? "" : secondsText(one.closes_in_s), order: one.closes_in_s },
        { text: secondsText(one.idle_s), order: one.idle_s },
      ],
    })),
  };
}

function channelTable(nodes: readonly NodeSample[]): TableBlock {
  const rows = nodes.flatMap((node) => (node.pubsub.top ?? []).map((one) => ({ node, ...one })));
  return {
    kind: "table",
    title: "Channels",
    columns: [{ name: "channel", grows: true }, { name: "subscribers", align: "right" }],
    empty: nodes.some(({ pubsub }) => pubsub.top)
      ? "no channel has subscribers"
      : "too many to list, or not allowed",
    sort: { column: "subscribers", descending: true },
    rows: rows.map(({ node, channel, subscribers }): Row => ({
      id: `${node.address} ${channel}`,
      cells: [channel, { text: countText(subscribers), order: subscribers }],
    })),
  };
}

function slowTable(nodes: readonly NodeSample[]): TableBlock {
  return {
    kind: "table",
    title: "Slow log",
    columns: [
      { name: "time" },
      { name: "took", align: "right", key: "t" },
      { name: "command", grows: true },
      { name: "client", optional: true },
    ],
    empty: nodes.some(({ slow_log }) => slow_log) ? "nothing was slow" : "not allowed",
    rows: nodes.flatMap((node) =>
      (node.slow_log ?? []).map(({ id, at_ms, duration_us, command, client }): Row => ({
        id: `${node.address} ${id}`,
        cells: [
          { text: new Date(at_ms).toTimeString().slice(0, 8), order: at_ms },
          { text: microsecondsText(duration_us), order: duration_us },
          command,
          client,
        ],
      }))
    ),
  };
}

function keyspaceTable(nodes: readonly NodeSample[]): TableBlock {
  return {
    kind: "table",
    title: "Databases",
    columns: [
      { name: "node", optional: true },
      { name: "database" },
      { name: "keys", align: "right", key: "k" },
      { name: "expiring", align: "right" },
      { name: "average ttl", align: "right" },
    ],
    empty: "no keys",
    rows: nodes.flatMap(({ address, keyspace }) =>
      keyspace.map(({ database, keys, expires, average_ttl_ms }): Row => ({
        id: `${address} ${database}`,
        cells: [
          address,
          database,
          { text: countText(keys), order: keys },
          { text: countText(expires), order: expires },
          {
            text: average_ttl_ms === undefined ? "-" : secondsText(average_ttl_ms / 1_000),
            order: average_ttl_ms,
          },
        ],
      }))
    ),
  };
}

/** What this user may not ask is said, or its absence would look like nothing. */
function refusedLines(nodes: readonly NodeSample[]): Block[] {
  const refused = new Set(nodes.flatMap((node) => node.refused));
  if (refused.size === 0) return [];
  return [{
    kind: "lines",
    lines: [toned("warning", ` not allowed to this user: ${[...refused].join(", ")}`)],
  }];
}

function pctTone(percent: number | undefined): Tone {
  return percent === undefined ? "plain" : percent >= 95 ? "bad" : percent >= 80 ? "warning" : "plain";
}
