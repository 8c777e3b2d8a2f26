/**
 * The contract of a sink: where updates go that someone else keeps or forwards. `encode` is synchronous because books
 * move on; `write` may take its time, its promise is the backpressure. The queue in between (flow/delivery_queue) holds
 * the bound and the policy, so a slow sink never slows the feed or another sink.
 */
import type { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { MarketUpdate } from "../market/update.ts";

export interface Sink<Message = unknown> extends AsyncDisposable {
  /** Unique among the running sinks, for logs and metrics: "redis", "redis#2". */
  readonly name: string;
  /** What `write` takes for this update, or undefined when the sink doesn't want it. Called once per update. */
  encode(update: MarketUpdate): Message | undefined;
  /**
   * Resolves when the other side has taken all of it. Rejects when it has not: the queue keeps the messages for a later
   * attempt (trades) or forgets them for newer ones (books).
   */
  write(messages: readonly Message[]): Promise<void>;
  /** Undefined when connected, else why not. Read by /ready. */
  notReady(): string | undefined;
  /** Flushes within a deadline, then lets go. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SinkContext {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly seed: string;
  /** Call when the connection is back, so the queue drains at once. */
  onWritable(callback: () => void): void;
}

/** What a sink file exports under its registry name. */
export interface SinkKind<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly schema: Schema;
  /** Where updates of an instrument go, as text ("orderbook:BTCUSDT"): two instruments with one answer are a config error. */
  target?(config: z.output<Schema>, venue: string, symbol: string): string;
  /** Resolves at once even when the other side is away: the sink connects by itself and says so in `notReady`. */
  connect(config: z.output<Schema>, context: SinkContext): Promise<Sink>;
}

export function defineSink<Schema extends z.ZodObject>(kind: SinkKind<Schema>): SinkKind<Schema> {
  return kind;
}
