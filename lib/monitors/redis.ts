/** `mdg monitor redis`: one server, what Sentinels watch over, or a Cluster, a row per node. */
import { defineMonitor } from "./monitor.ts";
import { REDIS_FLAGS } from "./redis/flags.ts";

export const redis = defineMonitor({
  summary: "Watch a Redis: load, memory, replication, subscribers about to be cut off, latency",
  description:
    "Latency is measured by pings at a steady pace on a connection of their own; a ping that is due while the server " +
    "stalls counts with all of its wait. Subscribers are compared with client-output-buffer-limit: who comes near it is " +
    "shown before the server closes it. Passwords come from a file, from REDISCLI_AUTH (Sentinels: " +
    "MDG_SENTINEL_PASSWORD), or are asked for; never from a URL on the command line.",
  flags: REDIS_FLAGS,
  examples: [
    { command: "mdg monitor redis", doc: "the local server, live" },
    { command: "mdg monitor redis --json --count 10", doc: "ten lines of JSON" },
    {
      command: "mdg monitor redis --check -w latency_p99_us=5000 -c memory_pct=90",
      doc: "a monitoring check",
    },
    {
      command: "mdg monitor redis --topology cluster --url redis://10.0.0.1:7000",
      doc: "all nodes of a Cluster",
    },
  ],
  measures: {
    ops_per_s: { unit: "", doc: "commands a second, without our own", min: 0 },
    hit_pct: { unit: "%", doc: "lookups of keys that found one", min: 0, max: 100 },
    memory_bytes: { unit: "B", doc: "memory used", min: 0 },
    memory_pct: { unit: "%", doc: "memory used of maxmemory, where one is set; the fullest node", min: 0 },
    clients: { unit: "", doc: "connected clients", min: 0 },
    clients_pct: {
      unit: "%",
      doc: "connected clients of maxclients; the fullest node",
      warning: "80",
      critical: "95",
      min: 0,
      max: 100,
    },
    blocked_clients: { unit: "", doc: "clients that wait in a blocking command", min: 0 },
    replicas: { unit: "", doc: "replicas that are online", min: 0 },
    replica_lag_bytes: { unit: "B", doc: "what the furthest replica has not confirmed", min: 0 },
    replica_lag_s: {
      unit: "s",
      doc: "since the quietest replica was heard of",
      warning: "10",
      critical: "60",
      min: 0,
    },
    channels: { unit: "", doc: "channels with subscribers", min: 0 },
    subscriber_buffer_pct: {
      unit: "%",
      doc: "output buffer of the fullest subscriber, of the limit it meets first",
      warning: "50",
      critical: "100",
      min: 0,
    },
    slow_per_s: { unit: "", doc: "commands a second that went into the slow log", min: 0 },
    evicted_per_s: { unit: "", doc: "keys evicted a second", min: 0 },
    rejected_per_s: { unit: "", doc: "connections refused a second because of maxclients", min: 0 },
    latency_p50_us: { unit: "us", doc: "median ping since the last look", min: 0 },
    latency_p99_us: { unit: "us", doc: "99 of 100 pings were no slower", min: 0 },
    latency_max_us: { unit: "us", doc: "slowest ping, those still waited for included", min: 0 },
    keys: { unit: "", doc: "keys in all databases", min: 0 },
    nodes_down: { unit: "", doc: "nodes that do not answer", critical: "0", min: 0 },
    slots_uncovered: {
      unit: "",
      doc: "slots of the Cluster that nobody serves",
      critical: "0",
      min: 0,
      max: 16_384,
    },
  },
  async open(world, flags, _args, options) {
    const { openRedisSampler } = await import("./redis/open.ts");
    return await openRedisSampler(world, flags, options);
  },
});
