/**
 * A Redis Cluster: one connection a node, each item sent to the owner of its slot. Redirections, a dead master and a
 * failover make it learn the owners anew; ASK is followed at once. Order per key holds through all of it: once a slot
 * changed hands nothing is sent before the answers to what went to the old owners are in, and if one of those was
 * refused, what came after is refused with it.
 */
import type { Timer } from "../../base/clock.ts";
import { RateLimitedLog } from "../../base/log.ts";
import { ClusterTopology, nodeKey, redirectionOf } from "./cluster_topology.ts";
import { type HostPort, hostPortOf, RedisConnection } from "./redis_connection.ts";
import { RespWriter } from "./resp_writer.ts";
import type { RedisAddress, RedisAnswer, RedisContext, RedisItem, RedisLink } from "./redis_link.ts";

/** While an owner is away or unknown, and otherwise as a precaution. */
const REFRESH_WHEN_BROKEN_MS = 200;
const REFRESH_MS = 15_000;

type Append<Item> = (commands: RespWriter, item: Item) => void;

export class RedisCluster implements RedisLink {
  readonly topology = new ClusterTopology();
  readonly #connections = new Map<string, RedisConnection>();
  /** Connections that are being closed. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #seeds: readonly HostPort[];
  readonly #log: RateLimitedLog;
  /** Each resolves to whether all of its items were taken. */
  readonly #flights = new Set<Promise<boolean>>();
  #flight_version = 0;
  #next_asked = 0;
  #refreshing = false;
  #was_ready = false;
  #closed = false;
  #timer: Timer | undefined;

  constructor(readonly address: RedisAddress, readonly context: RedisContext) {
    this.#log = new RateLimitedLog(context.log, context.clock);
    this.#seeds = [hostPortOf(new URL(address.url).host), ...address.nodes.map(hostPortOf)];
    this.#connect();
    this.#schedule();
  }
  get ready(): boolean {
    return this.notReady() === undefined;
  }
  notReady(): string | undefined {
    const { masters, uncovered } = this.topology;
    if (masters.length === 0) {
      const why = [...this.#connections.values()].map((one) => one.notReady()).find((text) => text);
      return `redis cluster is not known yet: ${why ?? "no node told its slots"}`;
    }
    if (uncovered > 0) return `redis cluster: ${uncovered} slots have no owner`;
    for (const master of masters) {
      const connection = this.#connections.get(master);
      const why = connection ? connection.notReady() : `redis at ${master} is not connected`;
      if (why !== undefined) return why;
    }
    return undefined;
  }
  reason(error: unknown): string {
    const [any] = this.#connections.values();
    return any.reason(error);
  }
  get slots(): readonly number[] {
    return this.topology.firstSlots();
  }
  /** Told when an owner changed; for subscribers to sharded channels. */
  onChange: () => void = () => {};
  /** The node answers. */
  isReady(node: string): boolean {
    return this.#connections.get(node)?.ready ?? false;
  }
  /** Something showed that the owners may have changed. */
  refresh(): void {
    void this.#refresh();
  }

  async send<Item extends RedisItem>(
    items: readonly Item[],
    append: Append<Item>,
  ): Promise<RedisAnswer[]> {
    const before = [...this.#flights];
    const { promise, resolve } = Promise.withResolvers<boolean>();
    // Under way from now on, even while it waits: the next one must not slip past.
    this.#flights.add(promise);
    let answers: RedisAnswer[] | undefined;
    if (before.length > 0 && this.#flight_version !== this.topology.version) {
      const all_taken = (await Promise.all(before)).every((taken) => taken);
      const failure = new Error("an earlier write to the old owner of a slot was not taken");
      if (!all_taken) answers = items.map(() => [failure]);
    }
    if (answers === undefined) {
      this.#flight_version = this.topology.version;
      answers = await this.#sendToOwners(items, append);
    }
    const all_taken = answers.every(([error]) => error === null);
    resolve(all_taken);
    // A refusal stands until whoever sent it knows of it: what is sent in between comes after it, so goes back with it.
    if (all_taken) this.#flights.delete(promise);
    else this.context.clock.after(0, () => this.#flights.delete(promise));
    return answers;
  }
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const closing = this.#connections.values().map((connection) => connection.close());
    await Promise.all([...closing, ...this.#leaving]);
  }

  async #sendToOwners<Item extends RedisItem>(
    items: readonly Item[],
    append: Append<Item>,
  ): Promise<RedisAnswer[]> {
    const answers = new Array<RedisAnswer>(items.length);
    const groups = new Map<string, number[]>();
    for (let i = 0; i < items.length; i++) {
      const owner = this.topology.ownerOf(items[i].slot) ?? "";
      const group = groups.get(owner);
      if (group) group.push(i);
      else groups.set(owner, [i]);
    }
    await Promise.all(
      groups.entries().map(async ([owner, indices]) => {
        const connection = this.#connections.get(owner);
        const own = indices.map((i) => items[i]);
        const given: RedisAnswer[] = connection
          ? await connection.send(own, append)
          : own.map(() => [new Error("the slot has no owner")]);
        indices.forEach((i, at) => answers[i] = given[at]);
        const asked = this.topology.nodes.get(owner);
        if (asked) await this.#follow(items, append, { indices, answers, asked });
      }),
    );
    return answers;
  }
  /** Reads what the errors say of the slots; items that are to be asked elsewhere are. */
  async #follow<Item extends RedisItem>(
    items: readonly Item[],
    append: Append<Item>,
    { indices, answers, asked }: { indices: number[]; answers: RedisAnswer[]; asked: HostPort },
  ): Promise<void> {
    const asks = new Map<string, number[]>();
    let broken = false;
    for (const i of indices) {
      const [error] = answers[i];
      if (error === null) continue;
      broken = true;
      const to = redirectionOf(error, asked);
      if (!to) continue;
      this.#open(to.place);
      if (to.kind === "MOVED") this.topology.moved(to, to.place);
      else {
        const group = asks.get(to.node);
        if (group) group.push(i);
        else asks.set(to.node, [i]);
      }
    }
    for (const [node, wanted] of asks) {
      const connection = this.#connections.get(node)!;
      const commands = new RespWriter();
      for (const i of wanted) append(commands.command("ASKING"), items[i]);
      const given = await connection.exec(commands);
      wanted.forEach((i, at) => answers[i] = given[2 * at + 1]);
    }
    if (broken) void this.#refresh();
  }

  /** A connection to each node that is known, and none to others. */
  #connect(): void {
    const wanted = new Map(this.topology.nodes);
    for (const seed of this.#seeds) wanted.set(nodeKey(seed), seed);
    for (const [key, connection] of this.#connections) {
      if (wanted.has(key)) continue;
      this.#connections.delete(key);
      const closed = connection.close().finally(() => this.#leaving.delete(closed));
      this.#leaving.add(closed);
    }
    for (const place of wanted.values()) this.#open(place);
  }
  #open(place: HostPort): void {
    const key = nodeKey(place);
    if (this.#connections.has(key) || this.#closed) return;
    const context = { ...this.context, onReady: () => void this.#refresh() };
    const connection = new RedisConnection(this.address, context, { node: place });
    // A master that is gone may have a successor already.
    connection.client.on("close", () => void this.#refresh());
    this.#connections.set(key, connection);
  }
  #schedule(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    const pause_ms = this.ready ? REFRESH_MS : REFRESH_WHEN_BROKEN_MS;
    this.#timer = this.context.clock.after(pause_ms, () => void this.#refresh());
  }
  /** Asks a node for the owners; single flight. Another node each time: one alone may be wrong for a while. */
  async #refresh(): Promise<void> {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    const { version } = this.topology;
    try {
      const ready = [...this.#connections.entries()].filter(([, one]) => one.ready);
      if (ready.length > 0) {
        const [key, connection] = ready[this.#next_asked++ % ready.length];
        const [[error, answer]] = await connection.exec(new RespWriter().command("CLUSTER", "SLOTS"));
        if (error) throw error;
        const asked = this.topology.nodes.get(key) ?? this.#seeds.find((seed) => nodeKey(seed) === key)!;
        if (!this.topology.adopt(answer, asked)) {
          throw new Error("no answer to CLUSTER SLOTS that makes sense");
        }
        this.#connect();
      }
    } catch (error) {
      this.#log.warn("slots", "cluster slots not learnt", { reason: this.reason(error) });
    }
    this.#refreshing = false;
    if (this.#closed) return;
    if (version !== this.topology.version) {
      this.context.log.info("redis cluster slots learnt", { masters: this.topology.masters.length });
      this.onChange();
    }
    const is_ready = this.ready;
    if (is_ready && (!this.#was_ready || version !== this.topology.version)) this.context.onReady();
    this.#was_ready = is_ready;
    this.#schedule();
  }
}
