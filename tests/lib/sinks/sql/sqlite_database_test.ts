import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import type { SinkContext } from "../../../../lib/sinks/sink.ts";
import { SqliteDatabase } from "../../../../lib/sinks/sql/sqlite/database.ts";
import { migrate } from "../../../../lib/sinks/sql/sqlite/schema.ts";
import { SqliteWriter } from "../../../../lib/sinks/sql/sqlite/writer.ts";

const context: SinkContext = {
  name: "sql",
  clock: systemClock,
  log: silentLog,
  metrics: new Metrics(),
  seed: "s",
  writable() {},
};
const refused: string[] = [];
const onRefused = (table: string, count: number) => void refused.push(`${table} ${count}`);
const trade = (day: string, id: number, price = "61800.1", quantity = "0.003") =>
  `${day}T00:00:00.000001Z\tv\tS\t${id}\t\\N\t${price}\t${quantity}\tbuy\t\\N\t\\N\t\\N\t${id}\t${day}T00:00:00.000002Z\n`;
const trades = (
  ...lines: string[]
) => [{ table: "trades" as const, rows: lines.join(""), count: lines.length }];

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-sqlite-" });
  try {
    await work(join(folder, "m.sqlite"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("rows arrive exactly, once, through the Worker", () =>
  inFolder(async (path) => {
    const database = await SqliteDatabase.open({ path, retention_days: undefined, onRefused }, context);
    const long = "12345678901234567.89";
    await database.write([
      ...trades(trade("2024-08-08", 1), trade("2024-08-08", 2, "0.1", long)),
      {
        table: "books",
        rows: "2024-08-08T00:00:00.000001Z\tv\tS\t7\t{{1.5,2}}\t{}\t2024-08-08T00:00:00.000002Z\n",
        count: 1,
      },
    ]);
    await database.write(trades(trade("2024-08-08", 2, "0.1", long), trade("2024-08-08", 3)));
    assert.deepEqual(refused, []);
    await database.write(
      trades(trade("2024-08-08", 1e20), trade("2024-08-08", 4, "\\N"), trade("2024-08-08", 5)),
    );
    assert.deepEqual(refused, ["trades 2"], "rows at fault are left out, the others are stored");
    assert.equal(database.notReady(), undefined);
    await database[Symbol.asyncDispose]();
    using file = new DatabaseSync(path, { readOnly: true });
    const rows = file.prepare("SELECT trade_id, price, quantity, sent_time FROM trades ORDER BY trade_id")
      .all();
    assert.deepEqual(rows.map((row) => ({ ...row })), [
      { trade_id: 1, price: 61800.1, quantity: 0.003, sent_time: null },
      { trade_id: 2, price: 0.1, quantity: long, sent_time: null },
      { trade_id: 3, price: 61800.1, quantity: 0.003, sent_time: null },
      { trade_id: 5, price: 61800.1, quantity: 0.003, sent_time: null },
    ]);
    assert.deepEqual({ ...file.prepare("SELECT bids, asks FROM books").get() }, {
      bids: "[[1.5,2]]",
      asks: "[]",
    });
    assert.equal(file.prepare("PRAGMA journal_mode").get()!.journal_mode, "wal");
  }));

Deno.test("of many rows only those at fault are left out, and each is stored once", () =>
  inFolder((path) => {
    const writer = new SqliteWriter(path);
    // More than one full statement and a rest; faults at both ends, in the middle and in the rest.
    const at_fault = new Set([0, 7, 19, 20, 44]);
    const lines = Array.from(
      { length: 47 },
      (_, i) => trade("2024-08-08", i, at_fault.has(i) ? "\\N" : "1.5"),
    );
    writer.write(trades(...lines.slice(3, 6)));
    const refusals = writer.write(trades(...lines, lines[46]));
    assert.deepEqual(
      refusals.map(({ table, count, row }) => ({ table, count, row })),
      [{ table: "trades", count: at_fault.size, row: lines[0].slice(0, -1) }],
    );
    assert.match(refusals[0].reason, /NOT NULL constraint failed: trades.price/);
    assert.deepEqual(writer.write(trades(...lines.filter((_, i) => !at_fault.has(i)))), []);
    writer.close();
    using file = new DatabaseSync(path, { readOnly: true });
    assert.deepEqual(
      file.prepare("SELECT trade_id FROM trades ORDER BY trade_id").all().map((row) => row.trade_id),
      lines.keys().filter((i) => !at_fault.has(i)).toArray(),
    );
    return Promise.resolve();
  }));

Deno.test("a path that can't be a database is told at once", () =>
  inFolder(async (path) => {
    await Deno.writeTextFile(path, "this is no database, but long enough to look at".repeat(100));
    const refused = (message: RegExp) => (error: unknown) =>
      error instanceof UserError && message.test(error.message);
    const options = { retention_days: undefined, onRefused };
    await assert.rejects(
      SqliteDatabase.open({ path, ...options }, context),
      refused(/open SQLite file ".*": file is not a database/),
    );
    await assert.rejects(
      SqliteDatabase.open({ path: join(path, "x"), ...options }, context),
      refused(/unable to open database file/),
    );
  }));

Deno.test("retention removes old rows from the front, in pieces", () =>
  inFolder((path) => {
    const writer = new SqliteWriter(path);
    const days = ["2024-08-01", "2024-08-02", "2024-08-03"];
    for (const day of days) {
      writer.write(trades(...Array.from({ length: 15_000 }, (_, i) => trade(day, i))));
    }
    assert.equal(writer.expire("2024-08-03"), 20_000);
    assert.equal(writer.expire("2024-08-03"), 10_000);
    assert.equal(writer.expire("2024-08-03"), 0);
    writer.close();
    using file = new DatabaseSync(path, { readOnly: true });
    assert.deepEqual({ ...file.prepare("SELECT count(*) AS n, min(time) AS first FROM trades").get() }, {
      n: 15_000,
      first: "2024-08-03T00:00:00.000001Z",
    });
    return Promise.resolve();
  }));

Deno.test("an older schema is brought up to date, a newer one is left alone", () =>
  inFolder((path) => {
    using file = new DatabaseSync(path);
    const first = ["CREATE TABLE a (x INTEGER) STRICT"];
    const second = ["ALTER TABLE a ADD COLUMN y INTEGER", "INSERT INTO a VALUES (1, 2)"];
    migrate(file, [first]);
    migrate(file, [first, second]);
    migrate(file, [first, second]);
    assert.deepEqual(file.prepare("SELECT * FROM a").all().map((row) => ({ ...row })), [{ x: 1, y: 2 }]);
    assert.throws(
      () => migrate(file, [first]),
      /its schema version is 2, this mdg knows up to 1, want a newer mdg/,
    );
    const failing = ["CREATE TABLE b (x INTEGER)", "no SQL"];
    assert.throws(() => migrate(file, [first, second, failing]), /syntax error/);
    assert.equal(file.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'b'").get()!.n, 0);
    return Promise.resolve();
  }));
