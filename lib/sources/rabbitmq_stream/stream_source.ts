/**
 * The source itself: follows the stream, or each partition of a super stream, and makes batches of events. A batch of
 * messages is acknowledged when its events were consumed, so nothing piles up here and no stored offset says too much.
 * Waits for a broker, or a stream, that is not there yet.
 */
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/clock.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { Random } from "../../base/random.ts";
import type { SourceConnection } from "../../flow/session_registry.ts";
import { EventBatch } from "../../market/event_batch.ts";
import { WHOLE_BOOKS } from "../../market/sequence_rule.ts";
import type { StreamBroker } from "../../wire/rabbitmq_stream/broker.ts";
import type { Delivered } from "../../wire/rabbitmq_stream/consumer.ts";
import type { StreamOffset } from "../../wire/rabbitmq_stream/protocol.ts";
import { globMatcher, isGlob } from "../../wire/redis/glob.ts";
import { PublisherMerge } from "../publisher_merge.ts";
import type { StreamSourceConfig } from "../rabbitmq_stream.ts";
import type { Source, SourceContext, SourceEvents } from "../source.ts";
import { type OutOfSync, readUpdate } from "./read_update.ts";

const RETRY = { first_ms: 200, max_ms: 5_000 };
/** Symbols learnt from what comes; a broken publisher must not grow memory. */
const MAX_SYMBOLS = 4_096;
const decoder = new TextDecoder();

/** Messages of one partition; `taken` lets it read on. */
interface Parcel {
  readonly messages: readonly Delivered[];
  taken(): void;
}

export class StreamSource implements Source {
  readonly name: string;
  readonly venue: string;
  readonly sequence = WHOLE_BOOKS;
  readonly learns: boolean;
  readonly #symbols: Set<string>;
  readonly #fits: readonly ((symbol: string) => boolean)[];
  readonly #kinds: ReadonlySet<string>;
  readonly #log: RateLimitedLog;
  readonly #malformed: MetricValue;
  readonly #stale: MetricValue;
  readonly #merge = new PublisherMerge();
  readonly #batch = new EventBatch();
  /** At most one of each partition. */
  readonly #parcels: Parcel[] = [];
  /** Stream → offset of the last message consumed. */
  readonly #reached = new Map<string, bigint>();
  #wake: (() => void) | undefined;
  #is_held = false;
  #disconnects = 0;
  /** Stream → why it is not read, undefined when it is; "" where nobody knows the streams yet. */
  readonly #troubles = new Map<string, string | undefined>([["", "not connected yet"]]);

  constructor(readonly config: StreamSourceConfig, readonly context: SourceContext) {
    this.name = context.name;
    this.venue = config.venue;
    this.#fits = config.symbols.filter(isGlob).map(globMatcher);
    this.learns = this.#fits.length > 0;
    this.#symbols = new Set(config.symbols.filter((symbol) => !isGlob(symbol)));
    this.#kinds = new Set(config.kinds.map((kind) => kind === "book" ? "book_snapshot" : kind));
    this.#log = new RateLimitedLog(context.log.with({ source: this.name }), context.clock);
    const counter = (name: string, help: string) =>
      context.metrics.counter(name, help, ["source"]).with(context.name);
    this.#malformed = counter("rabbitmq_source_malformed_total", "Messages that could not be read");
    this.#stale = counter("rabbitmq_source_stale_total", "Books and trades that came before");
  }
  get symbols(): readonly string[] {
    return [...this.#symbols];
  }
  notReady(): string | undefined {
    const trouble = [...this.#troubles.values()].find((reason) => reason !== undefined);
    return trouble === undefined ? undefined : `rabbitmq: ${trouble}`;
  }
  /** Whole books come by themselves; the same again is welcome. */
  requestSnapshot(symbol: string): void {
    this.#merge.wanted(symbol);
  }

  /** Nothing more is acknowledged, so the broker sends nothing more; at most two chunks of each partition are on the way. */
  pause(): void {
    this.#is_held = true;
  }
  resume(): void {
    this.#is_held = false;
    this.#wake?.();
  }
  connections(): SourceConnection[] {
    return [...this.#troubles].map(([stream, reason]) => ({
      connection: stream || this.config.stream,
      ...(reason === undefined ? { state: "connected" } : { state: "connecting", reason }),
      symbols: this.#symbols.size,
      disconnects: this.#disconnects,
    }));
  }

  async *batches(outer: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch> {
    const stopping = new AbortController();
    const signal = AbortSignal.any([outer, stopping.signal]);
    const reading = this.#readAll(signal);
    signal.addEventListener("abort", () => this.#wake?.());
    try {
      while (!signal.aborted) {
        const [parcel] = this.#parcels;
        if (parcel === undefined || this.#is_held) {
          await new Promise<void>((resolve) => this.#wake = resolve);
          continue;
        }
        yield* this.#open(parcel, events);
        this.#parcels.shift();
        parcel.taken();
      }
    } finally {
      stopping.abort();
      for (const parcel of this.#parcels) parcel.taken();
      await reading;
    }
  }

  /** An interruption comes after the events that were before it. */
  *#open({ messages }: Parcel, events: SourceEvents): Iterable<EventBatch> {
    const batch = this.#batch;
    batch.clear();
    for (const message of messages) {
      const interruption = this.#take(message, batch);
      if (interruption === undefined) continue;
      if (batch.size > 0) yield batch;
      batch.clear();
      this.#merge.wanted(interruption.symbol);
      events.interrupted([interruption.symbol], interruption.reason);
    }
    if (batch.size > 0) yield batch;
  }
  #take({ message, malformed }: Delivered, batch: EventBatch): OutOfSync | undefined {
    const data = message?.data;
    const event = data === undefined
      ? malformed ?? "no data section"
      : readUpdate(decoder.decode(data), this.venue, this.context.clock.now_us());
    if (typeof event === "string") {
      this.#malformed.value++;
      this.#log.warn("malformed", "message of the stream not understood", { reason: event });
      return undefined;
    }
    if (event.kind === "foreign" || !this.#admits(event.symbol)) return undefined;
    if (event.kind === "out_of_sync") return event;
    if (!this.#kinds.has(event.kind)) return undefined;
    if ((event.kind === "book_snapshot" || event.kind === "trade") && !this.#merge.admits(event)) {
      this.#stale.value++;
      return undefined;
    }
    batch.push(event);
    return undefined;
  }
  #admits(symbol: string): boolean {
    if (this.#symbols.has(symbol)) return true;
    if (this.#symbols.size >= MAX_SYMBOLS || !this.#fits.some((fits) => fits(symbol))) return false;
    this.#symbols.add(symbol);
    return true;
  }

  /** Never rejects; resolves when `signal` aborts. */
  async #readAll(signal: AbortSignal): Promise<void> {
    const { StreamBroker } = await import("../../wire/rabbitmq_stream/broker.ts");
    const makeBroker = () => new StreamBroker(this.config, this.context.clock, `mdg ${this.name}`);
    const streams = await this.#persist("", makeBroker(), signal, (broker) => this.#streams(broker));
    this.#troubles.delete("");
    for (const stream of streams ?? []) this.#troubles.set(stream, "not connected yet");
    await Promise.all((streams ?? []).map(async (stream) => {
      const broker = makeBroker();
      while (!signal.aborted) {
        await this.#persist(stream, broker, signal, () => this.#follow(stream, broker, signal));
      }
    }));
  }
  async #streams(broker: StreamBroker): Promise<string[]> {
    const [{ partitionsOf }, { Code, RefusedByBroker }] = await Promise.all([
      import("../../wire/rabbitmq_stream/consumer.ts"),
      import("../../wire/rabbitmq_stream/protocol.ts"),
    ]);
    const { stream } = this.config;
    try {
      const partitions = await partitionsOf(broker, stream);
      return partitions.length > 0 ? partitions : [stream];
    } catch (error) {
      // A stream by itself has no partitions, and brokers say it this way.
      if (error instanceof RefusedByBroker && error.code === Code.stream_does_not_exist) return [stream];
      throw error;
    }
  }
  /** Until it is done or the signal aborts. */
  async #persist<T>(
    stream: string,
    broker: StreamBroker,
    signal: AbortSignal,
    work: (broker: StreamBroker) => Promise<T>,
  ): Promise<T | undefined> {
    const { clock, seed } = this.context;
    const backoff = new Backoff(RETRY, new Random(`${seed}:${this.name}:${stream}`));
    while (!signal.aborted) {
      try {
        return await work(broker);
      } catch (error) {
        const reason = broker.reason(error);
        this.#troubles.set(stream, reason);
        this.#log.warn("read", "stream not read", { broker: broker.address, reason });
        broker.nextAddress();
      }
      await sleep(clock, backoff.next_ms(), signal);
    }
    return undefined;
  }
  async #follow(stream: string, broker: StreamBroker, signal: AbortSignal): Promise<void> {
    const { consume } = await import("../../wire/rabbitmq_stream/consumer.ts");
    const { consumer, from } = this.config;
    const offset: StreamOffset = typeof from === "number"
      ? { from: "offset", offset: BigInt(from) }
      : { from };
    const delivered = consume(broker, {
      stream,
      offset,
      reference: consumer,
      signal,
      random: new Random(`${this.context.seed}:${stream}`),
      onOpened: () => void this.#troubles.set(stream, undefined),
      onLost: (reason) => {
        this.#disconnects++;
        this.#troubles.set(stream, reason);
        this.#log.warn("lost", "connection to the broker lost, reading goes on where it was", {
          stream,
          reason,
        });
      },
    });
    for await (const messages of delivered) {
      await new Promise<void>((resolve) => {
        this.#parcels.push({ messages, taken: resolve });
        this.#wake?.();
      });
      // Stopped, nobody took it: it was not consumed, and no offset says so.
      if (signal.aborted) break;
      this.#reached.set(stream, messages.at(-1)!.offset);
    }
  }
}
