/**
 * Plays the frames themselves, merged by time, in the plain form `<ns> <frame>`: no mapper, no book. At full speed or
 * paced; binary frames have no place in that form and are counted.
 */
import { type Clock, sleep } from "../../base/clock.ts";
import { RECORD } from "../../formats/recording/record.ts";
import type { Records } from "../../formats/recording/open_records.ts";
import { PlainLines } from "../../formats/recording/lines.ts";
import { Pace } from "../../base/pace.ts";
import { RecordLane, RecordMerge } from "./record_merge.ts";

/** Lines handed on at once. */
const CHUNK_BYTES = 256 * 1024;

export interface FramePlay {
  records: readonly Records[];
  clock: Clock;
  speed: number;
  from_us?: number;
  to_us?: number;
  signal: AbortSignal;
  write(lines: Uint8Array): Promise<void>;
}

export async function playFrames(play: FramePlay): Promise<{ frames: number; left_out: number }> {
  const { from_us = -Infinity, to_us = Infinity, signal, clock, write } = play;
  const range = { from_us: play.from_us, whole_segment: false };
  const merge = new RecordMerge(play.records.map((one, i) => new RecordLane(i, one.blocks(range))));
  const pace = new Pace(clock, play.speed);
  const lines = new PlainLines();
  const done = { frames: 0, left_out: 0 };
  const flush = async () => {
    if (lines.length > 0) await write(lines.take());
  };
  try {
    while (!signal.aborted) {
      const lane = merge.next();
      if (lane === undefined) {
        if (!await merge.load()) break;
        continue;
      }
      const cursor = lane.cursor!;
      const { at_us } = cursor;
      if (at_us < from_us) continue;
      if (at_us > to_us) break;
      const wait_ms = pace.wait_ms(at_us);
      if (wait_ms > 0) {
        await flush();
        await sleep(clock, wait_ms, signal);
      }
      if (lines.add(cursor)) done.frames++;
      else if (cursor.kind === RECORD.received_binary) done.left_out++;
      if (lines.length >= CHUNK_BYTES) await flush();
    }
    await flush();
    return done;
  } finally {
    await merge.close();
  }
}
