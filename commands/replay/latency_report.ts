/**
 * `mdg replay --report`: how long each update takes from the moment its frame is played (and from the venue's own time)
 * until its payload, encoded as the Redis sink does, stands in a delivery queue. The queue's other side takes all at once.
 */
import type { Clock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { Metrics } from "../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import type { DeliveryTarget } from "../../lib/flow/delivery_target.ts";
import { bookPayload, tradePayload } from "../../lib/flow/json_payload.ts";
import { type ExitLatency, LatencyRecord } from "../../lib/flow/latency_record.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import type { Replay } from "../../lib/sources/replay/open_replay.ts";

const EXIT = "payload queued";
const CLOSE_MS = 1_000;
export const QUANTILES = [0.5, 0.9, 0.99, 0.999, 0.9999] as const;

class NullTarget implements DeliveryTarget<string> {
  readonly name = "report";
  constructor(readonly depth: number) {}

  encode(update: MarketUpdate): string | undefined {
    if (update.kind === "book") return bookPayload(update, this.depth);
    return update.kind === "trade" ? tradePayload(update) : undefined;
  }
  sizeBytes(message: string): number {
    return message.length;
  }
  write(): Promise<void> {
    return Promise.resolve();
  }
  notReady(): undefined {
    return undefined;
  }
}

export class LatencyReport {
  readonly #record: LatencyRecord;
  readonly #queue: DeliveryQueue<string>;
  #replay: Replay | undefined;

  constructor(clock: Clock, metrics: Metrics, depth: number) {
    this.#record = new LatencyRecord(clock, metrics);
    this.#queue = new DeliveryQueue(new NullTarget(depth), {
      clock,
      log: silentLog,
      metrics,
      seed: "report",
      readBook: () => undefined,
    });
  }
  /** Before it plays. */
  watch(replay: Replay): void {
    this.#replay = replay;
    for (const part of replay.parts) this.#record.replayed(part.venue, (at_us) => part.playedAt(at_us));
  }
  publish(update: MarketUpdate): void {
    // What has no payload is no exit's business: quotes, statuses.
    if (update.kind !== "book" && update.kind !== "trade") return;
    this.#queue.offer(update);
    this.#record.handed(EXIT, update);
  }
  flush(): void {
    this.#queue.flush();
  }
  throttle(): undefined {
    return undefined;
  }
  async close(): Promise<void> {
    await this.#queue.close(CLOSE_MS);
  }
  figures(): LatencyFigures {
    const [exit] = this.#record.close();
    const lateness_ms = this.#replay?.player.pace.worst_lateness_ms ?? 0;
    return { exit, worst_lateness_ms: lateness_ms };
  }
}

export interface LatencyFigures {
  /** Undefined: nothing went out. */
  exit: ExitLatency | undefined;
  /** The most that a frame was played after it was due. */
  worst_lateness_ms: number;
}

/** For stdout: one JSON object. */
export function reportJson({ exit, worst_lateness_ms }: LatencyFigures): string {
  const of = (histogram: ExitLatency["received"] | undefined) =>
    histogram === undefined || histogram.count === 0 ? null : {
      count: histogram.count,
      ...Object.fromEntries(QUANTILES.map((q) => [`p${q * 100}_us`, rounded(histogram.quantile(q)!)])),
      max_us: rounded(histogram.max),
    };
  return JSON.stringify({
    exit: exit?.name ?? EXIT,
    from_receipt: of(exit?.received),
    from_exchange: of(exit?.exchange),
    worst_lateness_ms: rounded(worst_lateness_ms),
  });
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
