/**
 * Pub/sub as a way in. What is published while a subscription is broken is lost: its symbols are interrupted, and once
 * subscribed again the latest book is read from its key, since a quiet book would otherwise stay out of sync.
 */
import type { MetricValue } from "../../base/metrics.ts";
import { openRedis } from "../../wire/redis/open_redis.ts";
import type { RedisAddress, RedisLink } from "../../wire/redis/redis_link.ts";
import { RedisSubscriber } from "../../wire/redis/redis_subscriber.ts";
import type { RedisSourceConfig } from "../redis.ts";
import { type ChannelPlan, NameUses } from "./channel_plan.ts";
import type { Inlet, InletOwner } from "./inlet.ts";
import { LatestReader } from "./latest_reader.ts";

export class SubscriptionInlet implements Inlet {
  readonly #subscriber: RedisSubscriber;
  /** A subscribed connection can't ask for keys. */
  readonly #link: RedisLink;
  readonly #latest: LatestReader;
  readonly #uses = new NameUses();
  readonly #interruptions: MetricValue;

  constructor(
    readonly config: RedisSourceConfig,
    readonly plan: ChannelPlan,
    address: RedisAddress,
    readonly owner: InletOwner,
  ) {
    const { name, clock, log, seed, metrics } = owner.context;
    this.#interruptions = metrics.counter(
      "redis_source_interruptions_total",
      "Subscriptions that broke; what was published meanwhile is lost",
      ["source"],
    ).with(name);
    for (const channel of plan.always) this.#uses.add(channel);
    for (const symbol of owner.named) for (const channel of plan.namesOf(symbol)) this.#uses.add(channel);
    this.#latest = new LatestReader(() => this.#link, plan, owner);
    this.#link = openRedis(address, { name, clock, log, seed, onReady: () => void this.#latest.read() });
    this.#subscriber = new RedisSubscriber(address, { name, clock, log, seed }, {
      channels: this.#uses.names,
      patterns: plan.patterns,
      sharded: config.read === "sharded_pubsub",
      onMessage: (_channel, payload) => owner.push(payload),
      onSubscribed: (channels) => this.#onSubscribed(channels),
      onInterrupted: (channels, reason) => this.#onInterrupted(channels, reason),
    });
  }
  notReady(): string | undefined {
    return this.#subscriber.notReady();
  }
  add(symbol: string): void {
    for (const channel of this.plan.namesOf(symbol)) {
      if (this.#uses.add(channel)) this.#subscriber.add(channel);
    }
    this.requestBook(symbol);
  }
  remove(symbol: string): void {
    for (const channel of this.plan.namesOf(symbol)) {
      if (this.#uses.remove(channel)) this.#subscriber.remove(channel);
    }
  }
  requestBook(symbol: string): void {
    this.#latest.want(symbol);
    void this.#latest.read();
  }
  taken(): void {}
  async close(): Promise<void> {
    this.#latest.close();
    await Promise.all([this.#subscriber.close(), this.#link.close()]);
  }

  #onSubscribed(channels: readonly string[]): void {
    for (const symbol of this.#symbolsOn(channels)) this.#latest.want(symbol);
    this.#latest.wantAll();
    void this.#latest.read();
  }
  #onInterrupted(channels: readonly string[], reason: string): void {
    this.#interruptions.value++;
    this.owner.interrupted(this.#symbolsOn(channels), `redis: ${reason}`);
  }
  /** Patterns all stand on one connection: what breaks it breaks them all. */
  #symbolsOn(channels: readonly string[]): string[] {
    const affected = new Set(channels);
    return this.owner.symbols.filter((symbol) =>
      this.plan.patterns.length > 0 || this.plan.namesOf(symbol).some((channel) => affected.has(channel))
    );
  }
}
