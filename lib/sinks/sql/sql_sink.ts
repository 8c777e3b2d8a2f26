/**
 * The sink itself: an update becomes a row, a batch becomes one transaction. Books are kept as snapshots, the first
 * change in each interval; the rest row by row. Where rows wait and how they reach the database is not its matter.
 */
import type { HistogramValue, MetricValue } from "../../base/metrics.ts";
import type { UpdateKind } from "../../flow/delivery_target.ts";
import type { MarketUpdate } from "../../market/update.ts";
import type { SqlConfig } from "../sql.ts";
import type { Sink, SinkContext } from "../sink.ts";
import { type Database, groupRows } from "./database.ts";
import { type Row, RowEncoder } from "./encode_row.ts";
import { TABLE_NAMES, type TableName } from "./tables.ts";

const LATENCY_BOUNDS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];
/** An object and a string around a row, bytes, roughly. */
const ROW_OVERHEAD_BYTES = 80;
const DAY_MS = 86_400_000;

const TABLE_OF: Readonly<Record<UpdateKind, TableName>> = {
  trade: "trades",
  candle: "candles",
  book_status: "book_status",
  quote: "quotes",
  ticker: "tickers",
  book: "books",
};

export class SqlSink implements Sink<Row> {
  readonly name: string;
  readonly limits;
  readonly #encoder: RowEncoder;
  readonly #tables: ReadonlySet<TableName>;
  readonly #stored: ReadonlyMap<TableName, MetricValue>;
  readonly #expired: MetricValue;
  readonly #latency: HistogramValue;
  /** Instrument → the interval that has its book already. Bounded by the number of instruments. */
  readonly #book_intervals = new Map<string, number>();

  constructor(
    readonly config: SqlConfig,
    readonly context: SinkContext,
    readonly database: Database,
  ) {
    const { name, metrics } = context;
    this.name = name;
    this.limits = {
      max_trades: config.max_queued_rows,
      max_batch: config.batch_rows,
      // One transaction at a time keeps the order; a larger one costs less than two.
      max_writes: 1,
      // From here on memory is kept for trades: quotes and books are conflated.
      lag_messages: config.max_queued_rows >> 1,
      linger_ms: config.flush_interval_ms,
      write_timeout_ms: config.command_timeout_ms * 3 + 30_000,
    };
    this.#encoder = new RowEncoder(config.book_depth);
    this.#tables = new Set(config.tables);
    const stored = metrics.counter("sql_rows_total", "Rows handed to the database or its spool", [
      "sink",
      "table",
    ]);
    this.#stored = new Map(TABLE_NAMES.map((table) => [table, stored.with(name, table)]));
    this.#expired = metrics.counter("sql_rows_expired_total", "Rows older than the retention, not written", [
      "sink",
    ]).with(name);
    this.#latency = metrics.histogram(
      "sql_write_latency_seconds",
      "From a batch begun to its commit",
      ["sink"],
      LATENCY_BOUNDS_S,
    ).with(name);
  }
  takes(kind: UpdateKind): boolean {
    return this.#tables.has(TABLE_OF[kind]);
  }
  encode(update: MarketUpdate): Row | undefined {
    if (update.kind === "book" && !this.#isBookDue(update)) return undefined;
    if (update.kind === "book_status" && update.reason === "removed") {
      this.#book_intervals.delete(`${update.venue}\u0000${update.symbol}`);
    }
    const row = this.#encoder.encode(update);
    if (row && this.#isExpired(row)) {
      this.#expired.value++;
      return undefined;
    }
    return row;
  }
  sizeBytes(row: Row): number {
    return row.line.length + ROW_OVERHEAD_BYTES;
  }
  async write(rows: readonly Row[]): Promise<void> {
    const { clock } = this.context;
    const began_ms = clock.monotonic_ms();
    const groups = groupRows(rows);
    await this.database.write(groups);
    this.#latency.observe((clock.monotonic_ms() - began_ms) / 1000);
    for (const { table, count } of groups) this.#stored.get(table)!.value += count;
  }
  notReady(): string | undefined {
    return this.database.notReady();
  }
  accepts(): boolean {
    return this.database.accepts?.() ?? this.notReady() === undefined;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }

  #isBookDue({ venue, symbol }: MarketUpdate): boolean {
    const interval = Math.floor(this.context.clock.now_ms() / this.config.book_interval_ms);
    const instrument = `${venue}\u0000${symbol}`;
    if (this.#book_intervals.get(instrument) === interval) return false;
    this.#book_intervals.set(instrument, interval);
    return true;
  }
  #isExpired(row: Row): boolean {
    const { retention_days } = this.config;
    if (retention_days === undefined) return false;
    return Date.parse(row.line.slice(0, 10)) < this.context.clock.now_ms() - (retention_days + 1) * DAY_MS;
  }
}
