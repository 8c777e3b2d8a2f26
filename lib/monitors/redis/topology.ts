/**
 * Which nodes there are: one, the master and replicas that Sentinels watch, or all of a Cluster, as these tell at each
 * look. Pure: answers in, places out.
 */
import { CLUSTER_SLOTS } from "../../wire/redis/cluster_slot.ts";
import type { HostPort } from "../../wire/redis/redis_connection.ts";
import type { ClusterSample } from "./sample.ts";

export interface ClusterNode {
  readonly place: HostPort;
  readonly role: "master" | "replica";
  readonly slots: number;
  readonly is_failing: boolean;
}
export interface ClusterView {
  readonly nodes: readonly ClusterNode[];
  readonly cluster: ClusterSample;
}

/** CLUSTER NODES and CLUSTER INFO of one node; an empty host is that of the node which answered. */
export function readCluster(nodes_text: string, info_text: string, asked_host: string): ClusterView {
  const covered = new Set<number>();
  let slots_migrating = 0;
  const nodes: ClusterNode[] = [];
  for (const line of nodes_text.split("\n")) {
    const [, address = "", flags = "", , , , , link = "", ...ranges] = line.trim().split(" ");
    const place = placeOf(address, asked_host);
    if (!place || flags.includes("noaddr") || flags.includes("handshake")) continue;
    let slots = 0;
    for (const range of ranges) {
      // [93-<-id] comes, [93->-id] goes: one line of each pair is enough
      if (range.startsWith("[")) {
        if (range.includes("->-")) slots_migrating++;
        continue;
      }
      const [first, last = first] = range.split("-").map(Number);
      if (!Number.isInteger(first) || !Number.isInteger(last) || last >= CLUSTER_SLOTS) continue;
      slots += last - first + 1;
      if (!flags.split(",").includes("fail")) {
        for (let slot = first; slot <= last; slot++) covered.add(slot);
      }
    }
    const is_failing = /\bfail\??/.test(flags) || (link === "disconnected" && !flags.includes("myself"));
    nodes.push({ place, role: flags.includes("master") ? "master" : "replica", slots, is_failing });
  }
  const state = /cluster_state:(\w+)/.exec(info_text)?.[1] ?? "unknown";
  return {
    nodes,
    cluster: {
      state,
      slots_covered: covered.size,
      slots_migrating,
      masters: nodes.filter(({ role }) => role === "master").length,
      replicas: nodes.filter(({ role }) => role === "replica").length,
      failing: nodes.filter(({ is_failing }) => is_failing).map(({ place }) => `${place.host}:${place.port}`),
    },
  };
}

/** "127.0.0.1:7000@17000,name", "[::1]…" as "::1:7000@17000". */
function placeOf(address: string, asked_host: string): HostPort | undefined {
  const match = /^(.*):(\d+)(@\d+)?(,.*)?$/.exec(address);
  if (!match || Number(match[2]) === 0) return undefined;
  return { host: match[1] || asked_host, port: Number(match[2]) };
}

/** What Sentinels answer: flat lists of names and values. */
export function fieldsOf(reply: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const flat = Array.isArray(reply) ? reply.map(String) : [];
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(flat[i], flat[i + 1]);
  return fields;
}
