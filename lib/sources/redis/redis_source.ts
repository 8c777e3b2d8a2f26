/**
 * The source itself: a way in (subscription or stream reader) hands over texts, this makes batches of events of them and
 * drops repeats of older books. The client library is loaded when the source starts, not before.
 */
import { RateLimitedLog } from "../../base/log.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { readRedisAddress } from "../../config/redis_address.ts";
import type { SourceConnection } from "../../flow/session_registry.ts";
import { readOwnPayload } from "../own_payload.ts";
import { EventBatch } from "../../market/event_batch.ts";
import { WHOLE_BOOKS } from "../../market/sequence_rule.ts";
import type { RedisSourceConfig } from "../redis.ts";
import type { Source, SourceContext, SourceEvents } from "../source.ts";
import { PublisherMerge } from "../publisher_merge.ts";
import { ChannelPlan } from "./channel_plan.ts";
import type { Inlet, InletOwner } from "./inlet.ts";

/** Messages made into one batch at most, so that a backlog does not hold up everything else. */
const MAX_BATCH = 4_096;
/** Symbols learnt from what comes; a broken publisher must not grow memory. */
const MAX_SYMBOLS = 4_096;

/** What was told between two messages keeps its place between them. */
interface Interruption {
  readonly symbols: readonly string[];
  readonly reason: string;
}

export class RedisSource implements Source, InletOwner {
  readonly name: string;
  readonly venue: string;
  readonly sequence = WHOLE_BOOKS;
  readonly learns: boolean;
  /** Only where all are named. */
  readonly setSymbols: ((symbols: readonly string[]) => void) | undefined;
  readonly #plan: ChannelPlan;
  readonly #symbols: Set<string>;
  readonly #log: RateLimitedLog;
  readonly #malformed: MetricValue;
  readonly #stale: MetricValue;
  readonly #dropped: MetricValue;
  readonly #merge = new PublisherMerge();
  readonly #batch = new EventBatch();
  /** Not yet made into events, oldest first. */
  #waiting: (string | Interruption)[] = [];
  #inlet: Inlet | undefined;
  #wake: (() => void) | undefined;
  /** Told to wait. A stream reader waits by itself; what is published to us meanwhile is dropped as it comes. */
  #is_held = false;
  #heard_ms: number | undefined;

  constructor(readonly config: RedisSourceConfig, readonly context: SourceContext) {
    this.name = context.name;
    this.venue = config.venue;
    this.#plan = new ChannelPlan(config);
    this.learns = this.#plan.learns;
    this.setSymbols = this.learns ? undefined : (symbols) => this.#setSymbols(symbols);
    this.#symbols = new Set(this.#plan.named);
    this.#log = new RateLimitedLog(context.log, context.clock);
    const counter = (name: string, help: string) =>
      context.metrics.counter(name, help, ["source"]).with(context.name);
    this.#malformed = counter("redis_source_malformed_total", "Messages that are no book and no trade");
    this.#stale = counter(
      "redis_source_stale_total",
      "Books and trades that another publisher brought before",
    );
    this.#dropped = counter("redis_source_dropped_total", "Messages lost because the gateway was behind");
  }
  get symbols(): readonly string[] {
    return [...this.#symbols];
  }
  get named(): readonly string[] {
    return this.learns ? this.#plan.named : this.symbols;
  }
  notReady(): string | undefined {
    return this.#inlet ? this.#inlet.notReady() : "redis is not asked yet";
  }
  requestSnapshot(symbol: string): void {
    this.#merge.wanted(symbol);
    this.#inlet?.requestBook(symbol);
  }
  pause(): void {
    this.#is_held = true;
  }
  /** What was dropped may have held trades: the interruption takes its place before what comes now. */
  resume(): void {
    this.#is_held = false;
    if (this.config.read !== "streams") this.interrupted(this.symbols, "paused");
  }
  connections(): SourceConnection[] {
    const reason = this.notReady();
    return [{
      connection: this.name,
      ...(reason === undefined ? { state: "connected" } : { state: "connecting", reason }),
      symbols: this.#symbols.size,
      last_message_age_ms: this.#heard_ms === undefined
        ? undefined
        : Math.round(this.context.clock.monotonic_ms() - this.#heard_ms),
    }];
  }
  #setSymbols(symbols: readonly string[]): void {
    for (const symbol of this.#symbols) {
      if (symbols.includes(symbol)) continue;
      this.#symbols.delete(symbol);
      this.#merge.forget(symbol);
      this.#inlet?.remove(symbol);
    }
    for (const symbol of symbols) {
      if (this.#symbols.has(symbol)) continue;
      this.#symbols.add(symbol);
      this.#inlet?.add(symbol);
    }
  }

  async *batches(signal: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch> {
    const address = await readRedisAddress(this.config);
    const { openInlet } = await import("./open_inlet.ts");
    const inlet = this.#inlet = openInlet(this.config, this.#plan, address, this);
    const stop = () => this.#wake?.();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        if (this.#waiting.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
        this.#wake = undefined;
        if (signal.aborted) break;
        this.#batch.clear();
        const interruption = this.#fill();
        if (this.#batch.size > 0) yield this.#batch;
        if (interruption) this.#interrupt(interruption, events);
        inlet.taken();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#inlet = undefined;
      await inlet.close();
    }
  }

  get queued(): number {
    return this.#waiting.length;
  }
  push(text: string): void {
    this.#heard_ms = this.context.clock.monotonic_ms();
    if (this.#is_held && this.config.read !== "streams") {
      this.#dropped.value++;
      return;
    }
    this.#waiting.push(text);
    this.#wake?.();
    // Where the inlet can wait (streams) it never comes to this.
    const excess = this.#waiting.length - this.config.max_queued_events;
    if (excess <= 0) return;
    // A tenth at once, or every further message would move the whole queue.
    const lost = excess + Math.floor(this.config.max_queued_events / 10);
    this.#waiting.splice(0, lost, { symbols: this.symbols, reason: "gateway behind" });
    this.#dropped.value += lost;
    this.#log.warn("dropped", "messages from redis dropped: the gateway is behind", {
      max_queued_events: this.config.max_queued_events,
    });
  }
  interrupted(symbols: readonly string[], reason: string): void {
    this.#waiting.push({ symbols, reason });
    this.#wake?.();
  }

  /** Fills the batch from what waits, up to the next interruption. */
  #fill(): Interruption | undefined {
    const count = Math.min(MAX_BATCH, this.#waiting.length);
    for (let i = 0; i < count; i++) {
      const next = this.#waiting[i];
      if (typeof next === "string") this.#take(next);
      else {
        this.#waiting.splice(0, i + 1);
        return next;
      }
    }
    this.#waiting.splice(0, count);
    return undefined;
  }
  #take(text: string): void {
    const event = readOwnPayload(text, this.venue, this.context.clock.now_us());
    if (typeof event === "string") {
      this.#malformed.value++;
      this.#log.warn("malformed", "message from redis not understood", { reason: event });
      return;
    }
    if (!this.#admits(event.symbol)) return;
    if (!this.#merge.admits(event)) {
      this.#stale.value++;
      return;
    }
    this.#batch.push(event);
  }
  #admits(symbol: string): boolean {
    if (this.#symbols.has(symbol)) return true;
    if (!this.#plan.fits(symbol)) return false;
    if (this.#symbols.size >= MAX_SYMBOLS) {
      this.#log.warn("symbols", "symbol not taken: there are too many", { symbol, max: MAX_SYMBOLS });
      return false;
    }
    this.#symbols.add(symbol);
    return true;
  }
  #interrupt({ symbols, reason }: Interruption, events: SourceEvents): void {
    for (const symbol of symbols) this.#merge.wanted(symbol);
    events.interrupted(symbols, reason);
  }
}
