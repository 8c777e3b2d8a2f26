/** The probes of all nodes that are watched: made for those that come, closed for those that went. Bounded. */
import type { Clock } from "../../base/clock.ts";
import { type HostPort } from "../../wire/redis/redis_connection.ts";
import type { RedisAddress } from "../../wire/redis/redis_link.ts";
import { NodeProbe } from "./node_probe.ts";
import type { LatencyLook } from "./latency_probe.ts";
import { latencySampleOf } from "./node_sample.ts";
import type { AnyNode } from "./sample.ts";

/** A Cluster may have a thousand; a look at each costs. Those beyond are told of, not asked. */
export const MAX_NODES = 128;
/** Pings a second to all nodes together. */
const MAX_PINGS_PER_S = 1_000;

export interface WatchedNode {
  readonly place: HostPort;
  readonly role: string;
  readonly slots?: number;
}

export interface NodeLook {
  readonly node: AnyNode;
  readonly latency: LatencyLook;
}

export class NodeSet {
  readonly #probes = new Map<string, NodeProbe>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(
    readonly address: RedisAddress,
    readonly clock: Clock,
    readonly options: { ping_period_ms: number; timeout_ms: number },
  ) {}

  /** Looks at all of them at once. */
  async look(wanted: readonly WatchedNode[]): Promise<NodeLook[]> {
    const nodes = wanted.slice(0, MAX_NODES);
    this.#arrange(nodes);
    return await Promise.all(nodes.map(async ({ place, role, slots }): Promise<NodeLook> => {
      const probe = this.#probes.get(keyOf(place))!;
      try {
        const { node, latency } = await probe.look();
        return { latency, node: { ...node, slots } };
      } catch (error) {
        const latency = probe.latency.look();
        const reason = (error as Error).message;
        const lost = { address: probe.address, up: false, role, reason, slots } as const;
        return { latency, node: { ...lost, latency: latencySampleOf(latency) } };
      }
    }));
  }
  /** One that may be asked something else. */
  probes(): readonly NodeProbe[] {
    return [...this.#probes.values()];
  }
  async close(): Promise<void> {
    const closing = [...this.#probes.values()].map((probe) => probe.close());
    this.#probes.clear();
    await Promise.all([...closing, ...this.#leaving]);
  }

  #arrange(nodes: readonly WatchedNode[]): void {
    const keys = new Set(nodes.map(({ place }) => keyOf(place)));
    for (const [key, probe] of this.#probes) {
      if (keys.has(key)) continue;
      this.#probes.delete(key);
      const closed = probe.close().finally(() => this.#leaving.delete(closed));
      this.#leaving.add(closed);
    }
    const { ping_period_ms, timeout_ms } = this.options;
    const period_ms = Math.max(ping_period_ms, 1_000 * nodes.length / MAX_PINGS_PER_S);
    for (const { place } of nodes) {
      const key = keyOf(place);
      if (this.#probes.has(key)) continue;
      const { address, clock } = this;
      this.#probes.set(
        key,
        new NodeProbe({ address, node: place, clock, ping_period_ms: period_ms, timeout_ms }),
      );
    }
  }
}

const keyOf = ({ host, port }: HostPort) => `${host}:${port}`;
