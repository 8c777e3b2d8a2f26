/**
 * Trades into databases. PostgreSQL with its server and the sink on one core together, beside psql's own COPY of the same
 * rows on that core: straight, and by way of a staging table, which is what the sink does after a conflict. SQLite in its
 * Worker, beside the same rows bound and inserted with nothing else to do. Targets: 30,000 trades/s and 100,000 rows/s.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { nextTurn, sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import type { Trade } from "../../lib/market/event.ts";
import { RowEncoder } from "../../lib/sinks/sql/encode_row.ts";
import { sql, type SqlConfig } from "../../lib/sinks/sql.ts";
import { findProgram } from "../../scripts/debian.ts";
import { PostgresCluster } from "../../scripts/postgres_cluster.ts";
import { postgres } from "../../scripts/services/postgres.ts";
import { print, row } from "./figures.ts";

const TRADES = Deno.args.includes("--long") ? 3_000_000 : 600_000;
const SYMBOLS = 20;
const CORE = "1";
/** The offering stops here and waits, as a source that is held back would; nothing is dropped. */
const MAX_QUEUED = 50_000;
const START_MS = Date.parse("2024-08-08T00:00:00Z");

const encoder = new RowEncoder(20);
let id = 0;
function nextTrade(): Trade {
  id++;
  return {
    kind: "trade",
    venue: "binance-futures",
    symbol: `SYM${id % SYMBOLS}USDT`,
    trade_id: id,
    price: 61_800 + (id % 1_000) / 10,
    quantity: (id % 997 + 1) / 1_000,
    aggressor: id % 2 === 0 ? "buy" : "sell",
    exchange_ms: START_MS + Math.floor(id / 100),
    sent_ms: START_MS + Math.floor(id / 100) + 1,
    received_us: (START_MS + Math.floor(id / 100)) * 1_000 + 2_345,
    first_fill_id: id,
    last_fill_id: id,
  };
}
const linesOf = (count: number) => Array.from({ length: count }, () => encoder.encode(nextTrade())!.line);
const perSecond = (rows: number, elapsed_ms: number) => rows / elapsed_ms * 1_000;
const shown = (rate: number) => `${Math.round(rate / 1_000)} k rows/s`;

/** Rows a second from the first trade offered to the last one committed. */
async function sustained(config: Partial<SqlConfig>, trades: number): Promise<number> {
  const metrics = new Metrics();
  const context = {
    name: "sql",
    clock: systemClock,
    log: silentLog,
    metrics,
    seed: "bench",
    writable: () => {},
  };
  const sink = await sql.connect(sql.schema.parse(config) as SqlConfig, context);
  while (sink.notReady() !== undefined) await sleep(systemClock, 5);
  const queue = new DeliveryQueue(sink, { ...context, readBook: () => undefined });
  const began_ms = systemClock.monotonic_ms();
  for (let i = 0; i < trades; i++) {
    queue.offer(nextTrade());
    if (i % 256 !== 255) continue;
    queue.flush();
    await nextTurn();
    while (queue.queued > MAX_QUEUED) await sleep(systemClock, 1);
  }
  const left = await queue.close(60_000);
  const elapsed_ms = systemClock.monotonic_ms() - began_ms;
  const not_stored = left + trades - stored(metrics);
  await sink[Symbol.asyncDispose]();
  if (not_stored !== 0) throw new Error(`${not_stored} trades were not stored`);
  return perSecond(trades, elapsed_ms);
}
function stored(metrics: Metrics): number {
  let sum = 0;
  for (const { value } of metrics.families.get("sql_rows_total")!.children.values()) {
    sum += (value as { value: number }).value;
  }
  return sum;
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null" }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Everything of this process, the database and psql on one core. */
async function benchPostgres(initdb: string): Promise<void> {
  await run("taskset", "-a", "-p", "-c", CORE, String(Deno.pid));
  await using cluster = await PostgresCluster.create(initdb, systemClock);
  await cluster.start(["taskset", "-c", CORE], { max_wal_size: "4GB", fsync: "on" });
  const folder = await Deno.makeTempDir({ prefix: "mdg-sql-bench-" });
  const psql = (command: string) =>
    run(
      "taskset",
      "-c",
      CORE,
      join(cluster.programs, "psql"),
      "-q",
      "-v",
      "ON_ERROR_STOP=1",
      cluster.url,
      "-c",
      command,
    );
  const spool = { folder: join(folder, "spool"), max_bytes: 1 << 30 };
  const config = { url: cluster.url, spool };
  await sustained(config, 20_000);
  print("PostgreSQL, sink and server on one core");
  const file = join(folder, "rows");
  const rows = linesOf(TRADES);
  await Deno.writeTextFile(file, rows.join(""));
  const began_ms = systemClock.monotonic_ms();
  await psql(`\\copy trades from '${file}'`);
  const baseline = perSecond(TRADES, systemClock.monotonic_ms() - began_ms);
  row("baseline: psql \\copy into the same table, one transaction", shown(baseline));
  const straight = await sustained(config, TRADES);
  row("trades through the sink, every one new", shown(straight), `${(straight / baseline).toFixed(2)}×`);
  id -= TRADES;
  const repeated = await sustained(config, TRADES);
  row(
    "the same trades again, every one there already",
    shown(repeated),
    `${(repeated / baseline).toFixed(2)}×`,
  );
  await Deno.remove(folder, { recursive: true });
}

async function benchSqlite(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-sql-bench-" });
  print("SQLite, WAL, synced at every commit");
  const rows = linesOf(TRADES).map((line) =>
    line.slice(0, -1).split("\t").map((text) => text === "\\N" ? null : text)
  );
  await sustained({ url: `sqlite:${join(folder, "sink.sqlite")}` }, 20_000);
  const file = new DatabaseSync(join(folder, "sink.sqlite"));
  const insert = file.prepare(
    `INSERT INTO trades VALUES (${rows[0].map(() => "?").join(",")}) ON CONFLICT DO NOTHING`,
  );
  file.exec("PRAGMA synchronous = FULL");
  const began_ms = systemClock.monotonic_ms();
  for (let from = 0; from < TRADES; from += 5_000) {
    file.exec("BEGIN");
    for (const values of rows.slice(from, from + 5_000)) insert.run(...values);
    file.exec("COMMIT");
  }
  const baseline = perSecond(TRADES, systemClock.monotonic_ms() - began_ms);
  file.close();
  row("baseline: prepared inserts, 5,000 a transaction", shown(baseline));
  const through = await sustained({ url: `sqlite:${join(folder, "sink.sqlite")}` }, TRADES);
  row("trades through the sink", shown(through), `${(through / baseline).toFixed(2)}×`);
  await Deno.remove(folder, { recursive: true });
}

await benchSqlite();
const initdb = await findProgram(postgres.program, postgres.extra_folders);
const taskset = await findProgram("taskset");
if (initdb && taskset) await benchPostgres(initdb);
else print("PostgreSQL: skipped, no initdb or no taskset here");
