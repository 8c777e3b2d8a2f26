/**
 * A Redis Cluster of three masters in memory that does one command, one answer or one act of an operator at a time, when
 * told to: so any interleaving can be had, again and again. Slots move as redis-cli moves them; ASK, ASKING, MOVED,
 * CLUSTERDOWN, MULTI and EXEC behave as those of Redis 7 do (cluster.c, multi.c).
 */
import { clusterSlot } from "../../../../lib/wire/redis/cluster_slot.ts";
import type { NodeEvents, RedisNode } from "../../../../lib/wire/redis/redis_cluster.ts";
import type { RedisAnswer } from "../../../../lib/wire/redis/redis_link.ts";
import { ReplyError, RespReader } from "../../../../lib/wire/redis/resp_reader.ts";
import { RespWriter } from "../../../../lib/wire/redis/resp_writer.ts";

const SLOTS = 16_384;
export const MASTERS = 3;
export const nodeUrl = (i: number) => `redis://127.0.0.1:${7_000 + i}`;

interface Batch {
  readonly commands: readonly (readonly string[])[];
  readonly answers: RedisAnswer[];
  resolve(answers: RedisAnswer[]): void;
}

/** What a node knows of one connection. */
interface Session {
  /** Sent and not answered, oldest first. */
  readonly batches: Batch[];
  asking: boolean;
  queued: (readonly string[])[] | undefined;
  dirty: boolean;
}
const newSession = (): Session => ({ batches: [], asking: false, queued: undefined, dirty: false });
const nextOf = ({ batches }: Session) =>
  batches.find(({ commands, answers }) => answers.length < commands.length);

/** One master, and the one connection that a client has to it. */
export class ScriptedNode implements RedisNode {
  /** What it believes: slot → master, where that is not the one it began with. */
  readonly owners = new Map<number, number>();
  readonly migrating = new Map<number, number>();
  readonly importing = new Set<number>();
  readonly streams = new Map<string, string[]>();
  /** It refuses all keys. */
  down = false;
  /** Commands of these names are not permitted. */
  readonly forbidden = new Set<string>();
  ready = false;
  events: NodeEvents | undefined;
  #session = newSession();
  /** Of connections that broke: what had arrived is done all the same, and nobody hears of it. */
  readonly #late: Session[] = [];

  constructor(readonly index: number) {}
  notReady(): string | undefined {
    return this.ready ? undefined : "not connected";
  }
  reason(error: unknown): string {
    return String(error);
  }
  begin(): RespWriter {
    return new RespWriter();
  }
  async send<Item>(items: readonly Item[], append: (commands: RespWriter, item: Item) => void) {
    const commands = new RespWriter();
    for (const item of items) append(commands, item);
    return await this.exec(commands);
  }
  exec({ bytes, count }: RespWriter): Promise<RedisAnswer[]> {
    if (!this.ready) {
      return Promise.resolve(Array.from({ length: count }, () => [new Error("not connected")]));
    }
    const commands: string[][] = [];
    new RespReader((words) => commands.push(words as string[])).push(bytes);
    return new Promise((resolve) => this.#session.batches.push({ commands, answers: [], resolve }));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Does the next command that it was sent; false when there is none. `late`: of a connection that broke. */
  work(late = false): boolean {
    const session = late ? this.#late.find(nextOf) : this.#session;
    const batch = session && nextOf(session);
    if (!batch) return false;
    const words = batch.commands[batch.answers.length];
    const reply = this.#reply(words, session);
    if (words[0] !== "ASKING" && !session.queued) session.asking = false;
    batch.answers.push(reply instanceof Error ? [reply] : [null, reply]);
    return true;
  }
  /** Hands over the answers to the oldest batch, if it is done. */
  answer(): boolean {
    const [batch] = this.#session.batches;
    if (!batch || batch.answers.length < batch.commands.length) return false;
    this.#session.batches.shift();
    batch.resolve(batch.answers);
    return true;
  }
  /** An ASK of it may still be followed, or is being. */
  get redirects(): boolean {
    return [this.#session, ...this.#late.filter(nextOf)].some(({ batches }) =>
      batches.some(({ commands, answers }) =>
        commands.some(([name]) => name === "ASKING") ||
        answers.some(([error]) => error?.message.startsWith("ASK "))
      )
    );
  }
  connect(): void {
    if (this.ready || !this.events) return;
    this.ready = true;
    this.events.onReady();
  }
  break(): void {
    if (!this.ready) return;
    this.ready = false;
    const { batches } = this.#session;
    this.#late.push(this.#session);
    this.#session = newSession();
    const why = new Error("connection closed before the answer");
    for (const { commands, resolve } of batches) resolve(commands.map(() => [why]));
    this.events!.onClose();
  }
  ownerOf(slot: number): number {
    return this.owners.get(slot) ?? Math.floor(slot * MASTERS / SLOTS);
  }

  #reply(words: readonly string[], session: Session): unknown {
    const [name] = words;
    if (this.forbidden.has(name)) {
      session.dirty = true;
      const error = `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command`;
      if (name !== "EXEC") return new ReplyError(error);
      session.queued = undefined;
      return new ReplyError(`EXECABORT Transaction discarded because of: ${error}`);
    }
    switch (name) {
      case "ASKING":
        session.asking = true;
        return "OK";
      case "MULTI":
        session.queued = [];
        session.dirty = false;
        return "OK";
      case "EXEC":
        return this.#execute(session);
      case "CLUSTER":
        return this.#slots();
      case "XADD": {
        const refusal = this.#refusal(words[1], session);
        if (refusal) session.dirty = true;
        if (refusal) return refusal;
        if (!session.queued) return this.#add(words);
        session.queued.push(words);
        return "QUEUED";
      }
      default:
        throw new Error(`scripted cluster: no command ${name}`);
    }
  }
  #execute(session: Session): unknown {
    const queued = session.queued;
    session.queued = undefined;
    if (!queued) return new ReplyError("ERR EXEC without MULTI");
    if (session.dirty) {
      return new ReplyError("EXECABORT Transaction discarded because of previous errors.");
    }
    for (const [, key] of queued) {
      const refusal = this.#refusal(key, session);
      if (refusal) return refusal;
    }
    return queued.map((words) => this.#add(words));
  }
  #add([, key, value]: readonly string[]): string {
    const values = this.streams.get(key);
    if (values) values.push(value);
    else this.streams.set(key, [value]);
    return `${value}-0`;
  }
  #refusal(key: string, { asking }: Session): ReplyError | undefined {
    const slot = clusterSlot(key);
    if (this.down) return new ReplyError("CLUSTERDOWN The cluster is down");
    const owner = this.ownerOf(slot);
    if (owner !== this.index) {
      if (this.importing.has(slot) && asking) return undefined;
      return new ReplyError(`MOVED ${slot} 127.0.0.1:${7_000 + owner}`);
    }
    const to = this.migrating.get(slot);
    if (to === undefined || this.streams.has(key)) return undefined;
    return new ReplyError(`ASK ${slot} 127.0.0.1:${7_000 + to}`);
  }
  #slots(): unknown {
    const place = (i: number) => ["127.0.0.1", 7_000 + i, `id${i}`];
    const whole = Array.from({ length: MASTERS }, (_, i) => {
      const [first, end] = [i, i + 1].map((part) => Math.ceil(part * SLOTS / MASTERS));
      return [first, end - 1, place(i)];
    });
    // A later range wins over an earlier one.
    return [...whole, ...this.owners.entries().map(([slot, owner]) => [slot, slot, place(owner)])];
  }
}

export class ScriptedCluster {
  readonly nodes = Array.from({ length: MASTERS }, (_, i) => new ScriptedNode(i));
  #move: Iterator<void> | undefined;
  readonly #places = new Map<number, number>();

  /** Hand this to a `RedisCluster`. */
  readonly openNode = ({ port }: { port: number }, events: NodeEvents): RedisNode => {
    const node = this.nodes[port - 7_000];
    node.events = events;
    return node;
  };
  get moving(): boolean {
    return this.#move !== undefined;
  }
  /** The next small act of moving slots; `choose` says which slot goes where when none is on its way. */
  move(choose: () => { slot: number; to: number }): void {
    if (!this.#move) {
      // An ASK that is followed during a later move would make the key anew; no client can know, MIGRATE fails by it.
      if (this.nodes.some(({ redirects }) => redirects)) return;
      const { slot, to } = choose();
      const from = this.#places.get(slot) ?? this.nodes[0].ownerOf(slot);
      if (from === to) return;
      this.#places.set(slot, to);
      this.#move = this.#acts(slot, from, to);
    }
    if (this.#move.next().done) this.#move = undefined;
  }
  /** What is stored under a key, wherever it is. */
  stored(key: string): string[] {
    return this.nodes.flatMap(({ streams }) => streams.get(key) ?? []);
  }

  *#acts(slot: number, from: number, to: number): Generator<void, void> {
    const [source, target] = [this.nodes[from], this.nodes[to]];
    target.importing.add(slot);
    yield;
    source.migrating.set(slot, to);
    yield;
    for (const [key, values] of source.streams) {
      if (clusterSlot(key) !== slot) continue;
      source.streams.delete(key);
      target.streams.set(key, values);
      yield;
    }
    for (const node of [target, source, ...this.nodes]) {
      node.owners.set(slot, to);
      node.importing.delete(slot);
      node.migrating.delete(slot);
      yield;
    }
  }
}
