/**
 * Trades, quotes, candles, tickers, book snapshots and book status in a database: PostgreSQL (partitioned by day) or an
 * SQLite file. Prices are exact, keys are natural, so a row that comes twice is there once. While PostgreSQL is away rows
 * go to a bounded spool on the disk and are loaded in order afterwards. Refuses: to lose a trade before a quote.
 */
import { z } from "zod";
import { secret } from "../config/secret.ts";
import { readPostgresUrl } from "../wire/postgres/address.ts";
import { TABLE_NAMES } from "./sql/tables.ts";
import { defineSink } from "./sink.ts";

const SQLITE = "sqlite:";
const milliseconds = (otherwise: number, min: number, max = 600_000) =>
  z.int().min(min).max(max).default(otherwise);

export const SQL_SCHEMA = z.strictObject({
  url: z.string().refine(
    (text) => (text.startsWith(SQLITE) && text.length > SQLITE.length) || readPostgresUrl(text) !== undefined,
    "must be postgres://[user@]host[:port]/database[?sslmode=disable|require|verify-full], or sqlite:FILE",
  ).default("sqlite:mdg.sqlite").describe("postgres://user@host/database, or sqlite:FILE"),
  password: secret("Password of the PostgreSQL user; absent: PGPASSWORD or ~/.pgpass").optional(),
  ca_file: z.string().min(1).optional()
    .describe("PEM file of the authority that sslmode=verify-full trusts; absent: the system's"),
  schema: z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, "must be lower-case letters, digits and _").default(
    "public",
  ).describe("PostgreSQL schema of the tables; made when it is missing"),
  tables: z.array(z.enum(TABLE_NAMES)).min(1).default([...TABLE_NAMES]).describe("What is kept"),
  book_interval_ms: milliseconds(1_000, 10, 86_400_000)
    .describe("A book snapshot per instrument at the first change in each interval"),
  book_depth: z.int().min(1).max(5_000).default(20).describe("Levels a side in a book snapshot"),
  batch_rows: z.int().min(1).max(50_000).default(5_000).describe("Rows of one transaction at most"),
  flush_interval_ms: milliseconds(200, 0, 60_000)
    .describe("A smaller batch is written after so long; what waits is lost when the process is killed"),
  max_queued_rows: z.int().min(100).max(10_000_000).default(200_000).describe(
    "Rows kept in memory while neither database nor spool takes any; then the oldest are dropped and counted",
  ),
  retention_days: z.int().min(1).max(36_500).optional()
    .describe("Days that are kept; absent: all of them"),
  partitions_ahead_days: z.int().min(1).max(30).default(2)
    .describe("PostgreSQL: days whose partitions are made ahead"),
  connect_timeout_ms: milliseconds(5_000, 100).describe("Deadline of one connection attempt"),
  command_timeout_ms: milliseconds(10_000, 100)
    .describe("Without an answer for so long the connection is given up and the rows go to the spool"),
  spool: z.strictObject({
    folder: z.string().min(1).default("mdg-spool").describe(
      "Folder of the spool, one for each sink and process; made with rights for its owner only",
    ),
    max_bytes: z.int().min(1_048_576).max(1_099_511_627_776).default(1_073_741_824).describe(
      "Room of the spool; full: the oldest quotes, tickers and books are dropped, then the oldest of the rest",
    ),
  }).prefault({}).describe("Where rows wait on the disk while PostgreSQL is away"),
});
export type SqlConfig = z.output<typeof SQL_SCHEMA>;

export const sql = defineSink({
  name: "sql",
  summary: "PostgreSQL or SQLite: trades, quotes, candles, tickers, book snapshots, by day",
  schema: SQL_SCHEMA,
  async connect(config, context) {
    // The client libraries are loaded only where this sink is used.
    const { SqlSink } = await import("./sql/sql_sink.ts");
    const refused = context.metrics.counter(
      "sql_rows_refused_total",
      "Rows the database refused for what they hold",
      ["sink", "table"],
    );
    const onRefused = (table: string, count: number) => {
      refused.with(context.name, table).value += count;
    };
    if (config.url.startsWith(SQLITE)) {
      const { SqliteDatabase } = await import("./sql/sqlite/database.ts");
      const path = config.url.slice(SQLITE.length);
      const { retention_days } = config;
      const database = await SqliteDatabase.open({ path, retention_days, onRefused }, context);
      return new SqlSink(config, context, database);
    }
    const { openPostgres } = await import("./sql/open_postgres.ts");
    return new SqlSink(config, context, await openPostgres(config, context, onRefused));
  },
});
