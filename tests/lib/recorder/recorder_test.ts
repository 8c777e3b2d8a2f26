/**
 * The recorder without a venue: segments that rotate and tie on to each other, certificates that the files bear out,
 * a recorder that dies, one that has no room, and what is kept.
 */
import assert from "node:assert/strict";
import { ManualClock, systemClock } from "../../../lib/base/clock.ts";
import { UserError } from "../../../lib/base/errors.ts";
import { knownSecrets } from "../../../lib/base/known_secrets.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { binanceFutures } from "../../../lib/feeds/binance/futures.ts";
import type { SourceTap } from "../../../lib/flow/frame_tap.ts";
import type { Certificate } from "../../../lib/formats/recording/certificate.ts";
import { openRecords } from "../../../lib/formats/recording/open_records.ts";
import { RECORD, RecordCursor } from "../../../lib/formats/recording/record.ts";
import { SegmentReader } from "../../../lib/formats/recording/read_segment.ts";
import { readThrough } from "../../../lib/formats/recording/read_through.ts";
import { certificateName, listSegments } from "../../../lib/formats/recording/segment_file.ts";
import { EventBatch } from "../../../lib/market/event_batch.ts";
import { Recorder, type RecorderOptions } from "../../../lib/recorder/recorder.ts";
import { until } from "../../end_to_end/until.ts";
import { inFolder } from "../../in_folder.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function open(directory: string, more: Partial<RecorderOptions> = {}): Promise<Recorder> {
  return Recorder.open({
    directory,
    segment_bytes: 1e9,
    segment_ms: 3_600_000,
    keep: {},
    on_full: "wait",
    max_queue_bytes: 16 * 1024 * 1024,
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    version: "test",
    ...more,
  });
}

class Feeder {
  readonly #tap: SourceTap;
  readonly connection: number;
  readonly #mapper = binanceFutures.createMapper();
  readonly #batch = new EventBatch();
  id = 0;

  constructor(recorder: Recorder, source = "live") {
    this.#tap = recorder.source({
      name: source,
      venue: "binance-futures",
      symbols: ["BTCUSDT"],
      channels: ["book"],
      legs: 1,
      sequence: binanceFutures.sequence,
    });
    const connection = {
      id: "live/public/1#1",
      url: "wss://user:pass@host/stream",
      leg: 0,
      symbols: ["BTCUSDT"],
      channels: ["book"],
    };
    this.connection = this.#tap.opened(connection, systemClock.now_us());
  }
  /** A delta that follows the last one, unless some are skipped. */
  delta(skipped = 0, padding = ""): void {
    const pu = this.id + skipped;
    this.id = pu + 1;
    const frame = bytesOf(
      `{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":${this.id},"u":${this.id},"pu":${pu},"b":[],"a":[]}}${padding}`,
    );
    const at_us = systemClock.now_us();
    this.#tap.received(this.connection, frame, false, at_us);
    this.#mapper.map(frame, at_us, this.#batch);
    this.#tap.mapped(this.connection, this.#batch, 0);
    this.#batch.clear();
    this.#tap.taken(at_us);
  }
  say(text: string): void {
    this.#tap.sent(this.connection, text, systemClock.now_us());
  }
}

async function certificates(directory: string): Promise<Certificate[]> {
  const names = await listSegments(directory);
  return await Promise.all(
    names.map(async (name) => JSON.parse(await Deno.readTextFile(`${directory}/${certificateName(name)}`))),
  );
}

Deno.test("segments rotate by size, tie on to each other, and their certificates are borne out by their files", () =>
  inFolder(async (folder) => {
    const recorder = await open(folder, { segment_bytes: 2_000 });
    const feeder = new Feeder(recorder);
    await until("three segments", async () => {
      for (let i = 0; i < 200; i++) feeder.delta();
      return (await listSegments(folder)).length >= 3;
    }, 20_000);
    await recorder[Symbol.asyncDispose]();
    const stated = await certificates(folder);
    let chain = "0".repeat(64);
    let after_id = 0;
    for (const [i, name] of (await listSegments(folder)).entries()) {
      const { certificate, broken_links, end } = await readThrough(`${folder}/${name}`, name);
      assert.deepEqual([broken_links.length, end.ended, certificate.previous], [0, true, chain]);
      const ended = i === stated.length - 1 ? "stopped" : "rotated";
      assert.deepEqual(stated[i], JSON.parse(JSON.stringify({ ...certificate, ended })));
      assert.equal(stated[i].complete, true);
      chain = certificate.chain;
      const [stream] = certificate.streams;
      if (stream === undefined) continue;
      assert.equal(stream.after_id, after_id);
      after_id = stream.last_id!;
    }
    assert.equal(after_id, feeder.id);
    assert.equal(stated.reduce((sum, one) => sum + one.received, 0), feeder.id);
  }));

Deno.test("sources that begin late, and after blocks without records, are found", () =>
  inFolder(async (folder) => {
    const clock = new ManualClock();
    const recorder = await open(folder, { clock });
    // Nothing came for two seconds: the segment begins with blocks that say so.
    clock.advance(2_000);
    for (const source of ["first", "second"]) {
      new Feeder(recorder, source).delta();
      clock.advance(1_000);
    }
    await recorder[Symbol.asyncDispose]();
    const found = async () => (await (await openRecords(folder)).sources()).map(({ source }) => source);
    assert.deepEqual(await found(), ["first", "second"]);
    const [name] = await listSegments(folder);
    await Deno.writeTextFile(`${folder}/${certificateName(name)}`, "no JSON");
    assert.deepEqual(await found(), ["first", "second"]);
    // As a recorder leaves it that lives or was killed.
    await Deno.remove(`${folder}/${certificateName(name)}`);
    assert.deepEqual(await found(), ["first", "second"]);
    const { index } = await readThrough(`${folder}/${name}`, name);
    assert.equal(index[0].at(-1), 0, "the first block holds records: nothing was shown");
  }));

Deno.test("a dropped frame is named: symbol, ids, connection, time", () =>
  inFolder(async (folder) => {
    const recorder = await open(folder);
    const feeder = new Feeder(recorder);
    for (let i = 0; i < 10; i++) feeder.delta();
    feeder.delta(2);
    await recorder[Symbol.asyncDispose]();
    const [{ streams: [stream], complete }] = await certificates(folder);
    assert.equal(complete, false);
    const [{ after_id, before_id, connection, at_us }] = stream.gaps;
    assert.deepEqual([stream.symbol, after_id, before_id, connection], [
      "BTCUSDT",
      10,
      13,
      feeder.connection,
    ]);
    assert.ok(at_us > 1e15);
  }));

Deno.test("a recorder that died: the next one keeps what is whole, says so, and ties on", () =>
  inFolder(async (folder) => {
    const first = await open(folder);
    const feeder = new Feeder(first);
    for (let i = 0; i < 50; i++) feeder.delta();
    await first[Symbol.asyncDispose]();
    const [name] = await listSegments(folder);
    await Deno.remove(`${folder}/${certificateName(name)}`);
    const { size } = await Deno.stat(`${folder}/${name}`);
    await Deno.truncate(`${folder}/${name}`, size - 400);
    await Deno.writeFile(`${folder}/${name}`, new Uint8Array(10), { append: true });
    const second = await open(folder);
    new Feeder(second).delta();
    await second[Symbol.asyncDispose]();
    const [killed, stopped] = await certificates(folder);
    assert.deepEqual([killed.ended, killed.complete, killed.torn_bytes > 0], ["killed", false, true]);
    assert.deepEqual([stopped.ended, stopped.segment, stopped.recording], ["stopped", 2, killed.recording]);
    assert.equal(stopped.previous, killed.chain);
    const { end } = await readThrough(`${folder}/${name}`, name);
    assert.deepEqual([end.ended, end.torn], [true, undefined]);
  }));

Deno.test("no room: frames are dropped, counted, and named in the certificate with when and why", () =>
  inFolder(async (folder) => {
    const metrics = new Metrics();
    const recorder = await open(folder, { max_queue_bytes: 4 * 1024 * 1024, metrics });
    const feeder = new Feeder(recorder);
    // Without a turn of the event loop no buffer comes back.
    const padding = " ".repeat(10_000);
    for (let i = 0; i < 1_000; i++) feeder.delta(0, padding);
    const lost = metrics.counter("record_lost_frames_total", "").with().value;
    assert.ok(lost > 300, `${lost} lost`);
    const lostNow = () => metrics.counter("record_lost_frames_total", "").with().value;
    await until("room again", () => {
      const before = lostNow();
      feeder.delta();
      return lostNow() === before;
    }, 5_000);
    await recorder[Symbol.asyncDispose]();
    const [{ losses, complete, received }] = await certificates(folder);
    assert.equal(complete, false);
    assert.equal(losses.length, 1);
    assert.ok(losses[0].frames >= lost && losses[0].bytes > 3_000_000);
    assert.match(losses[0].why, /too slow/);
    assert.ok(BigInt(losses[0].from_ns) < BigInt(losses[0].to_ns));
    assert.ok(received + lost >= 1_000 && received < 1_010);
  }));

Deno.test("what is kept: so many segments, the oldest go with their certificates", () =>
  inFolder(async (folder) => {
    const recorder = await open(folder, { segment_bytes: 2_000, keep: { segments: 2 } });
    const feeder = new Feeder(recorder);
    await until("five segments to have been there", async () => {
      for (let i = 0; i < 200; i++) feeder.delta();
      const [first] = await listSegments(folder);
      return first !== undefined && Number(first.slice(0, 8)) >= 4;
    }, 20_000);
    await recorder[Symbol.asyncDispose]();
    const names = await listSegments(folder);
    assert.ok(names.length <= 2, names.join(" "));
    const all = [...Deno.readDirSync(folder)].map((one) => one.name).filter((name) => name.endsWith(".json"));
    assert.deepEqual(all.sort(), names.map(certificateName).sort());
  }));

Deno.test("secrets in what we say, and in addresses, are not recorded", () =>
  inFolder(async (folder) => {
    knownSecrets.add("a-token-of-tiingo");
    const recorder = await open(folder);
    const feeder = new Feeder(recorder);
    feeder.say('{"authorization":"a-token-of-tiingo"}');
    await recorder[Symbol.asyncDispose]();
    const [name] = await listSegments(folder);
    const reader = await SegmentReader.open(`${folder}/${name}`);
    let all = "";
    let sent = 0;
    for await (const { bytes } of reader.blocks()) {
      const cursor = new RecordCursor(bytes);
      while (cursor.next()) {
        if (cursor.kind === RECORD.sent) sent++;
        all += new TextDecoder().decode(cursor.payload);
      }
    }
    reader.close();
    assert.equal(sent, 1);
    assert.doesNotMatch(all, /a-token-of-tiingo|user:pass/);
  }));

Deno.test("one recorder a folder, and a folder that can't be had, are told", () =>
  inFolder(async (folder) => {
    const recorder = await open(folder);
    await assert.rejects(
      open(folder),
      (error) => error instanceof UserError && /writes to it/.test(error.message),
    );
    await recorder[Symbol.asyncDispose]();
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(open(`${folder}/file`), UserError);
  }));
