/**
 * Captures as they come: plain, gzip, gzip in pieces, torn, with foreign line ends, bad lines and lines without end; and
 * `verify` on invented ones, on spoiled ones, and on the recorded ones where they are at hand.
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { UserError } from "../../../../lib/base/errors.ts";
import { binanceFutures } from "../../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../../lib/feeds/binance/spot.ts";
import { type CaptureEnd, readCapture } from "../../../../lib/formats/read_capture.ts";
import { recogniseVenue } from "../../../../lib/sources/capture/recognise_venue.ts";
import { type CaptureReport, verifyCapture } from "../../../../lib/sources/capture/verify_capture.ts";
import { captureTest } from "../../../services.ts";

const FEEDS = [binanceFutures, binanceSpot];
const fixture = (name: string) =>
  new URL(`../../../../fixtures/feeds/${name}/capture.ndjson`, import.meta.url);

async function withFile<T>(content: string | Uint8Array, body: (path: string) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile({ prefix: "mdg-capture-" });
  try {
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    return await body(path);
  } finally {
    await Deno.remove(path);
  }
}
function read(
  content: string | Uint8Array,
  signal?: AbortSignal,
): Promise<{ end: CaptureEnd; frames: [number, string][] }> {
  const frames: [number, string][] = [];
  return withFile(content, async (path) => {
    const end = await readCapture(path, (bytes, start, stop, received_us) => {
      frames.push([received_us, new TextDecoder().decode(bytes.subarray(start, stop))]);
    }, signal);
    return { end, frames };
  });
}
const LINES = '1793628600003161535 {"a":1}\n1793628600003162000 {"b":"x y"}\n';
const WANT = [[1793628600003161.5, '{"a":1}'], [1793628600003162, '{"b":"x y"}']];

Deno.test("plain, without a last line end, with CRLF, with empty lines: the same frames", async () => {
  for (
    const text of [LINES, LINES.trimEnd(), LINES.replaceAll("\n", "\r\n"), LINES.replaceAll("\n", "\n\n\r\n")]
  ) {
    const { end, frames } = await read(text);
    assert.deepEqual(frames, WANT);
    assert.deepEqual(end, { lines: 2, bad_lines: 0 });
  }
});

Deno.test("gzip, in one member or several, split anywhere", async () => {
  const halves = [LINES.slice(0, 35), LINES.slice(35)].map((part) => gzipSync(part));
  for (const bytes of [gzipSync(LINES), Uint8Array.from([...halves[0], ...halves[1]])]) {
    const { end, frames } = await read(bytes);
    assert.deepEqual(frames, WANT);
    assert.deepEqual(end, { lines: 2, bad_lines: 0 });
  }
});

Deno.test("lines over the edge of a chunk are whole, in any chunk", async () => {
  const count = 40_000;
  const text = Array.from(
    { length: count },
    (_, i) => `${1_793_628_600_000_000_000n + BigInt(i)} {"n":${i},"pad":"${"x".repeat(i % 90)}"}`,
  )
    .join("\n");
  for (const content of [text, gzipSync(text)]) {
    const { end, frames } = await read(content);
    assert.equal(end.lines, count);
    assert.ok(frames.every(([, frame], i) => JSON.parse(frame).n === i));
  }
});

Deno.test("a torn gzip gives what is whole and says that it is torn", async () => {
  const text = Array.from({ length: 5_000 }, (_, i) => `1793628600003161535 {"n":${i * 7919 % 5_000}}`).join(
    "\n",
  );
  const whole = gzipSync(text);
  const { end, frames } = await read(whole.subarray(0, whole.length - 2_000));
  assert.match(end.torn!, /unexpected end/);
  assert.ok(frames.length > 100 && frames.length < 5_000, `${frames.length} frames`);
  frames.forEach(([, frame], i) => assert.equal(JSON.parse(frame).n, i * 7919 % 5_000));
  assert.ok(end.bad_lines <= 1);
});

Deno.test("damaged gzip is torn where the damage is, not an exception", async () => {
  const bytes = gzipSync(LINES.repeat(1_000));
  bytes[bytes.length >> 1] ^= 0xff;
  assert.ok((await read(bytes)).end.torn);
});

Deno.test("lines without a time are skipped and counted", async () => {
  const bad = ["{}", " {}", "12x4 {}", "-5 {}", "1.5 {}", "5", "text"].join("\n");
  const { end, frames } = await read(`${bad}\n${LINES}`);
  assert.deepEqual(frames, WANT);
  assert.deepEqual([end.lines, end.bad_lines], [9, 7]);
});

Deno.test("a line without end stops the reading and holds no more than its bound", async () => {
  const bytes = new Uint8Array(18 * 1024 * 1024).fill(120);
  new TextEncoder().encodeInto(LINES, bytes);
  const { end, frames } = await read(bytes);
  assert.deepEqual(frames, WANT);
  assert.match(end.torn!, /more than 16777216 bytes/);
});

Deno.test("an aborted reading stops and closes its file", async () => {
  const abort = new AbortController();
  const text = LINES.repeat(100_000);
  for (const content of [text, gzipSync(text, { level: 1 })]) {
    await withFile(content, async (path) => {
      let frames = 0;
      await readCapture(path, () => {
        if (++frames === 10) abort.abort();
      }, abort.signal);
      assert.ok(frames < 200_000, `${frames} frames`);
      assert.equal(isOpen(path), false);
    });
  }
});

Deno.test("what cannot be read is a UserError with the path", async () => {
  const nowhere = readCapture("/nowhere/at/all.gz", () => {});
  await assert.rejects(
    nowhere,
    (error) => error instanceof UserError && /"\/nowhere\/at\/all.gz": no such file/.test(error.message),
  );
  await assert.rejects(readCapture(Deno.cwd(), () => {}), UserError);
  await assert.rejects(withFile("", (path) => verifyCapture(path, binanceSpot)), /no lines/);
});

Deno.test("the venue of a capture is recognised, and of none not", async () => {
  for (const feed of FEEDS) assert.equal(await recogniseVenue(fixture(feed.name).pathname, FEEDS), feed.name);
  assert.equal(await withFile(LINES, (path) => recogniseVenue(path, FEEDS)), undefined);
});

/** Whether this process has the file open, as the kernel tells; never where it does not. */
function isOpen(path: string): boolean {
  if (Deno.build.os !== "linux") return false;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) return true;
    } catch {
      // closed since the folder was read
    }
  }
  return false;
}

const linesOf = async (name: string) => (await Deno.readTextFile(fixture(name))).trimEnd().split("\n");
const isDepth = (line: string) => line.includes('"depthUpdate"');

Deno.test("verify: an invented capture is whole and agrees with its quotes", async () => {
  for (const feed of FEEDS) {
    const report = await verifyCapture(fixture(feed.name).pathname, feed);
    assert.deepEqual([report.ok, report.gaps, report.resyncs, report.differed, report.malformed], [
      true,
      0,
      0,
      0,
      0,
    ]);
    assert.equal(report.snapshots, 1);
    assert.equal(report.depth_updates, 320);
    assert.ok(report.compared > 250 && report.equal === report.compared, `${report.compared} compared`);
    const [book] = report.books;
    assert.equal(book.in_sync, true);
    assert.deepEqual([book.bids.length, book.asks.length], [20, 20]);
  }
});

Deno.test("verify: one lost depth line is a gap, and not ok", async () => {
  for (const feed of FEEDS) {
    const lines = await linesOf(feed.name);
    const lost = lines.findIndex((line, at) => at > 200 && isDepth(line));
    const spoiled = lines.toSpliced(lost, 1).join("\n");
    const report = await withFile(spoiled, (path) => verifyCapture(path, feed));
    assert.deepEqual([report.ok, report.gaps], [false, 1]);
    assert.equal(report.books[0].in_sync, false);
  }
});

Deno.test("verify: changed quotes are differences, the first is named, and not ok", async () => {
  for (const feed of FEEDS) {
    const lines = await linesOf(feed.name);
    const spoiled = lines.map((line, at) =>
      at > 300 && line.includes("bookTicker") ? line.replace(/"B":"[^"]*"/, '"B":"123456"') : line
    );
    const report = await withFile(spoiled.join("\n"), (path) => verifyCapture(path, feed));
    assert.equal(report.ok, false);
    assert.equal(report.books[0].book_ticker.first_difference?.venue[1], 123456);
  }
});

Deno.test("verify: garbage between the lines is counted and changes nothing else", async () => {
  for (const feed of FEEDS) {
    const lines = await linesOf(feed.name);
    const clean = await verifyCapture(fixture(feed.name).pathname, feed);
    const garbage = ["no time", '1793628600000000000 {"e":"depthUpdate"', "1793628600000000000 \\x00"];
    const mixed = lines.flatMap((line, at) => at % 100 === 0 ? [line, ...garbage] : [line]);
    const report = await withFile(mixed.join("\n"), (path) => verifyCapture(path, feed));
    assert.equal(report.ok, true);
    assert.equal(report.malformed, 3 * Math.ceil(lines.length / 100));
    assert.equal(report.books[0].sha256, clean.books[0].sha256);
  }
});

Deno.test("verify: two symbols in one capture, each with its own snapshot", async () => {
  for (const feed of FEEDS) {
    const lines = await linesOf(feed.name);
    // Another symbol with ids of its own, far above.
    const other = lines.map((line) =>
      line.replaceAll("BTCUSDT", "ETHUSDT").replaceAll("btcusdt", "ethusdt")
        .replace(/"(U|u|pu|lastUpdateId)":9/g, '"$1":19').replace(/"pu":9/, '"pu":19')
    );
    const single = (await verifyCapture(fixture(feed.name).pathname, feed)).books[0];
    for (const [one, two] of [[lines, other], [other, lines]]) {
      const both = one.flatMap((line, at) => [line, two[at]]);
      const report = await withFile(both.join("\n"), (path) => verifyCapture(path, feed));
      assert.deepEqual([report.ok, report.gaps, report.snapshots], [true, 0, 2]);
      assert.deepEqual(report.books.map((book) => book.symbol).sort(), ["BTCUSDT", "ETHUSDT"]);
      for (const book of report.books) assert.equal(book.sha256, single.sha256);
    }
  }
});

const RECORDED = [
  {
    feed: binanceFutures,
    frames: 93_954,
    compared: 6_545,
    sha256: "d1144f08e8ac845c0a2bf60186123e0d923366e40becdcb47c8e36b22123e8e7",
  },
  {
    feed: binanceSpot,
    frames: 41_249,
    compared: 3_449,
    sha256: "873ea7f2339144f67b327ec509ac2efe716310f95d9ad6196b44734b3118d2f8",
  },
];
for (const { feed, frames, compared, sha256 } of RECORDED) {
  captureTest(
    `verify: the recorded ${feed.name} capture has no gap and equals every comparable quote`,
    async (folder) => {
      const path = `${folder}/${feed.name}_btcusdt_20240808.gz`;
      assert.equal(await recogniseVenue(path, FEEDS), feed.name);
      const report: CaptureReport = await verifyCapture(path, feed);
      const { ok, gaps, resyncs, differed, malformed, unknown } = report;
      assert.deepEqual({ ok, gaps, resyncs, differed, malformed, unknown }, {
        ok: true,
        ...{ gaps: 0, resyncs: 0, differed: 0, malformed: 0, unknown: 0 },
      });
      // The hash was confirmed by an independent model of the same capture, written in another language.
      assert.deepEqual([report.frames, report.compared, report.equal], [frames, compared, compared]);
      assert.equal(report.books[0].sha256, sha256);
    },
  );
}
