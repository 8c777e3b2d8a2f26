/**
 * The contract of a sink: where updates go that someone else keeps or forwards. `encode` is synchronous because books
 * move on; `write` may take its time, its promise is the backpressure. The queue in between (flow/delivery_queue) holds
 * the bound and the policy, so a slow sink never slows the feed or another sink.
 */
import type { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { RevocablePermission } from "../cli/command.ts";
import type { DeliveryTarget } from "../flow/delivery_target.ts";
import type { Surroundings } from "../flow/hub.ts";
import type { SubscriptionChange } from "../market/subscription_change.ts";

/** What a delivery queue feeds; disposing flushes within a deadline, then lets go. */
export interface Sink<Message = unknown> extends DeliveryTarget<Message>, AsyncDisposable {
  /**
   * Told of every change of the subscriptions at a venue, where a sink keeps such a record. Takes it at once and keeps it
   * within a bound of its own until it is delivered; must not throw.
   */
  noteSubscription?(change: SubscriptionChange): void;
}

export interface SinkContext {
  readonly name: string;
  readonly clock: Clock;
  /** Names the sink already. */
  readonly log: Log;
  readonly metrics: Metrics;
  readonly seed: string;
  /** The sink calls it when its connection is back, so that its queue drains at once (DeliveryQueue.wake). */
  writable(): void;
  /** How the rest of the gateway fares, for a sink that reports on it; absent where there is none. */
  readonly surroundings?: Surroundings;
}

/** What a sink file exports under its registry name. */
export interface SinkKind<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly schema: Schema;
  /** What `mdg run` keeps when this sink is configured; none when absent. */
  readonly permissions?: readonly RevocablePermission[];
  /** Where updates of an instrument go, as text ("orderbook:BTCUSDT"): two instruments with one answer are a config error. */
  target?(config: z.output<Schema>, venue: string, symbol: string): string;
  /** Resolves at once even when the other side is away: the sink connects by itself and says so in `notReady`. */
  connect(config: z.output<Schema>, context: SinkContext): Promise<Sink>;
}

export function defineSink<Schema extends z.ZodObject>(kind: SinkKind<Schema>): SinkKind<Schema> {
  return kind;
}
