/**
 * The memory guard: looks ten times a second, and whenever much was queued, and holds the process to its budget. What it
 * compares is the resident set less what clients have let go of already (free_estimate.ts). It evicts in small batches
 * and measures after each, so that no client goes for bytes that another already gave. Refuses: evicting where little is
 * to be gained, since then something else than clients fills the memory.
 */
import { type Clock, type Timer, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import { RecentRing } from "../../base/recent_ring.ts";
import type {
  GuardAct,
  GuardedClient,
  GuardedPool,
  GuardedUpstream,
  GuardLevel,
  GuardState,
  MemoryGuard,
  PoolMeasure,
  PressureStep,
} from "../memory_guard.ts";
import { byClass, byShare } from "./choose_victims.ts";
import { FreeEstimate } from "./free_estimate.ts";
import { ENTER_AT, GuardLevels } from "./guard_levels.ts";
import { type GuardMetrics, guardMetrics, showGuardState } from "./guard_metrics.ts";

export interface MemorySample {
  readonly rss_bytes: number;
  readonly heap_used_bytes: number;
  readonly external_bytes: number;
}

export interface BudgetGuardOptions {
  readonly budget_bytes: number;
  readonly budget_from: string;
  readonly sample_interval_ms: number;
  readMemory(): MemorySample;
  /**
   * Collects garbage before it returns (the thread stands still for it), then gives free memory back. False: that can't
   * be done here, and what was collected stays with the process. Absent: neither can.
   */
  reclaim?(): Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Evicting goes on until the use is down to this share, well under the 80 % where it starts. */
const EVICT_TO = 0.75;
/** Clients must hold at least this share of the budget together, by level, or evicting them is no help. */
const LEAST_GAIN: readonly number[] = [Infinity, Infinity, 0.05, 0.02, 0.005];
/** Evicted between two measurements. */
const BATCH_CLIENTS = 16;
/** Evicted in one look, below and from 90 %. */
const MAX_EVICTED = 64;
const MAX_EVICTED_URGENT = 512;
const KEPT_ACTS = 1_000;
/** A look is brought forward when this share of the budget was queued, within these bounds. */
const ADMITTED_SHARE = 1 / 64;
const MIN_ADMITTED_BYTES = 1024 * 1024;
const MAX_ADMITTED_BYTES = 16 * 1024 * 1024;
/** Let go and not given back: from this share of the budget on it is worth standing still for. */
const RECLAIM_SHARE = 0.05;
const RECLAIM_GAP_MS = 100;
/** Standing still takes at most one part in so many, and more only where clients would be ended otherwise. */
const RECLAIM_REST = 20;
const RECLAIM_REST_URGENT = 3;
/** A collection that brings less is no reason for the next one; that waits. */
const FRUITFUL_SHARE = 0.02;
const RECLAIM_BLIND_MS = 10_000;
const RECLAIM_LIMIT_MS = 1_000;
/** Victims named in one line of the log. */
const MAX_NAMED = 5;

const CALM: PressureStep = { refuse_newcomers: false, conflate_all: false };
const PRESSED: PressureStep = { refuse_newcomers: true, conflate_all: true };
const DOING: readonly string[] = [
  "nothing: all is well",
  "refuse newcomers, conflate",
  "evict the lowest class first",
  "evict by size over the tenant's share",
  "pause upstreams",
];

export class BudgetGuard implements MemoryGuard, Disposable {
  readonly #pools = new Set<GuardedPool>();
  readonly #upstreams = new Set<GuardedUpstream>();
  readonly #paused = new Set<GuardedUpstream>();
  readonly #levels = new GuardLevels();
  readonly #free: FreeEstimate;
  readonly #acts = new RecentRing<GuardAct>(KEPT_ACTS);
  readonly #metrics: GuardMetrics;
  readonly #noisy: RateLimitedLog;
  readonly #looking: Timer;
  readonly #stop_showing: () => void;
  readonly #admitted_step_bytes: number;
  #admitted_bytes = 0;
  #is_due = false;
  #is_disposed = false;
  /** Upstreams wait: nothing else helps, or what was let go is about to pass the budget before it is collected. */
  #pauses = false;
  #level: GuardLevel = 0;
  #level_since_ms: number;
  #sample: MemorySample = { rss_bytes: 0, heap_used_bytes: 0, external_bytes: 0 };
  #measure: PoolMeasure = { client_bytes: 0, unique_bytes: 0, clients: 0 };
  #is_reclaiming = false;
  #reclaimed_ms = -Infinity;
  #stood_still_ms = 0;
  #was_fruitful = true;
  #reclaims = 0;
  #evicted_clients = 0;
  #evicted_bytes = 0;
  pressure: PressureStep = CALM;

  constructor(readonly options: BudgetGuardOptions) {
    const { budget_bytes, clock, log, metrics, sample_interval_ms } = options;
    this.#free = new FreeEstimate(budget_bytes);
    this.#metrics = guardMetrics(metrics);
    this.#noisy = new RateLimitedLog(log, clock);
    this.#level_since_ms = clock.now_ms();
    this.#admitted_step_bytes = Math.min(
      MAX_ADMITTED_BYTES,
      Math.max(MIN_ADMITTED_BYTES, budget_bytes * ADMITTED_SHARE),
    );
    this.#stop_showing = showGuardState(metrics, () => this.state);
    this.#looking = clock.every(sample_interval_ms, () => this.look());
    this.look();
  }

  addPool(pool: GuardedPool): () => void {
    this.#pools.add(pool);
    this.#ask(pool.name, () => pool.setPressure(this.pressure));
    return () => void this.#pools.delete(pool);
  }
  addUpstream(upstream: GuardedUpstream): () => void {
    this.#upstreams.add(upstream);
    if (this.#pauses) this.#pause(upstream);
    return () => {
      this.#upstreams.delete(upstream);
      this.#resume(upstream);
    };
  }
  noteAdmitted(bytes: number): void {
    this.#admitted_bytes += bytes;
    if (this.#admitted_bytes < this.#admitted_step_bytes || this.#is_due) return;
    this.#is_due = true;
    // After the caller's turn: it may be in the middle of its clients.
    queueMicrotask(() => {
      if (this.#is_due && !this.#is_disposed) this.look();
    });
  }
  acts(limit: number): readonly GuardAct[] {
    return this.#acts.latest(limit);
  }
  get state(): GuardState {
    const { budget_bytes, budget_from } = this.options;
    return {
      budget_bytes,
      budget_from,
      level: this.#level,
      level_since_ms: this.#level_since_ms,
      used_bytes: this.#used_bytes,
      ...this.#sample,
      ...this.#measure,
      credit_bytes: this.#free.bytes,
      pressure: this.pressure,
      paused: [...this.#paused].map((upstream) => upstream.name),
      reclaims: this.#reclaims,
      evicted_clients: this.#evicted_clients,
      evicted_bytes: this.#evicted_bytes,
      oscillations: this.#levels.oscillations,
    };
  }
  /** One sample and what follows from it. */
  look(): void {
    this.#look(false);
  }
  [Symbol.dispose](): void {
    this.#is_disposed = true;
    this.#looking.cancel();
    this.#stop_showing();
    for (const upstream of [...this.#paused]) this.#resume(upstream);
  }

  #look(was_reclaimed: boolean): void {
    this.#is_due = false;
    this.#admitted_bytes = 0;
    this.#metrics.samples.value++;
    const now_ms = this.options.clock.monotonic_ms();
    this.#sample = this.options.readMemory();
    this.#measure = this.#measurePools();
    this.#free.sample(this.#sample.rss_bytes, this.#measure.unique_bytes, now_ms);
    const is_true = was_reclaimed || this.#isTrue(now_ms);
    if (!is_true) this.#reclaimIfDue(now_ms);
    // What may be garbage is reason enough to refuse newcomers, and for nothing worse.
    const share = is_true ? this.#share : Math.min(this.#share, ENTER_AT[2] - Number.EPSILON);
    this.#setLevel(this.#levels.note(share, now_ms), now_ms);
    if (share >= ENTER_AT[2]) this.#evict(now_ms);
    this.#pauseOrResume(is_true);
  }
  get #used_bytes(): number {
    return Math.max(0, this.#sample.rss_bytes - this.#free.bytes);
  }
  get #share(): number {
    return this.#used_bytes / this.options.budget_bytes;
  }
  get #rssShare(): number {
    return this.#sample.rss_bytes / this.options.budget_bytes;
  }
  #measurePools(): PoolMeasure {
    let client_bytes = 0;
    let unique_bytes = 0;
    let clients = 0;
    for (const pool of this.#pools) {
      const one = this.#ask(pool.name, () => pool.measure());
      if (one === undefined) continue;
      client_bytes += one.client_bytes;
      unique_bytes += one.unique_bytes;
      clients += one.clients;
    }
    return { client_bytes, unique_bytes, clients };
  }
  /** What pools let go of since they were last measured is free from now on. */
  #measureFreed(now_ms: number): void {
    const before_bytes = this.#measure.unique_bytes;
    this.#measure = this.#measurePools();
    this.#free.freed(before_bytes - this.#measure.unique_bytes, now_ms);
  }
  #setLevel(level: GuardLevel, now_ms: number): void {
    this.#metrics.oscillations.value = this.#levels.oscillations;
    if (level === this.#level) return;
    const was = this.#level;
    this.#level = level;
    this.#level_since_ms = this.options.clock.now_ms();
    this.#metrics.levels.with(String(level)).value++;
    const reason = DOING[level];
    this.#note({ what: "level", target: String(level), bytes: this.#used_bytes, reason });
    const { budget_bytes } = this.options;
    const fields = {
      level,
      was,
      does: reason,
      used_bytes: this.#used_bytes,
      budget_bytes,
      ...this.#sample,
      ...this.#measure,
    };
    if (level > was) this.options.log.warn("memory is short", fields);
    else this.options.log.info("memory is less short", fields);
    const pressure = level === 0 ? CALM : PRESSED;
    if (pressure !== this.pressure) {
      this.pressure = pressure;
      for (const pool of this.#pools) this.#ask(pool.name, () => pool.setPressure(pressure));
      // What conflating gave need not be taken by evicting.
      this.#measureFreed(now_ms);
    }
  }

  #evict(now_ms: number): void {
    const { budget_bytes } = this.options;
    const victims: GuardedClient[] = [];
    const held: number[] = [];
    /** Asked once to go is enough, whatever its pool still says. */
    const gone = new Set<string>();
    let reason = "";
    while (this.#share > EVICT_TO) {
      const urgent = this.#share >= ENTER_AT[3];
      const level = this.#share >= ENTER_AT[4] ? 4 : urgent ? 3 : 2;
      if (this.#measure.unique_bytes < LEAST_GAIN[level] * budget_bytes) break;
      if (victims.length >= (urgent ? MAX_EVICTED_URGENT : MAX_EVICTED)) break;
      const batch = this.#choose(urgent, gone);
      if (batch.length === 0) break;
      reason = urgent ? "share" : "class";
      for (const [pool, client] of batch) {
        victims.push(client);
        held.push(client.held_bytes);
        gone.add(nameOf(pool, client));
        this.#evictOne(pool, client, reason);
      }
      this.#measureFreed(now_ms);
      this.#was_fruitful = true;
    }
    if (victims.length === 0) {
      if (this.#share >= ENTER_AT[3]) this.#tellHelpless();
      return;
    }
    this.options.log.warn("clients evicted: memory is short", {
      clients: victims.length,
      held_bytes: held.reduce((sum, bytes) => sum + bytes, 0),
      decided_by: reason,
      used_bytes: this.#used_bytes,
      budget_bytes,
      first: victims.slice(0, MAX_NAMED).map(({ id, tenant, priority }, i) => ({
        id,
        tenant,
        priority,
        held_bytes: held[i],
      })),
    });
  }
  /** The next few, as many as the missing bytes should take: what they share with others is judged by the average. */
  #choose(urgent: boolean, gone: ReadonlySet<string>): [GuardedPool, GuardedClient][] {
    const pool_of = new Map<GuardedClient, GuardedPool>();
    const tenant_bytes = new Map<string, number>();
    for (const pool of this.#pools) {
      const found = this.#ask(pool.name, () => pool.candidates(BATCH_CLIENTS)) ?? [];
      for (const client of found) if (!gone.has(nameOf(pool, client))) pool_of.set(client, pool);
      if (!urgent) continue;
      for (const [tenant, bytes] of this.#ask(pool.name, () => pool.tenantBytes()) ?? []) {
        tenant_bytes.set(tenant, (tenant_bytes.get(tenant) ?? 0) + bytes);
      }
    }
    const clients = [...pool_of.keys()];
    const order = urgent ? byShare(clients, tenant_bytes) : byClass(clients);
    const { client_bytes, unique_bytes } = this.#measure;
    const own_part = client_bytes > 0 ? Math.min(1, unique_bytes / client_bytes) : 1;
    let missing_bytes = this.#used_bytes - EVICT_TO * this.options.budget_bytes;
    const batch: [GuardedPool, GuardedClient][] = [];
    for (const client of order) {
      if (batch.length === BATCH_CLIENTS || (batch.length > 0 && missing_bytes <= 0)) break;
      batch.push([pool_of.get(client)!, client]);
      missing_bytes -= client.held_bytes * own_part;
    }
    return batch;
  }
  #evictOne(pool: GuardedPool, client: GuardedClient, reason: string): void {
    const { id, tenant, priority, held_bytes } = client;
    this.#evicted_clients++;
    this.#evicted_bytes += held_bytes;
    this.#metrics.evictions.with(reason).value++;
    this.#metrics.evicted_bytes.with(reason).value += held_bytes;
    const why = reason === "class" ? DOING[2] : DOING[3];
    const what = "evict";
    this.#note({ what, target: id, pool: pool.name, tenant, priority, bytes: held_bytes, reason: why });
    this.#ask(pool.name, () => client.evict());
  }
  #tellHelpless(): void {
    this.#noisy.warn("helpless", "memory is short, and clients do not hold it: want a larger budget", {
      used_bytes: this.#used_bytes,
      budget_bytes: this.options.budget_bytes,
      budget_from: this.options.budget_from,
      ...this.#measure,
    });
  }

  /**
   * Garbage and pages that the allocator keeps look like use. So memory is reclaimed before anybody is ended for it, and
   * what the next look finds is true. True without that: where it can't be done, or has just brought nothing.
   */
  #isTrue(now_ms: number): boolean {
    if (this.options.reclaim === undefined || this.#rssShare < ENTER_AT[1]) return true;
    return !this.#is_reclaiming && !this.#was_fruitful && now_ms - this.#reclaimed_ms < RECLAIM_BLIND_MS;
  }
  #reclaimIfDue(now_ms: number): void {
    const { reclaim, budget_bytes, clock } = this.options;
    if (reclaim === undefined || this.#is_reclaiming) return;
    const would_evict = this.#share >= ENTER_AT[2];
    if (!would_evict && this.#free.bytes < RECLAIM_SHARE * budget_bytes) return;
    const rest_ms = this.#stood_still_ms * (would_evict ? RECLAIM_REST_URGENT : RECLAIM_REST);
    if (now_ms - this.#reclaimed_ms < Math.max(RECLAIM_GAP_MS, rest_ms)) return;
    this.#is_reclaiming = true;
    this.#reclaims++;
    this.#metrics.reclaims.value++;
    for (const pool of this.#pools) this.#ask(pool.name, () => pool.collect?.());
    const done = withDeadline(clock, RECLAIM_LIMIT_MS, "reclaim memory", reclaim());
    this.#stood_still_ms = clock.monotonic_ms() - now_ms;
    this.#metrics.reclaim_seconds.value += this.#stood_still_ms / 1_000;
    done.then(
      (is_given_back) => this.#reclaimed(is_given_back),
      (error) => {
        this.#noisy.warn("reclaim", "memory not reclaimed", { reason: reasonOf(error) });
        this.#reclaimed(false);
      },
    );
  }
  #reclaimed(is_given_back: boolean): void {
    if (this.#is_disposed) return;
    const before = this.#sample;
    const after = this.options.readMemory();
    const now_ms = this.options.clock.monotonic_ms();
    const collected_bytes = before.heap_used_bytes + before.external_bytes - after.heap_used_bytes -
      after.external_bytes;
    // What is given back shows in the resident set; what is not is free all the same.
    if (is_given_back) this.#free.given_back();
    else this.#free.collected(collected_bytes, now_ms);
    const brought_bytes = Math.max(collected_bytes, before.rss_bytes - after.rss_bytes);
    this.#was_fruitful = brought_bytes >= FRUITFUL_SHARE * this.options.budget_bytes;
    this.#is_reclaiming = false;
    this.#reclaimed_ms = now_ms;
    this.#look(true);
  }

  /** Evicting more is no answer to garbage; stopping what makes it is. */
  #pauseOrResume(is_true: boolean): void {
    const may_be_garbage = !is_true || this.#free.is_fresh;
    const is_garbage = may_be_garbage && this.#rssShare >= ENTER_AT[this.#pauses ? 3 : 4];
    this.#pauses = this.#level === 4 || is_garbage;
    if (this.#pauses) { for (const upstream of this.#upstreams) this.#pause(upstream); }
    else for (const upstream of [...this.#paused]) this.#resume(upstream);
  }
  #pause(upstream: GuardedUpstream): void {
    if (!upstream.recoverable || this.#paused.has(upstream)) return;
    this.#paused.add(upstream);
    this.#metrics.pauses.with(upstream.name).value++;
    this.#note({ what: "pause", target: upstream.name, bytes: this.#used_bytes, reason: DOING[4] });
    this.options.log.warn("upstream paused: memory is short", { upstream: upstream.name });
    this.#ask(upstream.name, () => upstream.pause("memory is short"));
  }
  #resume(upstream: GuardedUpstream): void {
    if (!this.#paused.delete(upstream)) return;
    this.#note({
      what: "resume",
      target: upstream.name,
      bytes: this.#used_bytes,
      reason: DOING[this.#level],
    });
    this.options.log.info("upstream resumed", { upstream: upstream.name });
    this.#ask(upstream.name, () => upstream.resume());
  }
  #note(act: Omit<GuardAct, "at_ms">): void {
    this.#acts.push({ at_ms: this.options.clock.now_ms(), ...act });
  }
  /** One part's fault must not keep the guard from the others. */
  #ask<T>(name: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#metrics.faults.value++;
      this.#noisy.warn(`fault ${name}`, "the memory guard was failed", {
        part: name,
        reason: reasonOf(error),
      });
      return undefined;
    }
  }
}

function nameOf(pool: GuardedPool, client: GuardedClient): string {
  return `${pool.name}\u0000${client.id}`;
}
