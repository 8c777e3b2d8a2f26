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
const TICKS_PER_SECOND = 100;
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
/** Processor time so far of this process, those it has waited for, and a server with its children; seconds. */
function cpuSeconds(server_pid?: number): number {
  const of = (pid: number | string) => {
    try {
      // The fields after the name, which may hold spaces; proc(5): 14 utime, 15 stime, 16 cutime, 17 cstime.
      const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
      return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
    } catch {
      return 0;
    }
  };
  if (server_pid === undefined) return of("self");
  const children = Deno.readTextFileSync(`/proc/${server_pid}/task/${server_pid}/children`).split(" ");
  return [...children.filter(Boolean), server_pid].reduce<number>((sum, pid) => sum + of(pid), of("self"));
}

interface Measured {
  /** Rows a second by the clock. */
  rate: number;
  /** Rows a second of processor time: what an idle machine would do on one core; a busy one does not colour it. */
  per_cpu_s: number;
}
async function measured(
  rows: number,
  server_pid: number | undefined,
  work: () => Promise<unknown>,
): Promise<Measured> {
  const began_ms = systemClock.monotonic_ms();
  const began_cpu_s = cpuSeconds(server_pid);
  await work();
  const elapsed_s = (systemClock.monotonic_ms() - began_ms) / 1_000;
  return { rate: rows / elapsed_s, per_cpu_s: rows / (cpuSeconds(server_pid) - began_cpu_s) };
}
function tell(what: string, { rate, per_cpu_s }: Measured, baseline?: Measured): void {
  const ratio = baseline &&
    `${(rate / baseline.rate).toFixed(2)}×, by processor time ${
      (per_cpu_s / baseline.per_cpu_s).toFixed(2)
    }×`;
  row(what, `${Math.round(rate / 1_000)} k/s, ${Math.round(per_cpu_s / 1_000)} k/cpu s`, ratio);
}

/** From the first trade offered to the last one committed. */
async function sustained(config: Partial<SqlConfig>, trades: number, server_pid?: number): Promise<Measured> {
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
  let left = 0;
  const figures = await measured(trades, server_pid, async () => {
    for (let i = 0; i < trades; i++) {
      queue.offer(nextTrade());
      if (i % 256 !== 255) continue;
      queue.flush();
      await nextTurn();
      while (queue.queued > MAX_QUEUED) await sleep(systemClock, 1);
    }
    left = await queue.close(60_000);
  });
  const not_stored = left + trades - stored(metrics);
  await sink[Symbol.asyncDispose]();
  if (not_stored !== 0) throw new Error(`${not_stored} trades were not stored`);
  return figures;
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
  const { pid } = cluster;
  const baseline = await measured(TRADES, pid, () => psql(`\\copy trades from '${file}'`));
  tell("baseline: psql \\copy into the same table", baseline);
  tell("trades through the sink, every one new", await sustained(config, TRADES, pid), baseline);
  id -= TRADES;
  tell("the same trades again, all there already", await sustained(config, TRADES, pid), baseline);
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
  const baseline = await measured(TRADES, undefined, () => {
    for (let from = 0; from < TRADES; from += 5_000) {
      file.exec("BEGIN");
      for (const values of rows.slice(from, from + 5_000)) insert.run(...values);
      file.exec("COMMIT");
    }
    return Promise.resolve();
  });
  file.close();
  tell("baseline: prepared inserts, 5,000 a transaction", baseline);
  const figures = await sustained({ url: `sqlite:${join(folder, "sink.sqlite")}` }, TRADES);
  tell("trades through the sink, encoding beside the Worker", figures, baseline);
  await Deno.remove(folder, { recursive: true });
}

await benchSqlite();
const initdb = await findProgram(postgres.program, postgres.extra_folders);
const taskset = await findProgram("taskset");
if (initdb && taskset) await benchPostgres(initdb);
else print("PostgreSQL: skipped, no initdb or no taskset here");
