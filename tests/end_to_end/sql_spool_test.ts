/**
 * kill -9 of mdg itself while its database is away: what it had put on the disk before it died is in the database after
 * the next start, once each, without a hole.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { findProgram } from "../../scripts/debian.ts";
import { PostgresCluster } from "../../scripts/postgres_cluster.ts";
import { postgres } from "../../scripts/services/postgres.ts";
import { SqlTables } from "../live/sql_rig.ts";
import { testUnless } from "../services.ts";
import { print } from "../bench/figures.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { until } from "./until.ts";

const SYMBOLS = ["AAA", "BBB", "CCC", "DDD", "EEE"];
const MIN_SPOOLED_ROWS = 20_000;

const initdb = await findProgram(postgres.program, postgres.extra_folders);
const missing = initdb === undefined ? "postgres: initdb is not installed" : undefined;

testUnless(missing, "mdg killed while PostgreSQL is away: the spool is replayed whole", async () => {
  await using cluster = await PostgresCluster.create(initdb!, systemClock);
  await using tables = await SqlTables.create(cluster.url);
  const config = (symbols: readonly string[], rate: number) => ({
    sources: [{ kind: "simulator", symbols, rate, interval_ms: 10 }],
    sinks: [{ kind: "sql", ...tables.config, flush_interval_ms: 50 }],
    servers: [{ kind: "health", listen: "127.0.0.1:0" }],
  });
  const spooled = (gateway: GatewayProcess) => gateway.metric("sql_spool_rows", { sink: "sql" });
  let promised = 0;
  {
    await using gateway = await GatewayProcess.start(config(SYMBOLS, 5_000));
    await until("rows in the spool", async () => {
      const rows = await spooled(gateway);
      if (rows !== undefined) promised = rows;
      return promised >= MIN_SPOOLED_ROWS;
    }, 60_000);
    const { status, reasons } = await gateway.readiness();
    assert.equal(status, 503);
    assert.match(reasons.join(), /sql: postgres:\S+ is not connected: nobody listens on .* in the spool/);
    gateway.process.signal("SIGKILL");
    await until("the end of mdg", () => gateway.process.exit_code !== undefined);
  }
  await cluster.start();
  await using second = await GatewayProcess.start(config(["ZZZ"], 1));
  await until("the spool to be loaded", async () => await spooled(second) === 0, 60_000);
  const found = await tables.query(
    "SELECT (SELECT count(*) FROM trades WHERE symbol <> 'ZZZ') + (SELECT count(*) FROM quotes WHERE symbol <> 'ZZZ')" +
      " + (SELECT count(*) FROM books WHERE symbol <> 'ZZZ') + (SELECT count(*) FROM book_status WHERE symbol <> 'ZZZ') AS n",
  );
  assert.ok(Number(found[0].n) >= promised, `${found[0].n} rows of ${promised} that were on the disk`);
  const trades = await tables.query(
    "SELECT symbol, count(*)::int AS rows, count(DISTINCT trade_id)::int AS ids, min(trade_id)::int AS first, max(trade_id)::int AS last FROM trades GROUP BY symbol",
  );
  assert.ok(trades.length >= SYMBOLS.length);
  for (const { symbol, rows, ids, first, last } of trades) {
    assert.deepEqual(
      { symbol, rows, ids, first },
      { symbol, rows: last, ids: last, first: 1 },
      "twice, or a hole",
    );
  }
  print(`  ${promised} rows were on the disk at the kill, ${found[0].n} are in the database`);
});
