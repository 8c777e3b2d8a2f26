/** `mdg monitor redis`: one sample of all nodes, what its numbers are, and what is wrong that no number says. */
import type { Clock } from "../../base/clock.ts";
import { LatencyHistogram } from "../../base/latency_histogram.ts";
import { type HostPort, hostPortOf } from "../../wire/redis/redis_connection.ts";
import type { RedisAddress } from "../../wire/redis/redis_link.ts";
import { RespWriter } from "../../wire/redis/resp_writer.ts";
import type { Finding, Look, Readings, Sampler } from "../monitor.ts";
import type { Block } from "../../tui/screen.ts";
import { drawRedis, VIEWS } from "./draw.ts";
import { redisFindings } from "./findings.ts";
import type { LatencyLook } from "./latency_probe.ts";
import type { NodeProbe } from "./node_probe.ts";
import { latencySampleOf } from "./node_sample.ts";
import { MAX_NODES, type NodeLook, NodeSet, type WatchedNode } from "./node_set.ts";
import { redisHeadline, redisReadings } from "./readings.ts";
import type { RedisSample } from "./sample.ts";
import { Sentinels } from "./sentinels.ts";
import { type ClusterView, readCluster } from "./topology.ts";

export interface RedisSamplerOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly ping_period_ms: number;
  readonly timeout_ms: number;
}

export class RedisSampler implements Sampler<RedisSample> {
  readonly target: string;
  readonly views = VIEWS;
  readonly #places: readonly HostPort[];
  readonly #nodes: NodeSet;
  readonly #sentinels: Sentinels | undefined;
  /** The nodes of the Cluster, as last told. */
  #known: readonly WatchedNode[] = [];

  constructor(readonly options: RedisSamplerOptions) {
    const { address, clock, timeout_ms } = options;
    this.#places = [hostPortOf(new URL(address.url).host), ...address.nodes.map(hostPortOf)];
    const [{ host, port }] = this.#places;
    const place = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.target = address.topology === "sentinel" ? `${address.master_name} of ${place}` : place;
    // Each node is spoken to by itself, whoever named it.
    const single: RedisAddress = {
      ...address,
      topology: address.topology === "cluster" ? "cluster" : "single",
      nodes: [],
    };
    this.#nodes = new NodeSet(single, clock, options);
    if (address.topology === "sentinel") {
      this.#sentinels = new Sentinels(address, this.#places, clock, timeout_ms);
    }
  }
  async poll(): Promise<RedisSample> {
    switch (this.options.address.topology) {
      case "single":
        return this.#sampleOf(await this.#nodes.look([{ place: this.#places[0], role: "unknown" }]));
      case "sentinel": {
        const { sentinels, nodes } = await this.#sentinels!.look();
        const reason = sentinels.find(({ up }) => !up)?.reason;
        if (nodes.length === 0) throw new Error(reason ?? "no Sentinel knows the master");
        return { ...this.#sampleOf(await this.#nodes.look(nodes)), sentinels };
      }
      case "cluster":
        return await this.#pollCluster();
    }
  }
  readings(sample: RedisSample): Readings {
    return redisReadings(sample);
  }
  findings(sample: RedisSample): Finding[] {
    return redisFindings(sample);
  }
  headline(sample: RedisSample): string {
    return redisHeadline(sample);
  }
  draw(sample: RedisSample, look: Look): Block[] {
    return drawRedis(sample, look);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#nodes.close(), this.#sentinels?.close()]);
  }

  /** The nodes that any of those known so far tells of; those it leaves out are lost with it. */
  async #pollCluster(): Promise<RedisSample> {
    const view = await this.#clusterView();
    const looks = await this.#nodes.look(this.#known);
    const beyond = Math.max(0, this.#known.length - MAX_NODES);
    return { ...this.#sampleOf(looks), cluster: view.cluster, nodes_not_asked: beyond || undefined };
  }
  async #clusterView(): Promise<ClusterView> {
    let asked = this.#readyProbe();
    if (!asked) {
      const seeds = this.#places.map((place): WatchedNode => ({ place, role: "unknown" }));
      // Beside those known so far: their pings go on being counted.
      const looks = await this.#nodes.look(distinct([...seeds, ...this.#known]));
      asked = this.#readyProbe();
      const reason = looks.map(({ node }) => node.up ? "" : node.reason).find((text) => text !== "");
      if (!asked) throw new Error(reason ?? "no node of the cluster answers");
    }
    const commands = new RespWriter().command("CLUSTER", "NODES").command("CLUSTER", "INFO");
    const [[refused, nodes], [, info]] = await asked.ask(commands);
    if (refused) throw refused;
    const view = readCluster(String(nodes), String(info), hostPortOf(asked.address).host);
    this.#known = view.nodes.map(({ place, role, slots }): WatchedNode => ({ place, role, slots }));
    return view;
  }
  #readyProbe(): NodeProbe | undefined {
    return this.#nodes.probes().find(({ connection }) => connection.ready);
  }
  /** @throws Error when no node answers */
  #sampleOf(looks: readonly NodeLook[]): RedisSample {
    const nodes = looks.map(({ node }) => node);
    const [first] = nodes;
    if (first && !first.up && nodes.every(({ up }) => !up)) throw new Error(first.reason);
    // A lost node is told of as such; its pings, which wait for ever, would hide those of the others.
    const up = looks.filter(({ node }) => node.up);
    const latency = latencySampleOf(togetherOf(up.map((look) => look.latency)));
    return { topology: this.options.address.topology, nodes, latency };
  }
}

function distinct(nodes: readonly WatchedNode[]): WatchedNode[] {
  return [...new Map(nodes.map((node) => [`${node.place.host}:${node.place.port}`, node])).values()];
}

function togetherOf(looks: readonly LatencyLook[]): LatencyLook {
  const merged = (window: "last" | "minute" | "total") => {
    const histogram = new LatencyHistogram();
    for (const look of looks) histogram.add(look[window]);
    return histogram;
  };
  const most = (values: number[]) => Math.max(0, ...values);
  return {
    last: merged("last"),
    minute: merged("minute"),
    total: merged("total"),
    pending: looks.reduce((sum, { pending }) => sum + pending, 0),
    pending_us: most(looks.map(({ pending_us }) => pending_us)),
    not_measured: looks.reduce((sum, { not_measured }) => sum + not_measured, 0),
    own_delay_us: most(looks.map(({ own_delay_us }) => own_delay_us)),
  };
}
