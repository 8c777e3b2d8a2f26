/**
 * A recording of any length takes bounded memory, to play and to verify: a generated one of 128 MB here, of 10 GB with
 * `--long`. The process's own resident memory is watched from outside.
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { Random } from "../../lib/base/random.ts";
import { nanosecondsText } from "../../lib/formats/recording/block.ts";
import type { Mark } from "../../lib/formats/recording/mark.ts";
import { RECORD, RecordBuffer } from "../../lib/formats/recording/record.ts";
import { SegmentSummary } from "../../lib/formats/recording/certificate.ts";
import { SegmentStore } from "../../lib/recorder/segment_store.ts";
import { inFolder } from "../in_folder.ts";
import { is_long } from "../services.ts";
import { DaemonProcess } from "./daemon_process.ts";

const TOTAL_BYTES = is_long ? 10e9 : 128e6;
const MAX_RSS_BYTES = 400e6;
const BLOCK_BYTES = 1024 * 1024;
const SEGMENT_BLOCKS = 1_000;
const encoder = new TextEncoder();

/** Quotes and trades of twenty symbols with rising ids; returns how many frames there are. */
function generate(directory: string): number {
  const random = new Random("10 GB");
  const store = new SegmentStore({
    directory,
    recording: "generated",
    segment: 1,
    previous: "",
    mdg: "test",
    keep: {},
    now_ms: () => systemClock.now_ms(),
  });
  let summary = new SegmentSummary();
  let id = 1;
  let frames = 0;
  for (let bytes = 0, block = 0; bytes < TOTAL_BYTES; block++) {
    const buffer = new RecordBuffer(BLOCK_BYTES);
    const seconds = 1_796_000_000 + block;
    const again = block > 0 ? { again: true } as const : {};
    if (block % SEGMENT_BLOCKS === 0) {
      const head = { source: "live", venue: "binance-futures", symbols: [], channels: [] };
      const marks: Mark[] = [
        { mark: "source", ...head, number: 1, legs: 1, ...again },
        { mark: "opened", ...head, connection: 1, id: "c", url: "", leg: 0, ...again },
      ];
      for (const mark of marks) {
        buffer.appendAt(RECORD.mark, 0, seconds, 0, encoder.encode(JSON.stringify(mark)));
        summary.mark(mark, nanosecondsText(seconds, 0));
      }
    }
    const noise = random.integer(1, 1_000_000);
    for (let i = 0;; i++) {
      const symbol = `COIN${i % 20}USDT`;
      const text = i % 4 === 3
        ? `{"e":"aggTrade","E":1,"a":${id},"s":"${symbol}","p":"${
          noise + i
        }.5","q":"0.${noise}","f":${id},"l":${id},"T":1,"m":true}`
        : `{"e":"bookTicker","u":${id},"s":"${symbol}","b":"${noise + i}.1","B":"1.${noise}","a":"${
          noise + i
        }.2","A":"2","T":1,"E":1}`;
      id++;
      if (!buffer.appendAt(RECORD.received_text, 1, seconds, i, encoder.encode(text))) break;
      frames++;
    }
    bytes += buffer.length;
    store.append(buffer);
    if (block % SEGMENT_BLOCKS < SEGMENT_BLOCKS - 1) continue;
    store.end(summary.content(), "rotated");
    summary = new SegmentSummary();
  }
  store.end(summary.content(), "stopped");
  return frames;
}

Deno.test(`replay of ${TOTAL_BYTES / 1e6} MB of frames takes bounded memory`, () =>
  inFolder(async (folder) => {
    const frames = generate(folder);
    await using replay = new DaemonProcess(["replay", folder, "--output", "none", "--log-level", "info"]);
    let worst_bytes = 0;
    let is_over = false;
    void replay.ended.then(() => is_over = true);
    while (!is_over) {
      worst_bytes = Math.max(worst_bytes, replay.rssBytes());
      await sleep(systemClock, 50);
    }
    assert.equal(replay.exit_code, 0, replay.tail());
    const [played] = replay.said("played");
    assert.equal(played.frames, frames);
    assert.ok(worst_bytes < MAX_RSS_BYTES, `${Math.round(worst_bytes / 1e6)} MB resident`);
    const line = `  replayed ${frames} frames at ${played.frames_per_second}/s, ` +
      `${Math.round(worst_bytes / 1e6)} MB resident at most\n`;
    Deno.stdout.writeSync(encoder.encode(line));
  }));
