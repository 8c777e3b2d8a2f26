/**
 * The fixture of the sink `sql`: a private PostgreSQL, a schema of its own for each test. A table has no order of arrival,
 * so trades are read by time. Books are kept as samples, so the last one need not be there.
 */
import { systemClock } from "../../../lib/base/clock.ts";
import { findProgram } from "../../../scripts/debian.ts";
import { PostgresCluster } from "../../../scripts/postgres_cluster.ts";
import { postgres } from "../../../scripts/services/postgres.ts";
import { SqlTables } from "../../live/sql_rig.ts";
import type { SinkFixture } from "../sink_fixture.ts";

const url = "postgres://127.0.0.1/market";
const initdb = await findProgram(postgres.program, postgres.extra_folders);

export const fixture: SinkFixture = {
  missing: initdb === undefined ? "postgres: initdb is not installed" : undefined,
  refused: [
    { url: "mysql://127.0.0.1/market" },
    { url: "postgres://" },
    { url: "sqlite:" },
    { url: `${url}?sslmode=maybe` },
    { url, schema: 'x"; drop' },
    { url, tables: [] },
    { url, batch_rows: 0 },
    { url, spool: { max_bytes: 1 } },
    { url, retention_days: 0 },
  ],
  deduplicates: true,
  keeps_acknowledged: true,
  async open() {
    const cluster = await PostgresCluster.create(initdb!, systemClock);
    await cluster.start();
    const tables = await SqlTables.create(cluster.url);
    return {
      config: { ...tables.config, flush_interval_ms: 10 },
      remote: { kill: () => cluster.kill(), start: () => cluster.start() },
      async arrived() {
        const rows = await tables.query(
          "SELECT symbol, trade_id, price::text, quantity::text FROM trades ORDER BY time, trade_id",
        ).catch(() => []);
        return {
          trades: rows.map(({ symbol, trade_id, price, quantity }) => ({
            symbol: String(symbol),
            trade_id: Number(trade_id),
            price: Number(price),
            quantity: Number(quantity),
          })),
        };
      },
      async [Symbol.asyncDispose]() {
        await cluster[Symbol.asyncDispose]();
        await tables[Symbol.asyncDispose]();
      },
    };
  },
};
