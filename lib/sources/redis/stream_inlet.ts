/**
 * Streams as a way in: reads on where it was, waits while the gateway is behind, and writes down how far it came under
 * `position_key`, at most once a second and at the end. What a position says is consumed: a crash repeats at most what
 * came since, and loses nothing.
 */
import { sleep } from "../../base/clock.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { isPartitioned } from "../../wire/redis/channel_of.ts";
import { clusterSlot } from "../../wire/redis/cluster_slot.ts";
import { openRedis } from "../../wire/redis/open_redis.ts";
import type { RedisAddress, RedisLink } from "../../wire/redis/redis_link.ts";
import { entriesOf, StreamReader } from "../../wire/redis/stream_reader.ts";
import type { RedisSourceConfig } from "../redis.ts";
import { type ChannelPlan, NameUses } from "./channel_plan.ts";
import type { Inlet, InletOwner } from "./inlet.ts";
import { LatestReader } from "./latest_reader.ts";

const MAX_BLOCK_MS = 1_000;
const POLL_MS = 20;
const MAX_ENTRIES = 1_000;
const SAVE_MS = 1_000;
const RETRY_MS = 200;

export class StreamInlet implements Inlet {
  readonly #reader: StreamReader;
  readonly #stopping = new AbortController();
  readonly #log: RateLimitedLog;
  readonly #trimmed: MetricValue;
  /** Stream → id of the last entry consumed; what is saved. */
  readonly #consumed = new Map<string, string>();
  readonly #reading: Promise<void>;
  readonly link: RedisLink;
  #saved_ms = -Infinity;
  #wake: (() => void) | undefined;

  readonly #latest: LatestReader;
  readonly #uses = new NameUses();

  constructor(
    readonly config: RedisSourceConfig,
    readonly plan: ChannelPlan,
    address: RedisAddress,
    readonly owner: InletOwner,
  ) {
    const { clock, log, metrics, name, seed } = owner.context;
    const link = this.link = openRedis(address, { name, clock, log, seed, onReady: () => {} });
    this.#log = new RateLimitedLog(log, clock);
    this.#latest = new LatestReader(() => link, plan, owner);
    this.#trimmed = metrics.counter(
      "redis_source_trimmed_total",
      "Times that a stream no longer held the entry after the last one read: some may be lost",
      ["source"],
    ).with(name);
    this.#reader = new StreamReader(link, {
      clock,
      is_cluster: config.topology === "cluster",
      block_ms: Math.min(MAX_BLOCK_MS, config.command_timeout_ms / 2 | 0),
      poll_ms: POLL_MS,
      max_entries: MAX_ENTRIES,
      onError: (error) => this.#log.warn("read", "redis streams not read", { reason: link.reason(error) }),
      onTrimmed: (stream, reached, first) => {
        this.#trimmed.value++;
        this.#log.warn("trimmed", "entries of a redis stream may be lost: trimmed before they were read", {
          stream,
          reached,
          first,
        });
      },
    });
    for (const stream of plan.always) if (this.#uses.add(stream)) this.#reader.add(stream, config.from);
    for (const symbol of owner.named) this.add(symbol);
    this.#reading = this.#run();
  }
  notReady(): string | undefined {
    return this.link.notReady();
  }
  add(symbol: string): void {
    for (const stream of this.plan.namesOf(symbol)) {
      if (this.#uses.add(stream)) this.#reader.add(stream, this.config.from);
    }
  }
  remove(symbol: string): void {
    for (const stream of this.plan.namesOf(symbol)) {
      if (!this.#uses.remove(stream)) continue;
      this.#reader.remove(stream);
      this.#consumed.delete(stream);
    }
  }
  /** Whole books come by themselves; the last one there is was read at the start. */
  requestBook(): void {}
  taken(): void {
    if (this.owner.queued > 0) return;
    for (const [stream, id] of this.#reader.positions) if (id !== "$") this.#consumed.set(stream, id);
    this.#wake?.();
  }
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#latest.close();
    this.#wake?.();
    await this.#save();
    await this.link.close();
    await this.#reading;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { clock } = this.owner.context;
    while (!signal.aborted && !await this.#resume()) await sleep(clock, RETRY_MS, signal);
    for await (const entries of this.#reader.entries(signal)) {
      for (const { payload } of entries) this.owner.push(payload ?? "");
      // Stopped, nobody takes it any more: it was not consumed, so the position does not say so.
      if (signal.aborted) break;
      if (this.owner.queued > 0) await new Promise<void>((resolve) => this.#wake = resolve);
      if (clock.monotonic_ms() - this.#saved_ms >= SAVE_MS) await this.#save();
    }
  }
  /** Goes to the positions that an earlier run wrote down, and reads the book that is there now. False: not yet possible. */
  async #resume(): Promise<boolean> {
    const { position_key } = this.config;
    if (!this.link.ready) return false;
    if (position_key !== undefined) {
      const item = { slot: clusterSlot(position_key) };
      const [[error, reply]] = await this.link.send(
        [item],
        (commands) => commands.command("HGETALL", position_key),
      );
      if (error) return false;
      const pairs = reply as string[];
      for (let i = 0; i < pairs.length; i += 2) {
        if (this.#reader.positions.has(pairs[i])) this.#reader.add(pairs[i], pairs[i + 1]);
      }
    }
    return await this.#readBooks();
  }
  /** The book that is there now. Where reading goes on from an earlier place the books come along. */
  async #readBooks(): Promise<boolean> {
    if (isPartitioned(this.config.channels.book)) {
      if (this.config.from !== "$") return true;
      for (const symbol of this.owner.named) this.#latest.want(symbol);
      this.#latest.wantAll();
      await this.#latest.read();
      return true;
    }
    const names = this.owner.named.map((symbol) => this.plan.namesOf(symbol)[0]);
    const books = names.filter((name) => this.#reader.positions.get(name) === "$")
      .map((name) => ({ name, slot: clusterSlot(name) }));
    const answers = await this.link.send(
      books,
      (commands, { name }) => commands.command("XREVRANGE", name, "+", "-", "COUNT", 1),
    );
    for (const [error, reply] of answers) {
      if (error) return false;
      const [entry] = entriesOf("", reply);
      if (entry) this.owner.push(entry.payload ?? "");
    }
    return true;
  }
  async #save(): Promise<void> {
    const { position_key } = this.config;
    this.#saved_ms = this.owner.context.clock.monotonic_ms();
    if (position_key === undefined || this.#consumed.size === 0 || !this.link.ready) return;
    const fields = [...this.#consumed].flat();
    const item = { slot: clusterSlot(position_key) };
    const [[error]] = await this.link.send(
      [item],
      (commands) => commands.command("HSET", position_key, ...fields),
    );
    if (error) {
      this.#log.warn("save", "position in redis streams not saved", { reason: this.link.reason(error) });
    }
  }
}
