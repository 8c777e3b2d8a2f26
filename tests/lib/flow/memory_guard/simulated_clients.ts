/**
 * A process with clients as the guard sees it, told in steps: frames shared between queues, readers of every speed,
 * garbage that is collected late, pages the allocator keeps. Nothing here knows how the guard decides.
 */
import { ManualClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Random } from "../../../../lib/base/random.ts";
import type { GuardedPool, PressureStep } from "../../../../lib/flow/memory_guard.ts";
import { BudgetGuard } from "../../../../lib/flow/memory_guard/budget_guard.ts";
import { type Holding, Holdings } from "../../../../lib/flow/memory_guard/holdings.ts";

export const MIB = 1024 * 1024;
const MAX_QUEUE_BYTES = 4 * MIB;
const CONFLATED_BYTES = 256 * 1024;

interface SimulatedFrame {
  readonly bytes: number;
  references: number;
}

export interface SimulatedClient {
  readonly id: string;
  readonly priority: number;
  readonly tenant: string;
  readonly frames: SimulatedFrame[];
  /** Bytes read per step; 0 never reads. */
  readonly reads: number;
  /** Takes trades and the like, which are never merged. */
  readonly is_raw: boolean;
  holding: Holding;
  gone: boolean;
  /** Which frames it is subscribed to. */
  readonly appetite: number;
}

export interface Eviction {
  readonly client: SimulatedClient;
  readonly held_bytes: number;
  readonly rss_bytes: number;
  readonly reason: string;
}

export interface StormOptions {
  readonly seed: string;
  readonly budget_bytes: number;
  readonly base_bytes: number;
  readonly clients: number;
  /** Share of clients that never read. */
  readonly stuck: number;
  /** Share of clients whose queues can't be conflated. */
  readonly raw: number;
  /** Bytes of new frames per step. */
  readonly burst_bytes: number;
  /** Steps until what was let go is given back. */
  readonly garbage_steps: number;
  /** Part of it that the allocator keeps for good, to be used again. */
  readonly kept_part: number;
  /** Bytes are copied per client, as inside TLS. */
  readonly copies: boolean;
}

/** One pool with its clients, and the memory of the process around it. */
export class SimulatedStorm implements GuardedPool {
  readonly name = "storm";
  readonly clock = new ManualClock();
  readonly metrics = new Metrics();
  readonly random: Random;
  readonly clients: SimulatedClient[] = [];
  readonly holdings = new Holdings();
  readonly evictions: Eviction[] = [];
  readonly guard: BudgetGuard;
  #unique_bytes = 0;
  #garbage: number[] = [];
  #kept_bytes = 0;
  #born = 0;
  pressure: PressureStep = { refuse_newcomers: false, conflate_all: false };
  refused = 0;

  constructor(readonly options: StormOptions, readonly hears_guard = true) {
    this.random = new Random(options.seed);
    const { budget_bytes } = options;
    this.guard = new BudgetGuard({
      budget_bytes,
      budget_from: "the test",
      sample_interval_ms: 100,
      readMemory: () => ({ rss_bytes: this.rss_bytes, heap_used_bytes: 0, external_bytes: 0 }),
      clock: this.clock,
      log: silentLog,
      metrics: this.metrics,
    });
    if (hears_guard) this.guard.addPool(this);
    for (let i = 0; i < options.clients; i++) this.connect();
  }

  /** What is really needed now: nothing the guard does can make this smaller but letting clients go. */
  get live_bytes(): number {
    return this.options.base_bytes + this.#unique_bytes;
  }
  get rss_bytes(): number {
    return this.live_bytes + this.#garbage.reduce((sum, bytes) => sum + bytes, 0) + this.#kept_bytes;
  }
  measure() {
    const { client_bytes, clients } = this.holdings;
    return { client_bytes, unique_bytes: this.#unique_bytes, clients };
  }
  candidates(limit_per_class: number) {
    return this.holdings.candidates(limit_per_class);
  }
  tenantBytes() {
    return this.holdings.tenantBytes();
  }
  setPressure(step: PressureStep): void {
    this.pressure = step;
    if (step.conflate_all) { for (const client of this.clients) this.#conflate(client); }
  }

  connect(): void {
    if (this.pressure.refuse_newcomers) {
      this.refused++;
      return;
    }
    const { random } = this;
    const client: SimulatedClient = {
      id: `client-${++this.#born}`,
      priority: random.integer(0, 3),
      tenant: `tenant-${random.integer(1, 6)}`,
      frames: [],
      reads: random.chance(this.options.stuck) ? 0 : random.integer(64 * 1024, 4 * MIB),
      is_raw: random.chance(this.options.raw),
      appetite: random.unit(),
      holding: undefined!,
      gone: false,
    };
    client.holding = this.holdings.add({
      id: client.id,
      priority: client.priority,
      tenant: client.tenant,
      evict: () => this.#evict(client),
    });
    this.clients.push(client);
  }
  /** Frames come, clients read, garbage goes, the clock moves on and with it the guard looks. */
  async step(): Promise<void> {
    const { random, options } = this;
    let left_bytes = options.burst_bytes * random.unit();
    while (left_bytes > 0) {
      const bytes = random.integer(1_000, 64 * 1024);
      left_bytes -= bytes;
      const topic = random.unit();
      const shared: SimulatedFrame = { bytes, references: 0 };
      for (const client of [...this.clients]) {
        if (topic < client.appetite) this.#push(client, options.copies ? { bytes, references: 0 } : shared);
      }
      // The turn of what the guard does between two looks.
      await undefined;
    }
    for (const client of this.clients) this.#read(client);
    while (this.clients.length < options.clients && random.chance(0.8)) {
      const before = this.clients.length;
      this.connect();
      if (this.clients.length === before) break;
    }
    this.#garbage.push(0);
    if (this.#garbage.length > options.garbage_steps) {
      this.#kept_bytes += this.#garbage.shift()! * options.kept_part;
    }
    this.clock.advance(100);
  }

  #push(client: SimulatedClient, frame: SimulatedFrame): void {
    if (client.holding.held_bytes + frame.bytes > MAX_QUEUE_BYTES) return this.#leave(client);
    client.frames.push(frame);
    if (frame.references++ === 0) {
      this.#unique_bytes += frame.bytes;
      this.#kept_bytes = Math.max(0, this.#kept_bytes - frame.bytes);
    }
    client.holding.set(client.holding.held_bytes + frame.bytes);
    if (this.pressure.conflate_all) this.#conflate(client);
    this.guard.noteAdmitted(frame.bytes);
  }
  #read(client: SimulatedClient): void {
    let room_bytes = client.reads;
    while (client.frames.length > 0 && room_bytes >= client.frames[0].bytes) {
      room_bytes -= client.frames[0].bytes;
      this.#drop(client, client.frames.shift()!);
    }
  }
  #conflate(client: SimulatedClient): void {
    if (client.is_raw) return;
    while (client.holding.held_bytes > CONFLATED_BYTES) this.#drop(client, client.frames.shift()!);
  }
  #drop(client: SimulatedClient, frame: SimulatedFrame): void {
    client.holding.set(client.holding.held_bytes - frame.bytes);
    if (--frame.references > 0) return;
    this.#unique_bytes -= frame.bytes;
    this.#garbage[this.#garbage.length - 1] = (this.#garbage.at(-1) ?? 0) + frame.bytes;
  }
  #leave(client: SimulatedClient): void {
    client.gone = true;
    for (const frame of client.frames.splice(0)) this.#drop(client, frame);
    this.holdings.remove(client.holding);
    this.clients.splice(this.clients.indexOf(client), 1);
  }
  #evict(client: SimulatedClient): void {
    const [{ reason }] = this.guard.acts(1);
    this.evictions.push({ client, held_bytes: client.holding.held_bytes, rss_bytes: this.rss_bytes, reason });
    this.onEvict(client, reason);
    this.#leave(client);
  }
  /** For checks at the moment of an eviction. */
  onEvict: (client: SimulatedClient, reason: string) => void = () => {};
}
