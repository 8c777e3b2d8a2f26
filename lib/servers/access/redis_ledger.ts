/**
 * Quotas over all nodes, kept in Redis. Each node tells how many places of a tenant it holds, as a whole number rather than
 * by steps, so a repeated or lost answer does no harm; its word is good for `TTL_MS`, so places of a dead node come free.
 * Bytes are one bucket per tenant, drawn in slices. While Redis is away each node grants its share, the limit divided by
 * the nodes that were last seen: nobody is cut off, and all together stay near the limit.
 */
import { type Clock, type Timer, withDeadline } from "../../base/clock.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { Metrics, MetricValue } from "../../base/metrics.ts";
import { clusterSlot } from "../../wire/redis/cluster_slot.ts";
import { openRedis } from "../../wire/redis/open_redis.ts";
import type { RedisAddress, RedisAnswer, RedisLink } from "../../wire/redis/redis_link.ts";
import { type Drawn, LocalLedger, type QuotaLedger } from "./quota_ledger.ts";
import { DRAW, HOLD, PRESENT, type RedisScript } from "./redis_ledger_scripts.ts";

const TTL_MS = 15_000;
const BEAT_MS = TTL_MS / 3;
const ANSWER_MS = 500;
/** After a failure nobody waits for Redis for as long. */
const AWAY_MS = 1_000;
const CLOSE_MS = 1_000;
const MAX_WAITING = 1_000;

interface Call {
  readonly slot: number;
  readonly script: RedisScript;
  readonly words: readonly (string | number)[];
}

interface Holding {
  /** Places in use here. */
  held: number;
  max_connections: number;
  readonly waiting: ((granted: boolean) => void)[];
  busy: boolean;
  /** What Redis was last told is no longer so. */
  changed: boolean;
}

export interface RedisLedgerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** First part of every key. */
  readonly key_prefix: string;
  /** Names this node; two with one name would share their places. */
  readonly node?: string;
}

export class RedisLedger implements QuotaLedger {
  readonly node: string;
  readonly #link: RedisLink;
  readonly #holdings = new Map<string, Holding>();
  readonly #local: LocalLedger;
  readonly #log: RateLimitedLog;
  readonly #away: MetricValue;
  readonly #beat: Timer;
  #away_until_ms = 0;
  #nodes = 1;
  #closed = false;

  constructor(address: RedisAddress, readonly options: RedisLedgerOptions) {
    const { clock, log, metrics } = options;
    this.node = options.node ?? crypto.randomUUID();
    this.#local = new LocalLedger(clock);
    this.#log = new RateLimitedLog(log, clock);
    this.#away = metrics.counter(
      "access_quota_local_decisions_total",
      "Places and bytes granted by this node's share because Redis did not answer",
    ).with();
    this.#link = openRedis(address, {
      name: "quotas",
      clock,
      log,
      seed: this.node,
      onReady: () => this.#onReady(),
    });
    this.#beat = clock.every(BEAT_MS, () => void this.#tell());
  }
  /** Nodes that were alive when Redis was last asked, this one included. */
  get nodes(): number {
    return this.#nodes;
  }
  /** Undefined when quotas hold over all nodes, else why not. */
  notReady(): string | undefined {
    return this.#link.notReady();
  }

  acquire(tenant: string, max_connections: number): Promise<boolean> {
    const holding = this.#holding(tenant, max_connections);
    holding.max_connections = max_connections;
    if (holding.waiting.length >= MAX_WAITING || this.#closed) {
      return Promise.reject(new Error("ask for a place: too many wait already"));
    }
    return new Promise((resolve) => {
      holding.waiting.push(resolve);
      void this.#settle(tenant, holding);
    });
  }
  release(tenant: string): void {
    const holding = this.#holdings.get(tenant);
    if (!holding || holding.held === 0) return;
    holding.held--;
    holding.changed = true;
    void this.#settle(tenant, holding);
  }
  async draw(tenant: string, want_bytes: number, max_bytes_per_s: number): Promise<Drawn> {
    const key = `${this.options.key_prefix}:{${tenant}}:bytes`;
    const rate = Math.floor(max_bytes_per_s);
    const words = [key, Math.ceil(want_bytes), rate];
    const [answer] = await this.#ask([{ slot: clusterSlot(key), script: DRAW, words }]);
    const [bytes, retry_after_ms] = Array.isArray(answer?.[1]) ? answer[1] as number[] : [];
    if (bytes !== undefined) return { bytes, retry_after_ms };
    this.#away.value++;
    return await this.#local.draw(tenant, want_bytes, Math.max(1, Math.ceil(max_bytes_per_s / this.#nodes)));
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#beat.cancel();
    for (const { waiting } of this.#holdings.values()) {
      for (const resolve of waiting.splice(0)) resolve(false);
    }
    const calls = this.#holdings.entries().map(([tenant, { max_connections }]) =>
      this.#hold(tenant, 0, 0, max_connections)
    );
    if (this.#link.ready) {
      const told = this.#run([...calls, this.#present(0)]);
      await withDeadline(this.options.clock, CLOSE_MS, "give back places", told).catch(() => {});
    }
    this.#holdings.clear();
    await this.#link.close();
  }

  /** One question at a time per tenant; whoever comes meanwhile is in the next one. */
  async #settle(tenant: string, holding: Holding): Promise<void> {
    if (holding.busy) return;
    holding.busy = true;
    while ((holding.waiting.length > 0 || holding.changed) && !this.#closed) {
      const asking = holding.waiting.splice(0);
      const { held, max_connections } = holding;
      holding.changed = false;
      const [answer] = await this.#ask([this.#hold(tenant, held, held + asking.length, max_connections)]);
      const granted = this.#granted(answer, held, asking.length, max_connections);
      // places given back meanwhile have lowered `held` already and marked it as changed
      holding.held += granted;
      if (this.#closed) this.#refuseAll(asking);
      else asking.forEach((resolve, i) => resolve(i < granted));
    }
    holding.busy = false;
    if (holding.held === 0 && holding.waiting.length === 0) this.#holdings.delete(tenant);
  }
  #refuseAll(asking: readonly ((granted: boolean) => void)[]): void {
    for (const resolve of asking) resolve(false);
  }
  /** How many more of `wanted` there are. */
  #granted(answer: RedisAnswer | undefined, held: number, wanted: number, max_connections: number): number {
    const total = Array.isArray(answer?.[1]) ? (answer[1] as number[])[0] : undefined;
    if (total !== undefined) return Math.max(0, Math.min(wanted, total - held));
    if (wanted === 0) return 0;
    this.#away.value++;
    const share = Math.max(1, Math.ceil(max_connections / this.#nodes));
    return Math.max(0, Math.min(wanted, share - held));
  }
  #onReady(): void {
    this.#away_until_ms = 0;
    void this.#tell();
  }
  /** That we are there, and what we hold; makes our words good for another while. */
  async #tell(): Promise<void> {
    if (this.#closed) return;
    const calls = [...this.#holdings].filter(([, { busy }]) => !busy).map(([tenant, holding]) =>
      this.#hold(tenant, holding.held, holding.held, holding.max_connections)
    );
    const [present] = await this.#ask([this.#present(TTL_MS), ...calls]);
    if (typeof present?.[1] === "number") this.#nodes = Math.max(1, present[1]);
  }
  #hold(tenant: string, held: number, wanted: number, max_connections: number): Call {
    const key = `${this.options.key_prefix}:{${tenant}}:connections`;
    const words = [key, this.node, held, wanted, max_connections, TTL_MS];
    return { slot: clusterSlot(key), script: HOLD, words };
  }
  #present(ttl_ms: number): Call {
    const key = `${this.options.key_prefix}:nodes`;
    return { slot: clusterSlot(key), script: PRESENT, words: [key, this.node, ttl_ms] };
  }
  #holding(tenant: string, max_connections: number): Holding {
    let holding = this.#holdings.get(tenant);
    if (!holding) {
      holding = { held: 0, max_connections, waiting: [], busy: false, changed: false };
      this.#holdings.set(tenant, holding);
    }
    return holding;
  }

  /** An answer per call, or none at all when Redis is away. Never rejects, never takes longer than `ANSWER_MS`. */
  async #ask(calls: readonly Call[]): Promise<readonly RedisAnswer[]> {
    const { clock } = this.options;
    if (!this.#link.ready || clock.monotonic_ms() < this.#away_until_ms) {
      this.#sayAway(this.#link.notReady() ?? "no answer a moment ago");
      return [];
    }
    try {
      const answers = await withDeadline(clock, ANSWER_MS, "ask redis", this.#run(calls));
      const failure = answers.find(([error]) => error !== null)?.[0];
      if (failure) throw failure;
      return answers;
    } catch (error) {
      this.#away_until_ms = clock.monotonic_ms() + AWAY_MS;
      this.#sayAway(this.#link.reason(error));
      return [];
    }
  }
  #sayAway(reason: string): void {
    if (this.#closed) return;
    this.#log.warn("away", "quotas hold on this node only: redis does not answer", {
      reason,
      share: `1/${this.#nodes}`,
    });
  }
  /** By digest; scripts that a node of Redis does not have yet are sent whole. */
  async #run(calls: readonly Call[]): Promise<RedisAnswer[]> {
    const answers = await this.#link.send(calls, (commands, { script, words: [key, ...rest] }) => {
      commands.command("EVALSHA", script.sha1, 1, key, ...rest);
    });
    const unknown = calls.map((_, i) => i).filter((i) => answers[i][0]?.message.startsWith("NOSCRIPT"));
    if (unknown.length === 0) return answers;
    const again = await this.#link.send(
      unknown.map((i) => calls[i]),
      (commands, { script, words: [key, ...rest] }) => {
        commands.command("EVAL", script.text, 1, key, ...rest);
      },
    );
    unknown.forEach((i, at) => answers[i] = again[at]);
    return answers;
  }
}
