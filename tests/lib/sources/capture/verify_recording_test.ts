/**
 * `verify` on recordings that were tampered with: a frame taken out, with and without forged certificates; a changed
 * certificate; a segment taken away; a torn end. Each is found and named.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { FEEDS } from "../../../../lib/gateway/catalog.ts";
import {
  RECORD,
  RecordBuffer,
  RecordCursor,
  type RecordKind,
} from "../../../../lib/formats/recording/record.ts";
import { SegmentReader } from "../../../../lib/formats/recording/read_segment.ts";
import { certificateName, listSegments } from "../../../../lib/formats/recording/segment_file.ts";
import { SegmentWriter } from "../../../../lib/formats/recording/write_segment.ts";
import { convertCapture } from "../../../../lib/recorder/convert_capture.ts";
import { verifyRecording } from "../../../../lib/sources/capture/verify_recording.ts";
import { path as inRepository } from "../../../mdg_process.ts";
import { inFolder } from "../../../in_folder.ts";

const CAPTURE = inRepository("fixtures/feeds/binance-futures/capture.ndjson");
const never = new AbortController().signal;
const context = () => ({
  name: "verify",
  clock: systemClock,
  log: silentLog,
  metrics: new Metrics(),
  seed: "verify",
  feeds: FEEDS,
});
const verify = (path: string) => verifyRecording(path, context(), never);

async function convert(capture: string, directory: string, segment_bytes = 40_000) {
  return await convertCapture(capture, FEEDS["binance-futures"], {
    directory,
    segment_bytes,
    segment_ms: 1e9,
    keep: {},
    on_full: "wait",
    max_queue_bytes: 1e8,
    clock: systemClock,
    log: silentLog,
    version: "test",
  }, never);
}

/** Writes a segment anew without the frames that `drop` picks; the chain is right again, the certificate stays. */
async function rewrite(path: string, drop: (text: string, n: number) => boolean): Promise<void> {
  const reader = await SegmentReader.open(path);
  const copy = `${path}.copy`;
  const writer = new SegmentWriter(copy, reader.head);
  let n = 0;
  for await (const { bytes } of reader.blocks()) {
    const buffer = new RecordBuffer(bytes.length + 1);
    const cursor = new RecordCursor(bytes);
    while (cursor.next()) {
      const is_frame = cursor.kind === RECORD.received_text;
      if (is_frame && drop(new TextDecoder().decode(cursor.payload), n++)) continue;
      const { kind, connection, seconds, nanoseconds, payload } = cursor;
      buffer.appendAt(kind as RecordKind, connection, seconds, nanoseconds, payload);
    }
    writer.append(buffer);
  }
  reader.close();
  writer.end();
  await Deno.rename(copy, path);
}

Deno.test("a capture turned into a recording is the capture: ok, same books, same frames", () =>
  inFolder(async (folder) => {
    const converted = await convert(CAPTURE, folder);
    assert.ok(converted.segments >= 1 && converted.frames > 1_000);
    const report = await verify(folder);
    assert.deepEqual([report.ok, report.intact, report.complete, report.gaps.length], [true, true, true, 0]);
    assert.equal(report.received, converted.frames);
    const [book] = report.sources[0].books;
    assert.equal(book.in_sync, true);
    assert.ok(report.sources[0].compared > 50 && report.sources[0].differed === 0);
  }));

Deno.test("a frame taken out of a recording contradicts the certificate, and the gap is named", () =>
  inFolder(async (folder) => {
    await convert(CAPTURE, folder);
    const [name] = await listSegments(folder);
    let dropped: { u: number; pu: number } | undefined;
    await rewrite(`${folder}/${name}`, (text, n) => {
      if (n < 300 || dropped || !text.includes('"depthUpdate"')) return false;
      dropped = JSON.parse(text).data;
      return true;
    });
    const { intact, ok, segments: [{ problems }] } = await verify(folder);
    assert.deepEqual([intact, ok], [false, false]);
    assert.ok(
      problems.some((one) => one.includes('contradicts the segment in "chain"')),
      problems.join("\n"),
    );
    const named = problems.find((one) => one.includes("frames are missing, untold"));
    assert.match(named!, new RegExp(`BTCUSDT book: between ids ${dropped!.pu} and ${dropped!.u + 1} `));
  }));

Deno.test("a frame that was never recorded is a named gap in certificate and report", () =>
  inFolder(async (folder) => {
    const lines = (await Deno.readTextFile(CAPTURE)).split("\n");
    const at = lines.findIndex((line, i) => i > 300 && line.includes('"depthUpdate"'));
    const { data } = JSON.parse(lines[at].slice(lines[at].indexOf(" ")));
    await Deno.writeTextFile(`${folder}/capture`, lines.toSpliced(at, 1).join("\n"));
    await convert(`${folder}/capture`, `${folder}/out`);
    const { intact, complete, ok, gaps } = await verify(`${folder}/out`);
    assert.deepEqual([intact, complete, ok], [true, false, false]);
    assert.equal(gaps.length, 1);
    const { source, symbol, stream, after_id, before_id } = gaps[0];
    assert.deepEqual([source, symbol, stream, after_id, before_id], [
      "binance-futures",
      "BTCUSDT",
      "book",
      data.pu,
      data.u + 1,
    ]);
  }));

Deno.test("a frame without ids of its own is missed by the counts", () =>
  inFolder(async (folder) => {
    await convert(CAPTURE, folder);
    const [name] = await listSegments(folder);
    let is_dropped = false;
    await rewrite(`${folder}/${name}`, (text) => {
      if (is_dropped || !text.includes("bookTicker")) return false;
      return is_dropped = true;
    });
    const { segments: [{ problems }] } = await verify(folder);
    assert.ok(
      problems.some((one) => /BTCUSDT quote: the certificate tells of \d+ events/.test(one)),
      problems.join("\n"),
    );
  }));

Deno.test("a changed certificate, a missing segment, a torn end, a missing certificate", () =>
  inFolder(async (folder) => {
    await convert(CAPTURE, folder, 5_000);
    const names = await listSegments(folder);
    if (names.length < 3) {
      for (let i = names.length; i < 3; i++) await convert(CAPTURE, folder);
      names.splice(0, names.length, ...await listSegments(folder));
    }
    const path = `${folder}/${certificateName(names[0])}`;
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(/"received": \d+/, '"received": 1'));
    assert.match(
      (await verify(folder)).segments[0].problems[0],
      /contradicts the segment in "received" \(1, /,
    );
    await Deno.writeTextFile(path, text);

    const last = `${folder}/${names.at(-1)}`;
    const { size } = await Deno.stat(last);
    await Deno.truncate(last, size - 1_500);
    const torn = await verify(folder);
    assert.equal(torn.intact, false);
    assert.ok(torn.segments.at(-1)!.problems.length > 0);
    await Deno.remove(`${folder}/${certificateName(names.at(-1)!)}`);
    const unfinished = await verify(folder);
    assert.deepEqual([unfinished.segments.at(-1)!.ended, unfinished.complete], ["no certificate", false]);
    assert.deepEqual(unfinished.segments.at(-1)!.problems, []);

    await Deno.remove(`${folder}/${names[1]}`);
    const pause = (await verify(folder)).pauses.find((one) => one.after_segment === 1);
    assert.equal(pause?.before_segment, 3);
  }));
