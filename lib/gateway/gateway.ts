/**
 * A running gateway: sources → books → dispatcher → sinks and servers, assembled from a checked config. Starting is all
 * or nothing; stopping drains in the order of the data's journey. Reload changes symbols and leaves the rest running.
 */
import { type Clock, sleep, withDeadline } from "../base/clock.ts";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type MemoryConfig, memorySchema, readBudget } from "../config/memory_budget.ts";
import type { Metrics } from "../base/metrics.ts";
import { Books } from "../flow/books.ts";
import { DeliveryQueue } from "../flow/delivery_queue.ts";
import { Dispatcher } from "../flow/dispatcher.ts";
import type { FrameTap } from "../flow/frame_tap.ts";
import type { SourceSubscriptions } from "../flow/hub.ts";
import { BudgetGuard, type MemorySample } from "../flow/memory_guard/budget_guard.ts";
import { SourceGate } from "../flow/source_gate.ts";
import { LocalSessions } from "../flow/session_registry/local_sessions.ts";
import { memoryInUse, memoryLimit } from "../os/memory_limit.ts";
import { reclaimMemory } from "../os/reclaim_memory.ts";
import { LatencyRecord } from "../flow/latency_record.ts";
import type { Server } from "../servers/server.ts";
import type { Sink } from "../sinks/sink.ts";
import type { Source, SourceEvents } from "../sources/source.ts";
import { FEEDS, pick, SERVERS, SINKS, SOURCES } from "./catalog.ts";

/** One plugin's section: `kind` and whatever its schema says. */
export interface PluginConfig {
  kind: string;
  [key: string]: unknown;
}
export interface GatewayConfig {
  sources: readonly PluginConfig[];
  sinks: readonly PluginConfig[];
  servers: readonly PluginConfig[];
  drain_timeout_ms: number;
  cpu?: number | readonly number[];
  /** Absent: the defaults of the schema. */
  memory?: MemoryConfig;
}
export interface GatewayWorld {
  clock: Clock;
  log: Log;
  metrics: Metrics;
  version: string;
  seed: string;
  /** What the memory guard goes by; absent: what the process really uses. */
  readMemory?(): MemorySample;
  /** Listens to the frames of live sources. */
  tap?: FrameTap;
}

/** As many as a config may name. */
const MAX_SYMBOLS = 5_000;

/** Messages that may wait in a sink's queue while a patient source goes on. */
const PATIENT_QUEUE = 500;

/** Forming candles are published this often, when they changed. */
const CANDLE_TICK_MS = 250;

interface RunningSource {
  kind: string;
  /** Its section of the config, by place. */
  section: number;
  source: Source;
  books: Books;
  gate: SourceGate;
  pumping: Promise<void>;
}
interface RunningSink {
  sink: Sink;
  queue: DeliveryQueue<unknown>;
}

export class Gateway implements AsyncDisposable {
  readonly hub: Dispatcher;
  readonly servers: Server[] = [];
  readonly #guard: BudgetGuard;
  readonly #sources: RunningSource[] = [];
  readonly #gates: SourceGate[] = [];
  readonly #sinks: RunningSink[] = [];
  readonly #stopping = new AbortController();
  #failed: ((error: unknown) => void) | undefined;
  /** Settles when a source ended by itself or failed: rejects with its error. Never settles while all is well. */
  readonly ended: Promise<void>;
  #end!: () => void;

  private constructor(readonly config: GatewayConfig, readonly world: GatewayWorld) {
    this.hub = new Dispatcher(world.clock, world.log, world.metrics, world.version);
    this.hub.latency = new LatencyRecord(world.clock, world.metrics);
    this.hub.instrumentInfo = (venue, symbol) => {
      for (const { source } of this.#sources) {
        const found = source.venue === venue ? source.instrument?.(symbol) : undefined;
        if (found) return found;
      }
      return undefined;
    };
    this.hub.subscriptions = {
      list: () => this.#sources.map(({ source }) => subscriptionsOf(source)),
      change: (source, add, remove) => this.#changeSymbols(source, add, remove),
    };
    this.hub.memory = this.#guard = openGuard(config.memory ?? memorySchema.parse({}), world);
    this.hub.sessions = new LocalSessions({
      ...world,
      upstreams: () => this.#gates.flatMap((gate) => gate.upstreams()),
    });
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#failed = reject;
    });
    // A failure before anyone waits for `ended` must not count as unhandled.
    this.ended.catch(() => {});
  }

  /** Rejects with a UserError, everything it had opened closed again, when a part can't start. */
  static async start(config: GatewayConfig, world: GatewayWorld): Promise<Gateway> {
    const gateway = new Gateway(config, world);
    try {
      requireDistinctTargets(config);
      for (const [i, section] of config.sinks.entries()) {
        await gateway.#openSink(section, nameOf(config.sinks, i));
      }
      // Servers before sources: a taken port must be told before the venues are bothered.
      const sources: (() => void)[] = [];
      for (const i of config.sources.keys()) sources.push(...await gateway.#createSources(i));
      for (const section of config.servers) {
        gateway.servers.push(
          await pick("server", SERVERS, section.kind).open(withoutKind(section), gateway.hub),
        );
      }
      for (const create of sources) create();
    } catch (error) {
      await gateway[Symbol.asyncDispose]();
      throw error;
    }
    return gateway;
  }

  /**
   * Adds and removes symbols of sources that are still there. Returns what else differs between the configs and takes a
   * restart, in words.
   */
  reload(next: GatewayConfig): string[] {
    const restart: string[] = [];
    for (const running of this.#sources) {
      const i = running.section;
      const section = next.sources[i];
      if (section?.kind !== running.kind || !Array.isArray(section.symbols) || !running.source.setSymbols) {
        restart.push(`sources[${i}]`);
        continue;
      }
      if (!sameBut("symbols", section, this.config.sources[i])) {
        restart.push(`sources[${i}] (other than symbols)`);
      }
      this.#setSymbols(running, section.symbols as string[]);
    }
    if (next.sources.length > this.config.sources.length) restart.push("sources (new ones)");
    for (const family of ["sinks", "servers", "memory"] as const) {
      if (JSON.stringify(next[family]) !== JSON.stringify(this.config[family])) restart.push(family);
    }
    return [...new Set(restart)];
  }

  /** Stops taking in, flushes what is queued within `drain_timeout_ms`, closes servers, then sinks. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, log } = this.world;
    const { drain_timeout_ms } = this.config;
    this.#stopping.abort();
    const step = async (what: string, work: PromiseLike<unknown>) => {
      try {
        await withDeadline(clock, drain_timeout_ms + 1_000, what, Promise.resolve(work));
      } catch (error) {
        log.warn("part did not stop cleanly", { what, reason: reasonOf(error) });
      }
    };
    await Promise.all(this.#sources.splice(0).map((one) => step(`source ${one.source.name}`, one.pumping)));
    this.hub.flush();
    const sinks = this.#sinks.splice(0);
    await Promise.all(sinks.map((one) => step(`drain ${one.sink.name}`, one.queue.close(drain_timeout_ms))));
    await Promise.all([
      ...this.servers.splice(0).map((one) => step(`server ${one.name}`, one[Symbol.asyncDispose]())),
      ...sinks.map((one) => step(`sink ${one.sink.name}`, one.sink[Symbol.asyncDispose]())),
    ]);
    this.#guard[Symbol.dispose]();
    this.#end();
  }

  async #openSink(section: PluginConfig, name: string): Promise<void> {
    const { clock, log, metrics, seed } = this.world;
    const kind = pick("sink", SINKS, section.kind);
    const later: { queue?: DeliveryQueue<unknown> } = {};
    const sink = await kind.connect(withoutKind(section), {
      name,
      clock,
      log: log.with({ sink: name }),
      metrics,
      seed,
      writable: () => later.queue?.wake(),
      surroundings: this.hub,
    });
    const queue = later.queue = new DeliveryQueue(sink, {
      clock,
      log: log.with({ sink: name }),
      metrics,
      seed,
      readBook: (venue, symbol) => this.hub.book(venue, symbol),
    });
    this.#sinks.push({ sink, queue });
    this.hub.subscribe(queue);
    this.hub.addReadiness(sink, "sink");
  }
  /** Makes the sources of a section and their books visible at once; returns how to start them. */
  async #createSources(i: number): Promise<(() => void)[]> {
    const section = this.config.sources[i];
    const { clock, log, metrics, seed, tap } = this.world;
    const kind = pick("source", SOURCES, section.kind);
    const name = nameOf(this.config.sources, i);
    const context = { name, clock, log, metrics, seed, feeds: FEEDS, tap };
    const config = withoutKind(section);
    const sources = kind.createAll ? await kind.createAll(config, context) : [kind.create(config, context)];
    return sources.map((source) => this.#addSource(source, section.kind, i));
  }
  #addSource(source: Source, kind: string, section: number): () => void {
    const { clock, log, metrics } = this.world;
    const gate = new SourceGate(source, this.#stopping.signal, () => this.hub.flush());
    const books = gate.books = new Books(source.venue, source.sequence, {
      clock: source.clock ?? clock,
      log,
      metrics,
      publish: (update) => this.hub.publish(update),
      requestSnapshot: (symbol, reason) => gate.requestSnapshot(symbol, reason),
      can_refresh: source.can_refresh ?? true,
      candles: source.candles,
      withheld: source.withheld,
      silence: (symbol) => source.silence?.(symbol),
    }, source.learns);
    for (const symbol of source.symbols) books.add(symbol);
    if (source.playedAt) this.hub.latency!.replayed(source.venue, source.playedAt.bind(source));
    this.hub.addBooks(books);
    this.hub.addReadiness(gate, "source");
    this.#guard.addUpstream(gate);
    this.#gates.push(gate);
    return () => {
      this.#sources.push({ kind, section, source, books, gate, pumping: this.#pump(source, gate, books) });
    };
  }
  async #pump(source: Source, gate: SourceGate, books: Books): Promise<void> {
    const { signal } = this.#stopping;
    const ticking = source.candles && this.world.clock.every(CANDLE_TICK_MS, () => {
      books.tick(this.world.clock.now_ms());
      this.hub.flush();
    });
    try {
      const events: SourceEvents = {
        interrupted: (symbols, reason, at_us) => {
          books.interrupted(symbols, reason, at_us);
          this.hub.flush();
        },
        tradesInterrupted: (symbols) => books.tradesInterrupted(symbols),
        subscription: (change) => {
          for (const { sink } of this.#sinks) sink.noteSubscription?.(change);
        },
      };
      for await (const batch of source.batches(signal, events)) {
        const closed = gate.closed();
        if (closed) await closed;
        books.process(batch);
        this.hub.flush();
        if (source.patient) await this.#untilSinksTake(signal);
      }
      if (!signal.aborted) this.#end();
    } catch (error) {
      this.world.log.error("source failed", { source: source.name, reason: reasonOf(error) });
      this.#failed?.(error);
    } finally {
      ticking?.cancel();
    }
  }
  /** Before queues would conflate or drop. */
  async #untilSinksTake(signal: AbortSignal): Promise<void> {
    while (this.#sinks.some(({ queue }) => queue.queued > PATIENT_QUEUE) && !signal.aborted) {
      await sleep(this.world.clock, 1, signal);
    }
  }
  #changeSymbols(name: string, add: readonly string[], remove: readonly string[]): SourceSubscriptions {
    const running = this.#sources.find(({ source }) => source.name === name);
    const what = `change subscriptions of ${quoted(name)}`;
    if (!running) {
      const known = this.#sources.map(({ source }) => source.name).join(", ");
      throw new UserError(`${what}: no such source, want one of ${known}`);
    }
    const { source } = running;
    if (!source.setSymbols) {
      throw new UserError(`${what}: its symbols are fixed, want a source that can change`);
    }
    const before = source.symbols;
    const unknown = remove.filter((symbol) => !before.includes(symbol));
    if (unknown.length > 0) {
      throw new UserError(`${what}: ${quoted(unknown[0])} is not subscribed, so it can't go`);
    }
    const after = [...new Set([...before, ...add])].filter((symbol) => !remove.includes(symbol));
    if (after.length === 0) throw new UserError(`${what}: no symbol would be left, want at least one`);
    if (after.length > MAX_SYMBOLS) {
      throw new UserError(`${what}: ${after.length} symbols, want at most ${MAX_SYMBOLS}`);
    }
    const section = { kind: running.kind, venue: source.venue, symbols: after };
    const others = this.#sources.filter((one) => one !== running)
      .map(({ kind, source }) => ({ kind, venue: source.venue, symbols: [...source.symbols] }));
    requireDistinctTargets({ ...this.config, sources: [...others, section] });
    this.#setSymbols(running, after);
    return subscriptionsOf(source);
  }
  #setSymbols(running: RunningSource, symbols: readonly string[]): void {
    const before = new Set(running.source.symbols);
    running.source.setSymbols!(symbols);
    const after = new Set(running.source.symbols);
    const added = [...after].filter((symbol) => !before.has(symbol));
    const removed = [...before].filter((symbol) => !after.has(symbol));
    for (const symbol of removed) running.books.remove(symbol);
    for (const symbol of added) running.books.add(symbol);
    // A source starts the snapshots of new symbols itself; the books were not there to ask when it did.
    for (const symbol of added) running.gate.requestSnapshot(symbol, "added");
    this.hub.flush();
    this.world.log.info("symbols reloaded", { source: running.source.name, added, removed });
  }
}

function openGuard({ budget, sample_interval_ms }: MemoryConfig, world: GatewayWorld): BudgetGuard {
  const wanted = readBudget(budget);
  if (wanted === undefined) throw new UserError(`read memory.budget: ${quoted(budget)}`, { code: 2 });
  const limit = memoryLimit();
  const is_share = "share" in wanted;
  const budget_bytes = is_share ? Math.floor(limit.bytes * wanted.share) : wanted.bytes;
  const budget_from = is_share ? `${budget} of ${limit.from}` : "the config";
  world.log.debug("memory budget", { budget_bytes, budget_from, limit_bytes: limit.bytes });
  return new BudgetGuard({
    budget_bytes,
    budget_from,
    sample_interval_ms,
    reclaim: () => reclaimMemory(world.clock),
    ...world,
    readMemory: world.readMemory ?? memoryInUse,
  });
}

function subscriptionsOf({ name, venue, symbols }: Source): SourceSubscriptions {
  return { source: name, venue, symbols: [...symbols] };
}

/** "redis", and "redis#2" for the second of its kind. */
function nameOf(sections: readonly PluginConfig[], index: number): string {
  const { kind } = sections[index];
  const before = sections.slice(0, index).filter((one) => one.kind === kind).length;
  return before === 0 ? kind : `${kind}#${before + 1}`;
}

function withoutKind(section: PluginConfig): Record<string, unknown> {
  const { kind: _, ...rest } = section;
  return rest;
}

function sameBut(key: string, one: PluginConfig, other: PluginConfig): boolean {
  return JSON.stringify({ ...one, [key]: 0 }) === JSON.stringify({ ...other, [key]: 0 });
}

/** Two instruments with one target would be mixed up by every consumer: refuse it before anything runs. */
function requireDistinctTargets(config: GatewayConfig): void {
  for (const [i, section] of config.sinks.entries()) {
    const kind = pick("sink", SINKS, section.kind);
    const owners = new Map<string, string>();
    for (const source of config.sources) {
      const venue = String(source.venue ?? source.kind);
      for (const symbol of Array.isArray(source.symbols) ? source.symbols.map(String) : []) {
        const target = kind.target?.(withoutKind(section), venue, symbol);
        if (target === undefined) return;
        const owner = `${venue} ${symbol}`;
        const other = owners.get(target);
        if (other !== undefined && other !== owner) {
          throw new UserError(
            `open sinks[${i}] "${section.kind}": ${owner} and ${other} would both be published as "${target}", ` +
              `want one channel for each`,
            {
              code: 2,
              hint: "put {venue} into the channel template, for instance orderbook:{venue}:{symbol}",
            },
          );
        }
        owners.set(target, owner);
      }
    }
  }
}
