/**
 * The source itself: one connection to another mdg, every message in order into batches, interruptions in their place
 * among them. Reconnects for ever; what was missed meanwhile is said: books are interrupted, lost trades counted where
 * the other side's numbering tells. Memory is bounded: past `MAX_WAITING` characters the socket is not read.
 */
import { Backoff } from "../../base/backoff.ts";
import { sleep, type Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { SourceConnection } from "../../flow/session_registry.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { Random } from "../../base/random.ts";
import type { BookDelta } from "../../market/event.ts";
import { EventBatch } from "../../market/event_batch.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { Source, SourceContext, SourceEvents } from "../source.ts";
import { PeerInstrument } from "./instrument.ts";
import { Peer } from "./peer.ts";
import { type Message, readMessage } from "./read_message.ts";

export const ANY_SYMBOL = "*";
/** Characters of messages that wait for the books. */
const MAX_WAITING = 32 * 1024 * 1024;
const BATCH_EVENTS = 256;
/** A connection that lived so long was healthy. */
const HEALTHY_MS = 10_000;
/** Between two wishes for a snapshot of one symbol, and for a symbol the other side does not know. */
const SNAPSHOT_PAUSE_MS = 1_000;
const UNKNOWN_PAUSE_MS = 5_000;
/** Symbols of a wildcard; a broken peer must not grow memory. */
const MAX_SYMBOLS = 4_096;

export interface GatewaySourceConfig {
  readonly url: string;
  readonly venue: string;
  readonly symbols: readonly string[];
  readonly channels: readonly string[];
  readonly reconnect_delay_ms: number;
  readonly max_reconnect_delay_ms: number;
  readonly max_silence_ms: number;
}

/** The ids chain: each delta names the one before it. */
const sequence: SequenceRule = {
  in_band_snapshots: true,
  afterSnapshot: (delta, snapshot_id) => chained(delta, snapshot_id),
  afterDelta: (delta, last_id) => chained(delta, last_id),
};
function chained(delta: BookDelta, last_id: number) {
  if (delta.previous_id === last_id) return "next" as const;
  return delta.last_id <= last_id ? "stale" as const : "gap" as const;
}

interface Waiting {
  readonly text: string;
  readonly received_us: number;
}

export class GatewaySource implements Source {
  readonly name: string;
  readonly venue: string;
  readonly sequence = sequence;
  readonly learns: boolean;
  readonly #instruments = new Map<string, PeerInstrument>();
  readonly #batch = new EventBatch();
  readonly #log: RateLimitedLog;
  readonly #missed: MetricValue;
  readonly #malformed: MetricValue;
  readonly #asked_ms = new Map<string, number>();
  readonly #timers = new Set<Timer>();
  #peer: Peer | undefined;
  #waiting: Waiting[] = [];
  #waiting_size = 0;
  #is_paused = false;
  /** Told to wait, however little is gathered. */
  #is_held = false;
  #disconnects = 0;
  #heard_ms: number | undefined;
  /** Why the connection ended; taken by the reader after the messages that came before. */
  #down: string | undefined;
  /** What came after an unreadable message means nothing. */
  #is_broken = false;
  #wake: (() => void) | undefined;
  #epoch = "";
  #why: string | undefined = "not connected yet";

  constructor(readonly config: GatewaySourceConfig, readonly context: SourceContext) {
    this.name = context.name;
    this.venue = config.venue;
    this.learns = config.symbols.includes(ANY_SYMBOL);
    if (!this.learns) { for (const symbol of config.symbols) this.#instrument(symbol); }
    this.#log = new RateLimitedLog(context.log.with({ source: this.name }), context.clock);
    const { metrics } = context;
    this.#missed = metrics.counter(
      "gateway_trades_missed_total",
      "Trades the other gateway had and we did not get: it told so, or its numbering",
      ["source"],
    ).with(this.name);
    this.#malformed = metrics.counter(
      "gateway_messages_malformed_total",
      "Messages of the other gateway that could not be read",
      ["source"],
    ).with(this.name);
  }
  get symbols(): readonly string[] {
    return [...this.#instruments.keys()];
  }
  notReady(): string | undefined {
    return this.#why === undefined ? undefined : `${this.config.url}: ${this.#why}`;
  }
  /** A snapshot that is on its way, or that the other side will send when it can, is not asked for again. */
  requestSnapshot(symbol: string): void {
    const instrument = this.#instruments.get(symbol);
    if (!instrument || instrument.awaits_snapshot || !this.#peer) return;
    if (!this.config.channels.includes("book")) return;
    instrument.awaits_snapshot = true;
    this.#askLater(symbol, SNAPSHOT_PAUSE_MS, "book");
  }

  /** The other side conflates for us meanwhile and says what it skipped. */
  pause(): void {
    this.#is_held = this.#is_paused = true;
    this.#peer?.pause();
  }
  resume(): void {
    this.#is_held = this.#is_paused = false;
    this.#peer?.resume();
  }
  connections(): SourceConnection[] {
    const reason = this.#why;
    return [{
      connection: new URL(this.config.url).host,
      ...(reason === undefined ? { state: "connected" } : { state: "connecting", reason }),
      symbols: this.#instruments.size,
      last_message_age_ms: this.#heard_ms === undefined
        ? undefined
        : Math.round(this.context.clock.monotonic_ms() - this.#heard_ms),
      disconnects: this.#disconnects,
    }];
  }

  async *batches(signal: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch> {
    const { clock, seed } = this.context;
    const { reconnect_delay_ms, max_reconnect_delay_ms } = this.config;
    const delays = { first_ms: reconnect_delay_ms, max_ms: max_reconnect_delay_ms };
    const backoff = new Backoff(delays, new Random(`${seed}:${this.name}`));
    const stop = () => {
      this.#peer?.close("stopped");
      this.#wake?.();
    };
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const began_ms = clock.monotonic_ms();
        this.#open();
        yield* this.#read(signal, events);
        if (clock.monotonic_ms() - began_ms > HEALTHY_MS) backoff.reset();
        await sleep(clock, backoff.next_ms(), signal);
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#peer?.close("stopped");
      for (const timer of this.#timers) timer.cancel();
    }
  }

  #open(): void {
    const { url, max_silence_ms } = this.config;
    this.#down = undefined;
    this.#is_broken = false;
    this.#waiting = [];
    this.#waiting_size = 0;
    this.#is_paused = this.#is_held;
    const peer: Peer = this.#peer = new Peer(url, max_silence_ms, this.context.clock, {
      opened: () => {
        if (this.#is_held) peer.pause();
        this.#subscribeAll(peer);
      },
      text: (text, received_us) => {
        this.#heard_ms = this.context.clock.monotonic_ms();
        this.#waiting.push({ text, received_us });
        this.#waiting_size += text.length;
        if (this.#waiting_size > MAX_WAITING && !this.#is_paused) {
          this.#is_paused = true;
          peer.pause();
        }
        this.#wake?.();
      },
      down: (reason) => {
        this.#down = reason;
        this.#wake?.();
      },
    });
  }
  /** Until the connection ends. An interruption comes after the events that were before it. */
  async *#read(signal: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch> {
    const batch = this.#batch;
    batch.clear();
    while (!signal.aborted) {
      const messages = this.#waiting;
      this.#waiting = [];
      for (const { text, received_us } of messages) {
        this.#waiting_size -= text.length;
        if (this.#is_broken) break;
        const interruption = this.#message(text, received_us);
        if (interruption === undefined && batch.size < BATCH_EVENTS) continue;
        if (batch.size > 0) yield batch;
        batch.clear();
        if (interruption) events.interrupted([interruption.symbol], interruption.reason);
        if (signal.aborted) return;
      }
      if (batch.size > 0) yield batch;
      batch.clear();
      if (this.#waiting.length > 0 && !this.#is_broken) continue;
      if (this.#is_paused && !this.#is_held) {
        this.#is_paused = false;
        this.#peer?.resume();
      }
      if (this.#down !== undefined) break;
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    this.#peer = undefined;
    if (signal.aborted) return;
    if (this.#why === undefined) this.#disconnects++;
    this.#why = this.#down ?? "disconnected";
    this.#log.warn("down", "connection to the gateway lost", { url: this.config.url, reason: this.#why });
    if (this.symbols.length > 0) events.interrupted(this.symbols, "disconnected");
  }
  #subscribeAll(peer: Peer): void {
    const { symbols, channels } = this.config;
    for (const symbol of this.learns ? [ANY_SYMBOL] : symbols) {
      for (const channel of [...channels, "status"]) peer.request(this.#subscribe(symbol, channel));
    }
  }
  #subscribe(symbol: string, channel: string): object {
    return { type: "subscribe", symbol, channel, venue: this.venue, id: symbol };
  }
  /** What it interrupts, if anything. Never throws: a message that can't be read ends the connection. */
  #message(text: string, received_us: number): { symbol: string; reason: string } | undefined {
    try {
      return this.#take(readMessage(text), received_us);
    } catch (error) {
      this.#malformed.value++;
      this.#is_broken = true;
      this.#peer?.close(`unreadable message: ${reasonOf(error)}`);
      return undefined;
    }
  }
  #take(message: Message, received_us: number): { symbol: string; reason: string } | undefined {
    const { type } = message;
    if (type === "hello") this.#hello(message);
    else if (type === "error") this.#error(message);
    if (message.venue !== this.venue || typeof message.symbol !== "string") return undefined;
    const instrument = this.#instrument(message.symbol);
    if (instrument === undefined) return undefined;
    switch (type) {
      case "snapshot":
        instrument.snapshot(message, received_us, this.#batch);
        return undefined;
      case "delta":
        instrument.delta(message, received_us, this.#batch);
        return undefined;
      case "trade":
        this.#countMissed(instrument.trade(message, received_us, this.#batch), instrument.symbol);
        return undefined;
      case "bbo":
        instrument.quote(message, received_us, this.#batch);
        return undefined;
      case "ticker":
        instrument.ticker(message, received_us, this.#batch);
        return undefined;
      case "status":
        return message.in_sync === false ? this.#outOfSync(instrument, String(message.reason)) : undefined;
      case "lag":
        if (message.channel === "book") return this.#outOfSync(instrument, "lag");
        if (message.channel === "bbo") instrument.quotesSkipped(received_us, this.#batch);
        return undefined;
      case "unsubscribed":
        return this.#unsubscribed(instrument, message);
      default:
        return undefined;
    }
  }
  #outOfSync(instrument: PeerInstrument, reason: string): { symbol: string; reason: string } {
    instrument.awaits_snapshot = true;
    return { symbol: instrument.symbol, reason };
  }
  /** The other side ended it: the symbol is gone there, or its book too large for a message. */
  #unsubscribed(instrument: PeerInstrument, message: Message) {
    if (typeof message.reason !== "string" || message.channel !== "book") return undefined;
    if (!this.learns && message.reason === "removed") {
      for (const channel of [...this.config.channels, "status"]) {
        this.#askLater(instrument.symbol, UNKNOWN_PAUSE_MS, channel);
      }
    }
    return this.#outOfSync(instrument, message.reason);
  }
  #hello({ version, epoch, server }: Message): void {
    if (version !== 1) throw new Error(`protocol version ${String(version)}, want 1`);
    const same_epoch = epoch === this.#epoch;
    this.#epoch = String(epoch);
    for (const instrument of this.#instruments.values()) instrument.reconnected(same_epoch);
    this.#why = undefined;
    this.context.log.info("connected to a gateway", { source: this.name, url: this.config.url, server });
  }
  #error(message: Message): void {
    this.#log.warn("error", "the gateway refused a request", {
      code: message.code,
      message: message.message,
    });
    if (message.code === "unknown_symbol" && typeof message.id === "string") {
      for (const channel of [...this.config.channels, "status"]) {
        this.#askLater(message.id, UNKNOWN_PAUSE_MS, channel);
      }
    }
  }
  /** Subscribing again gives a fresh snapshot. One wish per symbol and channel at a time. */
  #askLater(symbol: string, pause_ms: number, channel: string): void {
    const { clock } = this.context;
    const key = `${symbol}\u0000${channel}`;
    const now_ms = clock.monotonic_ms();
    const due_ms = Math.max(now_ms, (this.#asked_ms.get(key) ?? -Infinity) + pause_ms);
    if (due_ms > now_ms + pause_ms) return;
    this.#asked_ms.set(key, due_ms);
    const peer = this.#peer;
    const timer = clock.after(due_ms - now_ms, () => {
      this.#timers.delete(timer);
      if (this.#peer === peer) peer?.request(this.#subscribe(symbol, channel));
    });
    this.#timers.add(timer);
  }
  #countMissed(missed: number, symbol: string): void {
    if (missed === 0) return;
    this.#missed.value += missed;
    this.#log.warn("missed", "trades were missed", { symbol, trades: missed });
  }
  #instrument(symbol: string): PeerInstrument | undefined {
    const found = this.#instruments.get(symbol);
    if (found) return found;
    if (this.#instruments.size >= MAX_SYMBOLS) return undefined;
    const made = new PeerInstrument(this.venue, symbol);
    this.#instruments.set(symbol, made);
    return made;
  }
}
