/**
 * Subscriptions that stay: to channels and patterns of one server, of the master that Sentinels name, or of a Cluster
 * (classic: at any one node, since messages reach all; sharded: each channel at the owner of its slot). Subscribes again
 * after every break and says which channels were interrupted: what was published meanwhile is lost, nobody keeps it.
 */
import { withDeadline } from "../../base/clock.ts";
import { clusterSlot } from "./cluster_slot.ts";
import { RedisCluster } from "./redis_cluster.ts";
import { type HostPort, RedisConnection } from "./redis_connection.ts";
import type { RedisAddress, RedisContext } from "./redis_link.ts";

export interface RedisSubscriberOptions {
  readonly channels: readonly string[];
  readonly patterns?: readonly string[];
  readonly sharded?: boolean;
  onMessage(channel: string, payload: string): void;
  /** These channels are (again) subscribed to. */
  onSubscribed(channels: readonly string[]): void;
  /** These channels were subscribed to and are not any more. */
  onInterrupted(channels: readonly string[], reason: string): void;
}

/** Names in one SUBSCRIBE. */
const MAX_NAMES = 512;

/** One connection and what it carries. */
interface Carrier {
  connection: RedisConnection;
  channels: Set<string>;
  subscribed: boolean;
}

export class RedisSubscriber {
  readonly #wanted: Set<string>;
  readonly #carriers = new Map<string, Carrier>();
  /** Connections that are being closed. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #cluster: RedisCluster | undefined;
  #failure = "";
  #closed = false;

  constructor(
    readonly address: RedisAddress,
    readonly context: Omit<RedisContext, "onReady">,
    readonly options: RedisSubscriberOptions,
  ) {
    this.#wanted = new Set(options.channels);
    if (address.topology === "cluster") {
      this.#cluster = new RedisCluster(address, { ...context, onReady: () => this.#arrange() });
      this.#cluster.onChange = () => this.#arrange();
    } else this.#carry("", undefined, this.#wanted);
  }
  /** Undefined when every channel is subscribed to. */
  notReady(): string | undefined {
    const missing = this.#cluster && this.#carriers.size === 0 ? this.#cluster.notReady() : undefined;
    if (missing !== undefined) return missing;
    for (const { connection, subscribed } of this.#carriers.values()) {
      if (!subscribed) {
        return connection.notReady() ?? `redis subscription: ${this.#failure || "not confirmed yet"}`;
      }
    }
    return this.#carriers.size === 0 ? "redis subscription: not begun yet" : undefined;
  }
  add(channel: string): void {
    this.#wanted.add(channel);
    if (this.#cluster) return this.#arrange();
    this.#resubscribe();
  }
  remove(channel: string): void {
    this.#wanted.delete(channel);
    for (const { connection: { client }, channels } of this.#carriers.values()) {
      if (!channels.delete(channel) && this.#cluster) continue;
      const gone = this.options.sharded ? client.sunsubscribe(channel) : client.unsubscribe(channel);
      gone.catch(() => {});
    }
  }
  async close(): Promise<void> {
    this.#closed = true;
    const carriers = [...this.#carriers.values()];
    this.#carriers.clear();
    const closing = carriers.map(({ connection }) => connection.close());
    await Promise.all([...closing, ...this.#leaving, this.#cluster?.close()]);
  }

  /** Which node carries which channels, made so. */
  #arrange(): void {
    if (this.#closed) return;
    const { topology } = this.#cluster!;
    const plan = new Map<string, Set<string>>();
    if (this.options.sharded) {
      for (const channel of this.#wanted) {
        const owner = topology.ownerOf(clusterSlot(channel));
        if (owner === undefined) continue;
        const channels = plan.get(owner) ?? new Set();
        plan.set(owner, channels.add(channel));
      }
    } else {
      const present = [...this.#carriers.entries()].find(([, one]) => one.connection.ready)?.[0];
      const any = present ?? topology.masters.find((master) => this.#cluster!.isReady(master));
      if (any !== undefined) plan.set(any, this.#wanted);
    }
    for (const [key, carrier] of this.#carriers) if (!plan.has(key)) this.#drop(key, carrier, "node left");
    for (const [key, channels] of plan) {
      const carrier = this.#carriers.get(key);
      if (carrier === undefined) this.#carry(key, topology.nodes.get(key), channels);
      else if (!sameSet(carrier.channels, channels)) {
        const gone = carrier.channels.difference(channels).intersection(this.#wanted);
        if (gone.size > 0 && carrier.subscribed) this.options.onInterrupted([...gone], "slot moved");
        carrier.channels = new Set(channels);
        void this.#subscribe(carrier);
      }
    }
  }
  #carry(key: string, node: HostPort | undefined, channels: ReadonlySet<string>): void {
    const context = { ...this.context, onReady: () => void this.#subscribe(carrier) };
    const connection = new RedisConnection(this.address, context, { node, keeps_client: true });
    const carrier: Carrier = { connection, channels: new Set(channels), subscribed: false };
    this.#carriers.set(key, carrier);
    const { client } = connection;
    const { onMessage } = this.options;
    client.on("message", onMessage);
    client.on("smessage", onMessage);
    client.on("pmessage", (_pattern, channel, payload) => onMessage(channel, payload));
    client.on("close", () => {
      this.#interrupt(carrier, "connection closed");
      if (this.#cluster && !this.options.sharded) this.#arrange();
    });
    // A slot went to another node and the server ended the subscription, without saying to the client of which channel.
    client.on("moved", () => {
      if (!carrier.subscribed) return;
      this.#interrupt(carrier, "slot moved");
      this.#cluster?.refresh();
      void this.#subscribe(carrier);
    });
  }
  #drop(key: string, carrier: Carrier, reason: string): void {
    this.#carriers.delete(key);
    this.#interrupt(carrier, reason);
    const closed = carrier.connection.close().finally(() => this.#leaving.delete(closed));
    this.#leaving.add(closed);
  }
  #interrupt(carrier: Carrier, reason: string): void {
    if (!carrier.subscribed) return;
    carrier.subscribed = false;
    if (!this.#closed) this.options.onInterrupted([...carrier.channels], reason);
  }
  #resubscribe(): void {
    for (const carrier of this.#carriers.values()) {
      carrier.channels = new Set(this.#wanted);
      if (carrier.connection.ready) void this.#subscribe(carrier);
    }
  }
  /** Asks for everything; what is there already costs nothing. */
  async #subscribe(carrier: Carrier): Promise<void> {
    const { connection: { client }, channels } = carrier;
    const names = [...channels];
    const asked: Promise<unknown>[] = [];
    if (this.options.sharded) {
      for (const name of names) asked.push(client.ssubscribe(name));
    } else {
      for (let i = 0; i < names.length; i += MAX_NAMES) {
        asked.push(client.subscribe(...names.slice(i, i + MAX_NAMES)));
      }
      if (this.options.patterns?.length) asked.push(client.psubscribe(...this.options.patterns));
    }
    try {
      const { clock } = this.context;
      await withDeadline(clock, this.address.command_timeout_ms, "subscribe", Promise.all(asked));
      this.#failure = "";
      carrier.subscribed = true;
      this.options.onSubscribed(names);
    } catch (error) {
      this.#failure = carrier.connection.reason(error);
      if (this.#closed) return;
      this.context.log.warn("redis subscription failed", { reason: this.#failure });
      // Refused (no permission, slot moved): again with the next connection, which comes after a backoff.
      carrier.connection.reconnect();
      this.#cluster?.refresh();
    }
  }
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && one.isSubsetOf(other);
}
