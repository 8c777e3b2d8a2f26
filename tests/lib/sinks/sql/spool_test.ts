import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../../../lib/base/errors.ts";
import { Random } from "../../../../lib/base/random.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Spool } from "../../../../lib/sinks/sql/spool/spool.ts";
import type { RowGroup } from "../../../../lib/sinks/sql/database.ts";
import type { TableName } from "../../../../lib/sinks/sql/tables.ts";
import { is_long } from "../../../services.ts";

const MIB = 1024 * 1024;

class Rig implements AsyncDisposable {
  readonly dropped = new Map<string, number>();
  readonly lines: string[] = [];
  spool!: Spool;
  private constructor(readonly folder: string, readonly max_bytes: number) {}

  static async open(max_bytes = 64 * MIB): Promise<Rig> {
    const rig = new Rig(join(await Deno.makeTempDir({ prefix: "mdg-spool-" }), "spool"), max_bytes);
    await rig.open();
    return rig;
  }
  async open(address = "postgres://there"): Promise<void> {
    const note = (message: string) => void this.lines.push(message);
    this.spool = await Spool.open({
      folder: this.folder,
      max_bytes: this.max_bytes,
      address,
      log: { ...silentLog, info: note, warn: note, error: note },
      onDropped: (table, count) => this.dropped.set(table, (this.dropped.get(table) ?? 0) + count),
    });
  }
  /** As if the process had died: nothing is flushed or tidied up, only the host takes the lock back. */
  async crash(): Promise<void> {
    await this.spool.close();
  }
  /** Everything there is, in the order it would be loaded. */
  async drain(rows_at_once = 100): Promise<RowGroup[]> {
    const all: RowGroup[] = [];
    for (;;) {
      const taken = await this.spool.take(rows_at_once);
      if (!taken) return all;
      all.push(...taken.groups);
      await taken.loaded();
    }
  }
  files(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).filter((name) => name.includes("spool"))
      .sort();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.spool.close().catch(() => {});
    await Deno.remove(join(this.folder, ".."), { recursive: true });
  }
}

const group = (table: TableName, ...rows: string[]): RowGroup => ({
  table,
  rows: rows.map((row) => `${row}\n`).join(""),
  count: rows.length,
});
const linesOf = (groups: readonly RowGroup[], table: TableName) =>
  groups.filter((one) => one.table === table).flatMap(({ rows }) => rows.split("\n").slice(0, -1));

Deno.test("rows come back in order, once, also after a restart, and the files go", async () => {
  await using rig = await Rig.open();
  for (let i = 0; i < 50; i++) await rig.spool.append([group("trades", `t${i}`), group("quotes", `q${i}`)]);
  assert.equal(rig.spool.count, 100);
  const first = await rig.spool.take(10);
  assert.deepEqual(linesOf(first!.groups, "trades"), ["t0", "t1", "t2", "t3", "t4"]);
  await first!.loaded();
  await rig.crash();
  await rig.open();
  // What was loaded from an unfinished segment comes again: loading is idempotent.
  const rest = await rig.drain(7);
  assert.deepEqual(linesOf(rest, "trades"), Array.from({ length: 50 }, (_, i) => `t${i}`));
  assert.deepEqual(linesOf(rest, "quotes"), Array.from({ length: 50 }, (_, i) => `q${i}`));
  assert.ok(rig.spool.is_empty);
  assert.equal(rig.spool.count, 0);
  assert.deepEqual(rig.files(), []);
});

Deno.test("what could not be loaded comes again, before what came later", async () => {
  await using rig = await Rig.open();
  for (let i = 0; i < 5; i++) await rig.spool.append([group("trades", `t${i}`)]);
  const taken = await rig.spool.take(3);
  await taken!.again();
  await rig.spool.append([group("trades", "t5")]);
  assert.deepEqual(linesOf(await rig.drain(2), "trades"), ["t0", "t1", "t2", "t3", "t4", "t5"]);
});

Deno.test("a full spool gives up the oldest states first, then the oldest facts, and counts them", async () => {
  await using rig = await Rig.open(MIB);
  const wide = "x".repeat(10_000);
  for (let i = 0; i < 60; i++) {
    await rig.spool.append([group("trades", `t${i} ${wide}`), group("quotes", `q${i} ${wide}`)]);
  }
  assert.ok(rig.spool.bytes <= MIB, `${rig.spool.bytes} bytes`);
  assert.equal(rig.dropped.get("trades"), undefined, "no trade is lost while there is a quote");
  assert.ok(rig.dropped.get("quotes")! > 10);
  for (let i = 60; i < 150; i++) await rig.spool.append([group("trades", `t${i} ${wide}`)]);
  assert.ok(rig.spool.bytes <= MIB);
  assert.ok(rig.lines.some((line) => line.includes("full")));
  const all = await rig.drain();
  assert.deepEqual(linesOf(all, "quotes"), [], "every quote went before the first trade");
  const trades = linesOf(all, "trades").map((line) => Number(line.slice(1, line.indexOf(" "))));
  assert.equal(trades.length + rig.dropped.get("trades")!, 150);
  assert.deepEqual(trades, Array.from({ length: trades.length }, (_, i) => 150 - trades.length + i));
});

Deno.test("rows being loaded are not given up, and a batch larger than the spool is refused", async () => {
  await using rig = await Rig.open(MIB);
  await rig.spool.append([group("trades", "first")]);
  const taken = await rig.spool.take(1);
  await assert.rejects(
    rig.spool.append([group("trades", "x".repeat(2 * MIB))]),
    /append to spool ".*": \d+ bytes do not fit into spool.max_bytes, want more room/,
  );
  await taken!.loaded();
  assert.ok(rig.spool.is_empty);
});

Deno.test("a torn end is cut off; what was promised before it is there", async () => {
  const appended = 5;
  await using rig = await Rig.open();
  for (let i = 0; i < appended; i++) await rig.spool.append([group("trades", `trade ${i}`)]);
  await rig.crash();
  const path = join(rig.folder, rig.files()[0]);
  const whole = await Deno.readFile(path);
  const record = whole.length / appended;
  for (let cut = 1; cut < record; cut += is_long ? 1 : 5) {
    await Deno.writeFile(path, whole.subarray(0, whole.length - cut));
    await rig.open();
    const lines = linesOf((await rig.spool.take(100))!.groups, "trades");
    assert.deepEqual(lines, ["trade 0", "trade 1", "trade 2", "trade 3"], `cut ${cut}`);
    assert.ok(rig.lines.some((line) => line.includes("cut off")));
    await rig.spool.close();
  }
});

Deno.test("a changed byte is never read as a row; the file is set aside and told", async () => {
  const random = new Random("rot");
  for (let round = 0; round < (is_long ? 300 : 15); round++) {
    await using rig = await Rig.open();
    for (let i = 0; i < 10; i++) await rig.spool.append([group("trades", `trade ${i}`)]);
    await rig.crash();
    const path = join(rig.folder, rig.files()[0]);
    const bytes = await Deno.readFile(path);
    const record = bytes.length / 10;
    const at = random.integer(0, bytes.length - record - 1);
    bytes[at] ^= 1 << random.integer(0, 7);
    await Deno.writeFile(path, bytes);
    await rig.open();
    const lines = linesOf(await rig.drain(), "trades");
    const good = Math.floor(at / record);
    assert.deepEqual(lines, Array.from({ length: good }, (_, i) => `trade ${i}`), `byte ${at}`);
    const told = rig.lines.some((line) => line.includes("damaged") || line.includes("cut off"));
    assert.ok(told, `byte ${at}: nobody was told`);
  }
});

Deno.test("only the owner may read it; a second process and rows for another database are refused", async () => {
  await using rig = await Rig.open();
  await rig.spool.append([group("trades", "secret position")]);
  if (Deno.build.os !== "windows") {
    assert.equal(Deno.statSync(rig.folder).mode! & 0o777, 0o700);
    for (const { name } of Deno.readDirSync(rig.folder)) {
      assert.equal(Deno.statSync(join(rig.folder, name)).mode! & 0o077, 0, name);
    }
  }
  const { spool } = rig;
  await assert.rejects(
    rig.open(),
    (error) => error instanceof UserError && /another process/.test(error.message),
  );
  await spool.close();
  await assert.rejects(rig.open("postgres://elsewhere"), (error) => {
    assert.ok(error instanceof UserError);
    assert.match(
      error.message,
      /holds 1 rows for "postgres:\/\/there", want it for "postgres:\/\/elsewhere"/,
    );
    return true;
  });
  await rig.open();
  await rig.drain();
  await rig.spool.close();
  await rig.open("postgres://elsewhere");
});

Deno.test("a folder that can't be made is told at once", async () => {
  const file = await Deno.makeTempFile();
  const options = { max_bytes: MIB, address: "a", log: silentLog, onDropped() {} };
  await assert.rejects(
    Spool.open({ ...options, folder: join(file, "spool") }),
    /open spool ".*": .*, want a folder/,
  );
  await Deno.remove(file);
});
