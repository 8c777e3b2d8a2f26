/**
 * Segments: what was written comes back to the nanosecond; a file torn or damaged anywhere gives its whole blocks and
 * says where it ends; blocks that change places are found by the chain.
 */
import assert from "node:assert/strict";
import { inFolder } from "../../../in_folder.ts";
import { Random } from "../../../../lib/base/random.ts";
import { SegmentSummary } from "../../../../lib/formats/recording/certificate.ts";
import { recordingLines } from "../../../../lib/formats/recording/lines.ts";
import { RECORD, RecordBuffer, RecordCursor } from "../../../../lib/formats/recording/record.ts";
import { SegmentReader } from "../../../../lib/formats/recording/read_segment.ts";
import { readThrough } from "../../../../lib/formats/recording/read_through.ts";
import { NO_CHAIN, segmentName, segmentNumber } from "../../../../lib/formats/recording/segment_file.ts";
import { SegmentWriter } from "../../../../lib/formats/recording/write_segment.ts";

const HEAD = {
  recording: "r",
  segment: 1,
  previous: NO_CHAIN,
  created: "2026-11-30T00:00:00.000Z",
  mdg: "test",
};
const NAME = segmentName(1, 1_796_000_000_000);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const BLOCKS = 5;
const RECORDS = 40;

/** Five blocks of forty frames, some of them binary. Returns the offsets of the blocks and the end of the last. */
function writeSegment(path: string, ends = true): number[] {
  const writer = new SegmentWriter(path, HEAD);
  const offsets: number[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const buffer = new RecordBuffer(64 * 1024);
    for (let i = 0; i < RECORDS; i++) {
      const n = block * RECORDS + i;
      const kind = n % 10 === 9 ? RECORD.received_binary : RECORD.received_text;
      assert.ok(
        buffer.appendAt(kind, 1 + n % 3, 1_796_000_000 + block, 999_999_000 + i, bytesOf(`{"n":${n}}`)),
      );
    }
    offsets.push(writer.bytes);
    writer.append(buffer);
  }
  offsets.push(writer.bytes);
  if (ends) writer.end();
  else writer.abandon();
  return offsets;
}

async function read(path: string) {
  const reader = await SegmentReader.open(path);
  const frames: string[] = [];
  for await (const { bytes } of reader.blocks()) {
    const cursor = new RecordCursor(bytes);
    while (cursor.next()) {
      frames.push(
        `${cursor.seconds}.${cursor.nanoseconds} ${cursor.connection} ${
          new TextDecoder().decode(cursor.payload)
        }`,
      );
    }
    assert.equal(cursor.broken, false);
  }
  reader.close();
  return { frames, end: reader.end, broken_links: reader.broken_links };
}

Deno.test("frames come back as they were, to the nanosecond", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${NAME}`;
    writeSegment(path);
    const { frames, end, broken_links } = await read(path);
    assert.equal(frames.length, BLOCKS * RECORDS);
    assert.equal(frames[0], '1796000000.999999000 1 {"n":0}');
    assert.equal(frames.at(-1), '1796000004.999999039 2 {"n":199}');
    assert.deepEqual([end.ended, end.torn_bytes, end.torn, broken_links.length], [true, 0, undefined, 0]);
  }));

Deno.test("a time of our clock comes back bit by bit", () => {
  const buffer = new RecordBuffer(1_024);
  const times = [
    1_796_001_524_411_594.25,
    1_796_001_524_999_999.75,
    1_796_001_525_000_000,
    1_723_161_255_030_314.5,
  ];
  for (const at_us of times) buffer.append(RECORD.received_text, 1, at_us, bytesOf("x"));
  const cursor = new RecordCursor(buffer.bytes.subarray(0, buffer.length));
  for (const at_us of times) {
    assert.ok(cursor.next());
    assert.equal(cursor.at_us, at_us);
  }
});

Deno.test("torn at any place: the whole blocks before it, and where it is torn", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${NAME}`;
    const offsets = writeSegment(path, false);
    const whole = await Deno.readFile(path);
    const random = new Random("torn");
    for (let i = 0; i < 60; i++) {
      const length = random.integer(offsets[0], whole.length);
      await Deno.writeFile(path, whole.subarray(0, length));
      const { frames, end } = await read(path);
      const blocks = offsets.filter((offset, at) => at > 0 && offset <= length).length;
      assert.equal(frames.length, blocks * RECORDS, `cut at ${length}`);
      assert.deepEqual([end.whole_bytes, end.torn_bytes], [offsets[blocks], length - offsets[blocks]]);
      assert.equal(end.torn === undefined, end.torn_bytes === 0);
      assert.equal(end.ended, false);
    }
  }));

Deno.test("a turned bit anywhere in the blocks is found, and reading never throws", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${NAME}`;
    const offsets = writeSegment(path);
    const whole = await Deno.readFile(path);
    const random = new Random("bits");
    for (let i = 0; i < 150; i++) {
      const at = random.integer(offsets[0], offsets.at(-1)! - 1);
      const damaged = whole.slice();
      damaged[at] ^= 1 << random.integer(0, 7);
      await Deno.writeFile(path, damaged);
      const { frames, end, broken_links } = await read(path);
      const is_found = end.torn !== undefined || broken_links.length > 0;
      assert.ok(is_found && frames.length <= BLOCKS * RECORDS, `bit turned at ${at}`);
    }
  }));

Deno.test("blocks that changed places break the chain", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${NAME}`;
    const offsets = writeSegment(path);
    const whole = await Deno.readFile(path);
    const part = (i: number) => whole.subarray(offsets[i], offsets[i + 1]);
    const swapped = [whole.subarray(0, offsets[0]), part(1), part(0), ...[2, 3, 4].map(part)];
    await Deno.writeFile(path, Uint8Array.from(swapped.flatMap((one) => [...one])));
    const { broken_links, frames } = await read(path);
    assert.equal(frames.length, BLOCKS * RECORDS);
    assert.ok(broken_links.length >= 2);
  }));

Deno.test("the index leads to the block of a time", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${NAME}`;
    writeSegment(path);
    const reader = await SegmentReader.open(path);
    await reader.seek(1_796_000_003, 0);
    const first: number[] = [];
    for await (const { head } of reader.blocks()) first.push(head.first_s);
    reader.close();
    assert.deepEqual(first, [1_796_000_002, 1_796_000_003, 1_796_000_004]);
  }));

Deno.test("what a segment says of itself is the same from its blocks as when it was counted", () =>
  inFolder(async (folder) => {
    writeSegment(`${folder}/${NAME}`);
    const { certificate, end } = await readThrough(`${folder}/${NAME}`, NAME);
    assert.equal(certificate.received, BLOCKS * RECORDS);
    assert.equal(certificate.chain, end.chain);
    assert.deepEqual([certificate.first_ns, certificate.last_ns], [
      "1796000000999999000",
      "1796000004999999039",
    ]);
    assert.deepEqual(new SegmentSummary().content().streams, []);
  }));

Deno.test("the plain form: text frames with their times, line ends inside become spaces", () =>
  inFolder(async (folder) => {
    const path = `${folder}/${NAME}`;
    const writer = new SegmentWriter(path, HEAD);
    const buffer = new RecordBuffer(4_096);
    buffer.appendAt(RECORD.received_text, 1, 1_796_000_000, 7, bytesOf('{"a":\n1}'));
    buffer.appendAt(RECORD.sent, 1, 1_796_000_000, 8, bytesOf("ping"));
    buffer.appendAt(RECORD.received_binary, 1, 1_796_000_000, 9, bytesOf("\u0000"));
    buffer.appendAt(RECORD.received_text, 1, 1_796_000_000, 10, bytesOf("é"));
    writer.append(buffer);
    writer.end();
    let text = "";
    for await (const piece of recordingLines(path)) text += new TextDecoder().decode(piece);
    assert.equal(text, '1796000000000000007 {"a": 1}\n1796000000000000010 é\n');
  }));

Deno.test("names of segments sort by number, whatever the clock did", () => {
  assert.equal(segmentNumber(NAME), 1);
  assert.equal(segmentNumber("00000001-20261130T010141.000Z.certificate.json"), undefined);
  assert.equal(segmentNumber("notes.mdgr"), undefined);
});
