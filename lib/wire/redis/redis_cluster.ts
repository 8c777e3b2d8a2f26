/**
 * A Redis Cluster: one connection a node, each item sent to the owner of its slot. Redirections, a dead master and a
 * failover make it learn the owners anew; ASK is followed at once. The order of each channel holds through all of it:
 * nothing of a slot is sent before the answers to what went before are in (`SlotFlights`), what goes together is taken or
 * refused together (`ChannelRuns`), and what follows a refusal is refused with it.
 */
import type { Timer } from "../../base/clock.ts";
import { RateLimitedLog } from "../../base/log.ts";
import { ClusterTopology, nodeKey, redirectionOf } from "./cluster_topology.ts";
import { ChannelRuns } from "./channel_runs.ts";
import { passes } from "./passing_error.ts";
import { type HostPort, hostPortOf, RedisConnection } from "./redis_connection.ts";
import { RespWriter } from "./resp_writer.ts";
import type { RedisAddress, RedisAnswer, RedisContext, RedisItem, RedisLink } from "./redis_link.ts";
import { type Flight, SlotFlights } from "./slot_flights.ts";

/** While an owner is away or unknown, and otherwise as a precaution. */
const REFRESH_WHEN_BROKEN_MS = 200;
const REFRESH_MS = 15_000;

type Append<Item> = (commands: RespWriter, item: Item) => void;

/** What is sent together, and what becomes of each item. */
interface Batch<Item> {
  readonly items: readonly Item[];
  readonly append: Append<Item>;
  readonly answers: RedisAnswer[];
}
const HELD_BACK: RedisAnswer = [new Error("an earlier one of this slot was not taken")];
const NO_OWNER: RedisAnswer = [new Error("the slot has no owner")];

/** What is asked of the connection to one node. */
export type RedisNode = Pick<RedisConnection, "ready" | "notReady" | "reason" | "begin" | "exec" | "close">;
export interface NodeEvents {
  onReady(): void;
  onClose(): void;
}
export type OpenNode = (place: HostPort, events: NodeEvents) => RedisNode;

export class RedisCluster implements RedisLink {
  readonly topology = new ClusterTopology();
  readonly #connections = new Map<string, RedisNode>();
  /** Connections that are being closed. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #seeds: readonly HostPort[];
  readonly #log: RateLimitedLog;
  readonly #flights = new SlotFlights();
  #has_transactions = true;
  #next_asked = 0;
  #refreshing = false;
  #was_ready = false;
  #closed = false;
  #timer: Timer | undefined;

  /** `openNode`: another way to the nodes, for tests. */
  constructor(
    readonly address: RedisAddress,
    readonly context: RedisContext,
    readonly openNode: OpenNode = (place, events) => openConnection(address, context, place, events),
  ) {
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
    const batch: Batch<Item> = { items, append, answers: new Array<RedisAnswer>(items.length) };
    const groups = this.#byOwner(items, items.keys());
    const flights = await Promise.all(
      groups.entries().map(([owner, indices]) => this.#inTurn(batch, owner, indices)),
    );
    const refused = flights.filter((flight) => flight.refused.size > 0);
    // A refusal stands until whoever sent it knows of it: what is sent in between comes after it, so goes back with it.
    if (refused.length > 0) {
      this.context.clock.after(0, () => refused.forEach((flight) => this.#flights.forget(flight)));
    }
    return batch.answers;
  }
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const closing = this.#connections.values().map((connection) => connection.close());
    await Promise.all([...closing, ...this.#leaving]);
  }

  #byOwner(items: readonly RedisItem[], indices: Iterable<number>): Map<string, number[]> {
    const groups = new Map<string, number[]>();
    for (const i of indices) {
      const owner = this.topology.ownerOf(items[i].slot) ?? "";
      const group = groups.get(owner);
      if (group) group.push(i);
      else groups.set(owner, [i]);
    }
    return groups;
  }
  /** Sends these when nothing before them is under way any more, to whoever owns their slots by then. */
  async #inTurn<Item extends RedisItem>(
    batch: Batch<Item>,
    owner: string,
    indices: number[],
  ): Promise<Flight> {
    const { items, answers } = batch;
    const flight = this.#flights.begin(items, indices);
    if (flight.before.size === 0) await this.#ask(batch, owner, indices);
    else {
      await Promise.all([...flight.before].map(({ ended }) => ended));
      const held = new Set([...flight.before].flatMap(({ refused }) => [...refused]));
      const isHeld = (i: number) => items[i].channel !== undefined && held.has(items[i].slot);
      for (const i of indices) if (isHeld(i)) answers[i] = HELD_BACK;
      const groups = this.#byOwner(items, indices.filter((i) => !isHeld(i)));
      await Promise.all(groups.entries().map(([owner, indices]) => this.#ask(batch, owner, indices)));
    }
    const refused = new Set<number>();
    for (const i of indices) {
      const [error] = answers[i];
      if (error !== null && passes(error)) refused.add(items[i].slot);
    }
    this.#flights.end(flight, items, indices, refused);
    return flight;
  }
  async #ask<Item extends RedisItem>(batch: Batch<Item>, owner: string, indices: number[]): Promise<void> {
    const connection = this.#connections.get(owner);
    const asked = this.topology.nodes.get(owner);
    if (!connection || !asked) {
      for (const i of indices) batch.answers[i] = NO_OWNER;
      return;
    }
    const runs = await this.#exchange(batch, connection, indices, false);
    await this.#follow(batch, runs, asked);
  }
  async #exchange<Item extends RedisItem>(
    { items, append, answers }: Batch<Item>,
    connection: RedisNode,
    indices: readonly number[],
    asking: boolean,
  ): Promise<ChannelRuns<Item>> {
    const runs = new ChannelRuns(items, indices, { atomic: this.#has_transactions, asking });
    const commands = connection.begin();
    runs.write(commands, append);
    const unusable = runs.read(await connection.exec(commands), answers);
    if (unusable && this.#has_transactions) {
      this.#has_transactions = false;
      const reason = this.reason(unusable);
      const why = { reason, advice: "permit MULTI and EXEC" };
      this.context.log.warn("redis cluster without transactions: slots that move may cost the order", why);
    }
    return runs;
  }
  /** Reads what the errors say of the slots; what is to be asked elsewhere is, as long as nothing before it is left. */
  async #follow<Item extends RedisItem>(
    batch: Batch<Item>,
    runs: ChannelRuns<Item>,
    asked: HostPort,
  ): Promise<void> {
    const asks = new Map<string, number[]>();
    let is_broken = false;
    for (const head of runs.heads) {
      let target: string | undefined;
      let is_left = false;
      for (let i: number | undefined = head; i !== undefined; i = runs.after(i)) {
        const [error] = batch.answers[i];
        if (error === null) continue;
        is_broken = true;
        const to = redirectionOf(error, asked);
        if (to) this.#open(to.place);
        if (to?.kind === "MOVED") this.topology.moved(to, to.place);
        target ??= to?.node;
        is_left ||= to?.kind !== "ASK" || to.node !== target;
        if (is_left) continue;
        const group = asks.get(to!.node);
        if (group) group.push(i);
        else asks.set(to!.node, [i]);
      }
    }
    await Promise.all(
      asks.entries().map(async ([node, indices]) => {
        const connection = this.#connections.get(node);
        if (connection) await this.#exchange(batch, connection, indices, true);
      }),
    );
    if (is_broken) void this.#refresh();
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
    const refresh = () => void this.#refresh();
    // A master that is gone may have a successor already.
    this.#connections.set(key, this.openNode(place, { onReady: refresh, onClose: refresh }));
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

function openConnection(
  address: RedisAddress,
  context: RedisContext,
  node: HostPort,
  { onReady, onClose }: NodeEvents,
): RedisNode {
  const connection = new RedisConnection(address, { ...context, onReady }, { node });
  connection.client.on("close", onClose);
  return connection;
}
