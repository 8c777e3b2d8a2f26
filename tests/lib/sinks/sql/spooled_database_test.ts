import assert from "node:assert/strict";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Random } from "../../../../lib/base/random.ts";
import type { SinkContext } from "../../../../lib/sinks/sink.ts";
import type { Database, RowGroup } from "../../../../lib/sinks/sql/database.ts";
import { Spool } from "../../../../lib/sinks/sql/spool/spool.ts";
import { SpooledDatabase } from "../../../../lib/sinks/sql/spooled_database.ts";
import { until } from "../../../end_to_end/until.ts";
import { is_long } from "../../../services.ts";

/** Keeps rows by key, as a database would; goes away and comes back, and may lose the answer to a write it did. */
class FakeDatabase implements Database {
  readonly address = "fake://";
  readonly kept = new Map<string, number>();
  /** Rows in the order in which they first came. */
  readonly order: string[] = [];
  away = false;
  lose_answer = false;
  writes = 0;

  notReady(): string | undefined {
    return this.away ? "away" : undefined;
  }
  async write(groups: readonly RowGroup[]): Promise<void> {
    this.writes++;
    await nextTurn();
    if (this.away) throw new Error("connection lost");
    for (const { rows } of groups) {
      for (const row of rows.split("\n").slice(0, -1)) {
        if (!this.kept.has(row)) this.order.push(row);
        this.kept.set(row, (this.kept.get(row) ?? 0) + 1);
      }
    }
    if (!this.lose_answer) return;
    this.lose_answer = false;
    this.away = true;
    throw new Error("connection lost after the write");
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

async function run(seed: number): Promise<number> {
  const random = new Random(seed);
  const folder = await Deno.makeTempDir({ prefix: "mdg-spooled-" });
  const clock = new ManualClock();
  const context: SinkContext = {
    name: "sql",
    clock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "s",
    writable() {},
  };
  const database = new FakeDatabase();
  const options = { folder, max_bytes: 64 * 1024 * 1024, address: "fake://", log: silentLog, onDropped() {} };
  let spooled = new SpooledDatabase(database, await Spool.open(options), context);
  let spooled_writes = 0;
  let next = 0;
  for (let step = 0; step < 60; step++) {
    if (random.chance(0.15)) database.away = !database.away;
    if (random.chance(0.1)) database.lose_answer = true;
    const rows = Array.from({ length: random.integer(1, 5) }, () => `row ${next++}\n`);
    await spooled.write([{ table: "trades", rows: rows.join(""), count: rows.length }]);
    if (!spooled.spool.is_empty) spooled_writes++;
    if (random.chance(0.05)) {
      // The process ends here and another takes over.
      await spooled[Symbol.asyncDispose]();
      spooled = new SpooledDatabase(database, await Spool.open(options), context);
    }
    clock.advance(random.integer(0, 500));
    for (let i = random.integer(0, 3); i > 0; i--) await nextTurn();
  }
  database.away = database.lose_answer = false;
  await until("the spool to be loaded", () => {
    clock.advance(2_000);
    return spooled.spool.is_empty;
  });
  await spooled[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual(
    database.order,
    Array.from({ length: next }, (_, i) => `row ${i}`),
    "lost or out of order",
  );
  assert.equal(clock.pending, 0);
  return spooled_writes;
}

Deno.test("whatever goes away when: every row arrives, in order", async () => {
  let spooled_writes = 0;
  for (let seed = 0; seed < (is_long ? 150 : 15); seed++) spooled_writes += await run(seed);
  assert.ok(spooled_writes > 50, "the spool was used");
});
