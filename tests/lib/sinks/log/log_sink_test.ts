import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { type Log, silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { WriteRejected } from "../../../../lib/flow/delivery_target.ts";
import type { Trade } from "../../../../lib/market/event.ts";
import { log as log_sink } from "../../../../lib/sinks/log.ts";
import { LogSink } from "../../../../lib/sinks/log/log_sink.ts";
import { logFileName, parseLogFileName } from "../../../../lib/sinks/log/file_name.ts";
import { readLogFiles, readSet } from "./read_log_files.ts";

const HOUR_MS = 3_600_000;
/** 2024-08-08T12:00:00Z */
const START_MS = 1_723_118_400_000;

class Rig implements AsyncDisposable {
  readonly clock = new ManualClock(START_MS);
  readonly said: string[] = [];
  sink!: LogSink;
  #id = 0;
  private constructor(readonly directory: string, readonly config: Record<string, unknown>) {}

  static async open(config: Record<string, unknown> = {}): Promise<Rig> {
    const rig = new Rig(await Deno.makeTempDir({ prefix: "mdg-log-" }), config);
    await rig.start();
    return rig;
  }
  async start(): Promise<void> {
    const note = (message: string, fields: unknown) => void this.said.push(message + JSON.stringify(fields));
    const log: Log = { ...silentLog, info: note, warn: note, with: () => log };
    const config = log_sink.schema.parse({ directory: this.directory, ...this.config });
    const context = {
      name: "log",
      clock: this.clock,
      log,
      metrics: new Metrics(),
      seed: "test",
      writable() {},
    };
    this.sink = await LogSink.open(config, context);
  }
  async stop(): Promise<void> {
    await this.sink[Symbol.asyncDispose]();
  }
  /** Writes trades in one batch; returns their lines. */
  async trades(count: number, symbol = "BTCUSDT"): Promise<string[]> {
    const messages = Array.from({ length: count }, () => this.sink.encode(tradeOf(++this.#id, symbol))!);
    await this.sink.write(messages);
    return messages.map(({ line }) => line);
  }
  names(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name).filter((name) =>
      !name.startsWith(".")
    )
      .sort();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.directory, { recursive: true });
  }
}

function tradeOf(trade_id: number, symbol: string): Trade {
  return {
    kind: "trade",
    venue: "v",
    symbol,
    trade_id,
    price: 61_800.1,
    quantity: 0.5,
    aggressor: "buy",
    exchange_ms: START_MS,
    received_us: START_MS * 1_000,
  };
}

Deno.test("a file rotates before it outgrows its bound, and no line is lost or split", async () => {
  await using rig = await Rig.open({ max_file_bytes: 4_096, compress: "none" });
  const lines: string[] = [];
  for (const count of [1, 7, 400, 30]) lines.push(...await rig.trades(count));
  const files = await readLogFiles(rig.directory);
  assert.deepEqual(files.flatMap(([, lines]) => lines), lines);
  assert.ok(files.length > 5);
  for (const [name] of files) assert.ok(Deno.statSync(`${rig.directory}/${name}`).size <= 4_096);
});

Deno.test("files rotate at full hours, also when nothing comes, and not when the clock is set back", async () => {
  await using rig = await Rig.open({ compress: "none" });
  await rig.trades(1);
  rig.clock.advance(HOUR_MS / 2);
  await rig.trades(1);
  assert.equal(rig.names().length, 1);
  rig.clock.advance(HOUR_MS / 2);
  await rig.trades(1);
  assert.deepEqual(rig.names(), [
    "trades-BTCUSDT.20240808T120000.000Z.ndjson",
    "trades-BTCUSDT.20240808T130000.000Z.ndjson",
  ]);
  await rig.stop();
  // an hour earlier than the file that is gone on with
  const earlier = new ManualClock(START_MS);
  Object.assign(rig, { clock: earlier });
  await rig.start();
  await rig.trades(2);
  await rig.trades(2);
  assert.equal(rig.names().length, 2);
  assert.equal((await readSet(rig.directory, "trades-BTCUSDT")).length, 7);
});

for (const [compress, suffix] of [["gzip", ".gz"], ["zstd", ".zst"]]) {
  Deno.test(`rotated files become ${compress}, the newest stays plain, old ones go`, async () => {
    await using rig = await Rig.open({ max_file_bytes: 4_096, keep_files: 3, compress });
    const lines = await rig.trades(300);
    await rig.sink.archive.idle();
    const names = rig.names();
    assert.equal(names.length, 4);
    assert.ok(names.slice(0, 3).every((name) => name.endsWith(`.ndjson${suffix}`)), names.join());
    assert.ok(names[3].endsWith(".ndjson"));
    const kept = await readSet(rig.directory, "trades-BTCUSDT");
    assert.deepEqual(kept, lines.slice(-kept.length));
    assert.ok(kept.length > 60);
    const { mode } = Deno.statSync(`${rig.directory}/${names[0]}`);
    if (Deno.build.os !== "windows") assert.equal(mode! & 0o777, 0o640);
  });
}

Deno.test("after a crash: the torn line goes, half-made files go, the rest is gone on with", async () => {
  await using rig = await Rig.open({ compress: "gzip" });
  const first = await rig.trades(3);
  await rig.stop();
  const { directory } = rig;
  const name = (start_ms: number, compression?: "gzip") =>
    `${directory}/${logFileName("trades-BTCUSDT", start_ms, compression)}`;
  const active = name(START_MS);
  await Deno.writeTextFile(active, '{"symbol":"BTCUSDT","trade_id":4,"pri', { append: true });
  // rotated, but not compressed yet; compressed, but the plain one is not removed yet; half compressed
  await Deno.writeTextFile(name(START_MS - 3), '{"trade_id":-3}\n{"torn');
  await Deno.writeTextFile(name(START_MS - 2), '{"trade_id":-2}\n');
  await Deno.writeFile(name(START_MS - 2, "gzip"), await gzip('{"trade_id":-2}\n'));
  await Deno.writeTextFile(name(START_MS - 3, "gzip") + ".tmp", "half");
  await Deno.writeTextFile(`${directory}/notes.txt`, "mine");
  await rig.start();
  assert.match(rig.said[0], /torn last lines cut off.*"torn_files":2,"torn_bytes":43/);
  const later = await rig.trades(2);
  await rig.sink.archive.idle();
  assert.deepEqual(await readSet(directory, "trades-BTCUSDT"), [
    '{"trade_id":-3}',
    '{"trade_id":-2}',
    ...first,
    ...later,
  ]);
  const { names } = { names: rig.names() };
  assert.equal(names.filter((name) => name.endsWith(".gz")).length, 2);
  assert.equal(names.filter((name) => name.endsWith(".tmp")).length, 0);
  assert.ok(names.includes("notes.txt"), "what is not ours stays");
});

Deno.test("files of a symbol that is gone rotate, are compressed, and go like the others", async () => {
  await using rig = await Rig.open({ keep_files: 2 });
  for (let hour = 0; hour < 3; hour++) {
    await rig.trades(1, "OLD");
    rig.clock.advance(HOUR_MS);
  }
  await rig.stop();
  await rig.start();
  rig.clock.advance(HOUR_MS);
  await rig.trades(1);
  await rig.sink.archive.idle();
  assert.deepEqual(rig.names(), [
    "trades-BTCUSDT.20240808T160000.000Z.ndjson",
    "trades-OLD.20240808T130000.000Z.ndjson.gz",
    "trades-OLD.20240808T140000.000Z.ndjson.gz",
  ]);
});

Deno.test("a line that is torn over many blocks, or a file without any whole line", async () => {
  await using rig = await Rig.open({ compress: "none" });
  const lines = await rig.trades(2);
  await rig.stop();
  const [name] = rig.names();
  const path = `${rig.directory}/${name}`;
  await Deno.writeFile(path, new Uint8Array(200_000), { append: true });
  await rig.start();
  assert.deepEqual(await readSet(rig.directory, "trades-BTCUSDT"), lines);
  await rig.stop();
  await Deno.writeFile(path, new Uint8Array(200_000));
  await rig.start();
  const more = await rig.trades(1);
  assert.deepEqual(await readSet(rig.directory, "trades-BTCUSDT"), more);
});

Deno.test("a second writer in a directory is refused, and one after the first is not", async () => {
  await using rig = await Rig.open();
  const config = log_sink.schema.parse({ directory: rig.directory });
  const context = { ...rig.sink.context };
  await assert.rejects(
    LogSink.open(config, context),
    new RegExp(`open log directory ".*": process ${Deno.pid} writes to it, want one`),
  );
  await rig.stop();
  await rig.start();
});

Deno.test("a directory that cannot be had is one clear sentence", async () => {
  const file = await Deno.makeTempFile();
  const config = (directory: string) => log_sink.schema.parse({ directory });
  await using rig = await Rig.open();
  for (const directory of [file, `${file}/below`]) {
    await assert.rejects(
      LogSink.open(config(directory), rig.sink.context),
      /^UserError: open log directory ".*": a part of it is a file, want a directory$/,
    );
  }
  await Deno.remove(file);
});

Deno.test("one file that may not be written holds up itself, and says so", async () => {
  await using rig = await Rig.open({ compress: "none" });
  await Deno.mkdir(`${rig.directory}/${logFileName("trades-BAD", START_MS)}`);
  const messages = [1, 2, 3, 4].map((id) => rig.sink.encode(tradeOf(id, id % 2 ? "BAD" : "GOOD"))!);
  await assert.rejects(rig.sink.write(messages), (error) => {
    assert.ok(error instanceof WriteRejected);
    assert.deepEqual(error.retry, [0, 2]);
    return true;
  });
  assert.match(rig.sink.notReady()!, /^cannot write log files: /);
  assert.equal((await readSet(rig.directory, "trades-GOOD")).length, 2);
});

Deno.test("a directory taken away is made again", async () => {
  await using rig = await Rig.open({ compress: "none", max_file_bytes: 4_096 });
  await rig.trades(50);
  await Deno.remove(rig.directory, { recursive: true });
  await assert.rejects(rig.trades(50));
  rig.clock.advance(1_000);
  await rig.sink.write([]);
  assert.equal(rig.sink.notReady(), undefined);
  const lines = await rig.trades(10);
  assert.deepEqual((await readSet(rig.directory, "trades-BTCUSDT")).slice(-10), lines);
});

Deno.test("more instruments than files held open", async () => {
  await using rig = await Rig.open({ compress: "none" });
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 300; i++) await rig.trades(1, `S${i}`);
  }
  for (const symbol of ["S0", "S299"]) {
    assert.equal((await readSet(rig.directory, `trades-${symbol}`)).length, 2);
  }
});

Deno.test("symbols never share a file and never leave the directory", async () => {
  await using rig = await Rig.open({ compress: "none" });
  const symbols = ["BTC/USD", "BTC_USD", "../x", ".hidden", "a b", "é"];
  for (const symbol of symbols) await rig.trades(1, symbol);
  assert.deepEqual(
    rig.names().map((name) => parseLogFileName(name)?.set),
    [
      "trades-..%2Fx",
      "trades-.hidden",
      "trades-BTC%2FUSD",
      "trades-BTC_USD",
      "trades-a%20b",
      "trades-%C3%A9",
    ].sort(),
  );
  assert.throws(() => rig.sink.encode(tradeOf(1, "é".repeat(64))), /longer than 210 characters/);
});

Deno.test("names sort by time; others are none of ours", () => {
  const times = [0, 1, 999, 1_000, START_MS, START_MS + HOUR_MS, 253_402_300_799_999];
  const names = times.map((start_ms) => logFileName("a.b-c", start_ms));
  assert.deepEqual(names, names.toSorted());
  names.forEach((name, i) =>
    assert.deepEqual(parseLogFileName(name + ".zst"), {
      set: "a.b-c",
      start_ms: times[i],
      compression: "zstd",
      temporary: false,
    })
  );
  for (
    const name of [
      "a.ndjson",
      "notes.txt",
      "a.20240808T120000.000Z.ndjson.bz2",
      "a.20249999T120000.000Z.ndjson",
    ]
  ) {
    assert.equal(parseLogFileName(name), undefined, name);
  }
});

async function gzip(text: string): Promise<Uint8Array> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
