/**
 * Pub/sub as a way in. What is published while a subscription is broken is lost: its symbols are interrupted, and once
 * subscribed again the latest book is read from its key, since a quiet book would otherwise stay out of sync.
 */
import { RateLimitedLog } from "../../base/log.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { channelOf } from "../../wire/redis/channel_of.ts";
import { clusterSlot } from "../../wire/redis/cluster_slot.ts";
import { openRedis } from "../../wire/redis/open_redis.ts";
import type { RedisAddress, RedisLink } from "../../wire/redis/redis_link.ts";
import { RedisSubscriber } from "../../wire/redis/redis_subscriber.ts";
import type { RedisSourceConfig } from "../redis.ts";
import type { Inlet, InletOwner } from "./inlet.ts";

export class SubscriptionInlet implements Inlet {
  readonly #subscriber: RedisSubscriber;
  /** A subscribed connection can't ask for keys. */
  readonly #link: RedisLink;
  /** Channel → symbol. */
  readonly #symbols = new Map<string, string>();
  /** Symbols whose latest book is still to be read. */
  readonly #wanted = new Set<string>();
  readonly #log: RateLimitedLog;
  readonly #interruptions: MetricValue;
  #asking = false;
  #closed = false;

  constructor(readonly config: RedisSourceConfig, address: RedisAddress, readonly owner: InletOwner) {
    const { context } = owner;
    this.#log = new RateLimitedLog(context.log, context.clock);
    this.#interruptions = context.metrics.counter(
      "redis_source_interruptions_total",
      "Subscriptions that broke; what was published meanwhile is lost",
      ["source"],
    ).with(context.name);
    for (const symbol of owner.symbols) this.#name(symbol);
    const { name, clock, log, seed } = context;
    this.#link = openRedis(address, { name, clock, log, seed, onReady: () => void this.#readLatest() });
    this.#subscriber = new RedisSubscriber(address, { name, clock, log, seed }, {
      channels: [...this.#symbols.keys()],
      sharded: config.read === "sharded_pubsub",
      onMessage: (_channel, payload) => owner.push(payload),
      onSubscribed: (channels) => {
        for (const channel of channels) this.#want(this.#symbols.get(channel));
        void this.#readLatest();
      },
      onInterrupted: (channels, reason) => {
        this.#interruptions.value++;
        const symbols = new Set(
          channels.map((channel) => this.#symbols.get(channel)).filter((one) => one !== undefined),
        );
        owner.interrupted([...symbols], `redis: ${reason}`);
      },
    });
  }
  notReady(): string | undefined {
    return this.#subscriber.notReady();
  }
  add(symbol: string): void {
    for (const channel of this.#name(symbol)) this.#subscriber.add(channel);
  }
  remove(symbol: string): void {
    for (const [channel, of] of this.#symbols) {
      if (of !== symbol) continue;
      this.#symbols.delete(channel);
      this.#subscriber.remove(channel);
    }
  }
  requestBook(symbol: string): void {
    this.#want(symbol);
    void this.#readLatest();
  }
  taken(): void {}
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#subscriber.close(), this.#link.close()]);
  }

  #name(symbol: string): string[] {
    const { channels: { book, trades }, venue } = this.config;
    const names = [book, trades].map((template) => channelOf(template, venue, symbol));
    for (const name of names) this.#symbols.set(name, symbol);
    return names;
  }
  #want(symbol: string | undefined): void {
    if (symbol !== undefined) this.#wanted.add(symbol);
  }
  /** A book that came by its channel meanwhile is newer; the source then drops this one as stale. */
  async #readLatest(): Promise<void> {
    if (this.#asking || this.#closed || !this.#link.ready) return;
    this.#asking = true;
    while (this.#wanted.size > 0 && this.#link.ready && !this.#closed) {
      const symbols = [...this.#wanted];
      this.#wanted.clear();
      const items = symbols.map((symbol) => {
        const key = channelOf(this.config.latest_key, this.config.venue, symbol);
        return { key, slot: clusterSlot(key) };
      });
      const answers = await this.#link.send(items, (commands, { key }) => commands.command("GET", key));
      for (const [error, reply] of answers) {
        if (typeof reply === "string") this.owner.push(reply);
        if (error) this.#log.warn("latest", "latest book not read", { reason: this.#link.reason(error) });
      }
    }
    this.#asking = false;
  }
}
