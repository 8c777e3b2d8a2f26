import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { until } from "../end_to_end/until.ts";
import { serviceTest } from "../services.ts";
import { SqlRig, SqlTables, START_MS } from "./sql_rig.ts";

const DAY_MS = 86_400_000;
const stored = (rig: SqlRig) =>
  until("rows to be stored", () => rig.settled, 20_000, () => rig.sink.notReady());

serviceTest("postgres", "rows are exact, of the right types, in the partition of their day", async (url) => {
  await using tables = await SqlTables.create(url);
  await using rig = await SqlRig.open(tables.config);
  const exact_quantity = "12345678901234567890.123456789";
  rig.trade({ trade_id: 1, exact_quantity });
  rig.trade({ trade_id: 2, exchange_ms: START_MS + DAY_MS });
  rig.trade({ trade_id: 3, exchange_ms: Date.parse("2009-01-03T18:15:05Z") });
  rig.quote();
  await stored(rig);
  assert.equal(await rig.close(), 0);
  const rows = await tables.query(
    "SELECT tableoid::regclass::text AS part, price::text, quantity::text, first_fill_id FROM trades ORDER BY trade_id",
  );
  const price = "61800.1";
  assert.deepEqual(rows, [
    { part: "trades_20240808", price, quantity: exact_quantity, first_fill_id: null },
    { part: "trades_20240809", price, quantity: "0.003", first_fill_id: null },
    { part: "trades_20090103", price, quantity: "0.003", first_fill_id: null },
  ]);
  assert.deepEqual(await tables.query("SELECT ask - bid AS spread FROM quotes"), [{ spread: "0.1" }]);
});

serviceTest("postgres", "several starters make one schema; two producers make no second row", async (url) => {
  await using tables = await SqlTables.create(url);
  const spool = (i: number) => ({ folder: `${tables.folder}/spool${i}`, max_bytes: 1024 * 1024 });
  const rigs = await Promise.all(
    Array.from({ length: 5 }, (_, i) => SqlRig.open({ ...tables.config, spool: spool(i) })),
  );
  for (let id = 0; id < 3_000; id++) for (const rig of rigs) rig.trade();
  await Promise.all(rigs.map(stored));
  for (const rig of rigs) {
    assert.equal(rig.count("sql_rows_refused_total"), 0);
    assert.equal(await rig.close(), 0);
  }
  await tables.assertTrades(3_000);
  assert.deepEqual(await tables.query("SELECT version FROM schema_version"), [{ version: 1 }]);
});

serviceTest("postgres", "a newer schema is left alone, and said; rows wait", async (url) => {
  await using tables = await SqlTables.create(url);
  await tables.query(`CREATE SCHEMA ${tables.schema}`);
  await tables.query("CREATE TABLE schema_version AS SELECT 99 AS version, now() AS applied_at");
  await using rig = await SqlRig.open(tables.config);
  const why = await until(
    "the refusal",
    () => rig.sink.notReady()?.includes("newer") && rig.sink.notReady(),
  );
  assert.match(why, /use schema "mdg_test_\w+": its version is 99, this mdg knows up to 1, want a newer mdg/);
  assert.equal((await tables.query("SELECT count(*)::int AS n FROM schema_version"))[0].n, 1);
});

serviceTest("postgres", "a missing right is said by table; after GRANT the rows are stored", async (url) => {
  await using tables = await SqlTables.create(url);
  const role = `${tables.schema}_role`;
  // The owner's mdg made the tables, as a careful administrator has it; this one may only write, once it is allowed.
  const owner = await SqlRig.open(tables.config);
  owner.trade({ trade_id: 1 });
  await stored(owner);
  await owner.close();
  await tables.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
  try {
    await tables.query(`GRANT USAGE ON SCHEMA ${tables.schema} TO ${role}`);
    await tables.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${tables.schema} TO ${role}`);
    const as_role = url.replace(/\/\/[^@]*@/, `//${role}@`);
    await using rig = await SqlRig.open({ ...tables.config, url: as_role, password: "x" });
    rig.trade({ trade_id: 2 });
    const line = await until("the refusal", () => rig.lines.find((line) => line.includes("did not take")));
    assert.match(line, /permission denied for table trades, want a user with the right to create, insert/);
    await until("the row to be in the spool", () => rig.sink.notReady()?.includes("1 rows"));
    await tables.query(`GRANT INSERT ON ALL TABLES IN SCHEMA ${tables.schema} TO ${role}`);
    await stored(rig);
    assert.equal(await rig.close(), 0);
    assert.equal((await tables.tradeCounts()).rows, 2);
  } finally {
    await tables.query(`DROP OWNED BY ${role}`);
    await tables.query(`DROP ROLE ${role}`);
  }
});

serviceTest(
  "postgres",
  "a row that the database refuses is left out, counted and told; the others are stored",
  async (url) => {
    await using tables = await SqlTables.create(url);
    await using rig = await SqlRig.open(tables.config);
    for (let id = 1; id <= 500; id++) {
      rig.trade({ trade_id: id === 137 ? 1e20 : id, exchange_ms: START_MS });
    }
    rig.trade({ trade_id: 501, exchange_ms: Date.parse("-000001-01-01T00:00:00Z") });
    await stored(rig);
    assert.equal(await rig.close(), 0);
    assert.equal(rig.count("sql_rows_refused_total"), 2);
    assert.ok(rig.lines.some((line) => /refused a row.*out of range for type bigint/.test(line)));
    assert.equal((await tables.tradeCounts()).rows, 499);
  },
);

serviceTest(
  "postgres",
  "days past the retention go, rows of them are not written, days ahead are there",
  async (url) => {
    await using tables = await SqlTables.create(url);
    const day = (ago: number) => new Date(systemClock.now_ms() - ago * DAY_MS).toISOString().slice(0, 10);
    await using first = await SqlRig.open(tables.config);
    for (const ago of [10, 5, 1]) {
      first.trade({ trade_id: ago, exchange_ms: Date.parse(day(ago)) });
    }
    await stored(first);
    await first.close();
    await using rig = await SqlRig.open({ ...tables.config, retention_days: 7, partitions_ahead_days: 3 });
    rig.trade({ trade_id: 20, exchange_ms: Date.parse(day(20)) });
    await until("the connection", () => rig.sink.notReady() === undefined);
    await stored(rig);
    assert.equal(rig.count("sql_rows_expired_total"), 1);
    await rig.close();
    const rows = await tables.query(
      "SELECT c.relname AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'trades'::regclass ORDER BY 1",
    );
    const days = [5, 1, 0, -1, -2, -3].map((ago) => `trades_${day(ago).replaceAll("-", "")}`);
    assert.deepEqual(rows.map(({ name }) => name), days);
    assert.equal((await tables.tradeCounts()).rows, 2);
  },
);
