/**
 * A sink `sql` before a real PostgreSQL: trades and quotes with consecutive ids go in through the real delivery queue,
 * and the tables are asked what came of them. Each rig has a database schema and a spool folder of its own.
 */
import assert from "node:assert/strict";
import { Client } from "pg";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import { sql, type SqlConfig } from "../../lib/sinks/sql.ts";
import type { Sink } from "../../lib/sinks/sink.ts";

export const START_MS = Date.parse("2024-08-08T12:00:00Z");

export class SqlRig implements AsyncDisposable {
  readonly metrics = new Metrics();
  readonly lines: string[] = [];
  queue!: DeliveryQueue<unknown>;
  sink!: Sink<unknown>;
  trades = 0;
  quotes = 0;
  peak_rss_bytes = 0;
  #closed = false;
  private constructor(readonly config: Partial<SqlConfig>) {}

  static async open(config: Partial<SqlConfig>): Promise<SqlRig> {
    const rig = new SqlRig(config);
    const note = (message: string, fields: unknown) => void rig.lines.push(message + JSON.stringify(fields));
    const log = { ...silentLog, info: note, warn: note, error: note, with: () => log };
    const context = {
      name: "sql",
      clock: systemClock,
      log,
      metrics: rig.metrics,
      seed: "test",
      writable: () => rig.queue?.wake(),
    };
    const parsed = sql.schema.parse({ flush_interval_ms: 20, ...config });
    rig.sink = await sql.connect(parsed as SqlConfig, context) as Sink<unknown>;
    rig.queue = new DeliveryQueue(rig.sink, { ...context, readBook: () => undefined });
    return rig;
  }
  trade(options: { trade_id?: number; exchange_ms?: number; exact_quantity?: string } = {}): void {
    const trade_id = options.trade_id ?? ++this.trades;
    this.queue.offer({
      kind: "trade",
      venue: "v",
      symbol: `S${trade_id % 20}`,
      price: 61_800.1,
      quantity: 0.003,
      aggressor: "buy",
      exchange_ms: START_MS + Math.floor(trade_id / 10),
      received_us: systemClock.now_us(),
      ...options,
      trade_id,
    });
  }
  quote(): void {
    const update_id = ++this.quotes;
    const exchange_ms = START_MS + update_id;
    const sides = { bid: 61_800.1, bid_quantity: 1, ask: 61_800.2, ask_quantity: 2 };
    this.queue.offer({
      kind: "quote",
      venue: "v",
      symbol: "S",
      exchange_ms,
      received_us: 1e15,
      update_id,
      ...sides,
    });
  }
  /** `per_s` trades a second for so long, evenly; `at` is told how many milliseconds have gone. */
  async stream(per_s: number, duration_ms: number): Promise<void> {
    const began_ms = systemClock.monotonic_ms();
    const first = this.trades;
    for (;;) {
      const elapsed_ms = Math.min(systemClock.monotonic_ms() - began_ms, duration_ms);
      const due = first + Math.floor(elapsed_ms * per_s / 1_000);
      while (this.trades < due) this.trade();
      this.queue.flush();
      this.peak_rss_bytes = Math.max(this.peak_rss_bytes, Deno.memoryUsage().rss);
      if (elapsed_ms >= duration_ms) return;
      await sleep(systemClock, 5);
    }
  }
  count(name: string): number {
    let sum = 0;
    for (const { value } of this.metrics.families.get(name)?.children.values() ?? []) {
      sum += (value as { value: number }).value;
    }
    return sum;
  }
  /** Everything is in the database. */
  get settled(): boolean {
    return this.queue.queued === 0 && this.sink.notReady() === undefined;
  }
  /** Returns what was left undelivered. */
  async close(deadline_ms = 10_000): Promise<number> {
    this.#closed = true;
    const left = await this.queue.close(deadline_ms);
    await this.sink[Symbol.asyncDispose]();
    return left;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) await this.close(0);
  }
}

/** The tables of one schema, made empty, dropped at the end, with a spool folder beside. */
export class SqlTables implements AsyncDisposable {
  private constructor(readonly url: string, readonly schema: string, readonly folder: string) {}

  static async create(url: string): Promise<SqlTables> {
    const folder = await Deno.makeTempDir({ prefix: "mdg-sql-" });
    return new SqlTables(url, `mdg_test_${crypto.randomUUID().slice(0, 8)}`, folder);
  }
  get config(): Partial<SqlConfig> {
    const spool = { folder: `${this.folder}/spool`, max_bytes: 256 * 1024 * 1024 };
    return { url: this.url, schema: this.schema, spool };
  }
  async query(text: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url });
    client.on("error", () => {});
    await client.connect();
    try {
      await client.query(`SET search_path TO ${this.schema}, public`);
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }
  /** How many trades there are, and how many different ids. */
  async tradeCounts(): Promise<{ rows: number; ids: number; first: number; last: number }> {
    const [row] = await this.query(
      "SELECT count(*) AS rows, count(DISTINCT trade_id) AS ids, min(trade_id) AS first, max(trade_id) AS last FROM trades",
    );
    return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number(value)])) as {
      rows: number;
      ids: number;
      first: number;
      last: number;
    };
  }
  /** Trades 1 … n, each once. */
  async assertTrades(n: number): Promise<void> {
    assert.deepEqual(await this.tradeCounts(), { rows: n, ids: n, first: 1, last: n });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.query(`DROP SCHEMA IF EXISTS ${this.schema} CASCADE`).catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }
}
