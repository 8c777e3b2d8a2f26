/**
 * The sink itself: every kind of update goes straight into the segment. Nothing is queued, nothing is retried; what has
 * no place (an instrument too many, a name too long) is refused, counted by the queue and in the segment's header.
 */
import type { Timer } from "../../base/clock.ts";
import { DELIVERED } from "../../flow/delivery_target.ts";
import type { MarketUpdate } from "../../market/update.ts";
import type { SharedMemoryConfig } from "../shared_memory.ts";
import type { Sink, SinkContext } from "../sink.ts";
import { geometryOf } from "./layout.ts";
import { Segment } from "./segment.ts";

export class SharedMemorySink implements Sink<never> {
  readonly name: string;
  readonly #segment: Segment;
  readonly #heartbeat: Timer;

  /** Throws a UserError when the segment cannot be had. */
  constructor(readonly config: SharedMemoryConfig, context: SinkContext) {
    this.name = context.name;
    this.#segment = new Segment({
      name: config.name.replace(/^\//, ""),
      geometry: geometryOf(config.max_instruments, config.order_book_depth, config.ring_events),
      mode: parseInt(config.mode, 8),
      heartbeat_interval_ms: config.heartbeat_interval_ms,
      started_us: context.clock.now_us(),
      keep: config.keep,
    });
    this.#heartbeat = context.clock.every(
      config.heartbeat_interval_ms,
      () => this.#segment.writer.heartbeat(),
    );
  }
  encode(update: MarketUpdate): typeof DELIVERED {
    const { writer } = this.#segment;
    try {
      switch (update.kind) {
        case "book":
          writer.book(update, this.config.deltas);
          break;
        case "trade":
          writer.trade(update);
          break;
        case "quote":
          writer.quote(update);
          break;
        case "ticker":
          writer.ticker(update);
          break;
        case "candle":
          writer.candle(update);
          break;
        case "book_status":
          writer.status(update);
          break;
      }
    } catch (error) {
      writer.refused();
      throw error;
    }
    return DELIVERED;
  }
  sizeBytes(): number {
    return 0;
  }
  write(): Promise<void> {
    return Promise.resolve();
  }
  notReady(): undefined {
    return undefined;
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.#heartbeat.cancel();
    this.#segment[Symbol.dispose]();
    return Promise.resolve();
  }
}
