/**
 * A segment of the layout, from the writer's side: made whole before anyone sees it, its previous holder told that it
 * was replaced, and its end told before the name goes. The kernel's lock says who writes; the process id in the header
 * is for people. Refuses: replacing memory that is not mdg's.
 */
import { UserError } from "../../base/errors.ts";
import { monotonicClock } from "../../os/monotonic_clock.ts";
import { OwnedSegment } from "../../os/shared_memory.ts";
import {
  EVENT_SLOT_BYTES,
  type Geometry,
  hasMagic,
  HEADER,
  HEADER_BYTES,
  MAGIC,
  STATE,
  VERSION,
} from "./layout.ts";
import { SegmentWriter } from "./segment_writer.ts";

export interface SegmentOptions {
  readonly name: string;
  readonly geometry: Geometry;
  readonly mode: number;
  readonly heartbeat_interval_ms: number;
  /** The writer's start, Unix epoch, microseconds; made larger than the previous segment's. */
  readonly started_us: number;
  /** Leave the last state under the name when closing. */
  readonly keep: boolean;
}

export class Segment implements Disposable {
  readonly writer: SegmentWriter;
  readonly #owned: OwnedSegment;

  /** Throws a UserError when another process writes it, it is not ours, or there is no room. */
  constructor(readonly options: SegmentOptions, now_us: () => number = monotonicClock()) {
    const { name, geometry, mode } = options;
    this.#owned = OwnedSegment.create({
      name,
      bytes: geometry.total_bytes,
      mode,
      check: (previous) => requireOurs(name, previous),
      ownerOf: (previous) => hasMagic(previous) ? `by process ${pidOf(previous)}` : "by another program",
      initialise: (buffer, previous) =>
        writeHeader(buffer, options, epochAfter(previous, options.started_us)),
      retire: (previous) => setState(previous, STATE.replaced),
    });
    this.writer = new SegmentWriter(this.#owned.buffer, geometry, now_us);
  }
  get epoch(): number {
    return new DataView(this.#owned.buffer).getFloat64(HEADER.epoch, true);
  }
  [Symbol.dispose](): void {
    if (this.#owned.buffer.detached) return;
    this.writer.close();
    this.#owned.close(!this.options.keep);
  }
}

function requireOurs(name: string, previous: ArrayBuffer): void {
  if (hasMagic(previous)) return;
  throw new UserError(
    `open shared memory ${JSON.stringify(name)}: it is not a segment of mdg, want one or none`,
    {
      hint: `choose another name, or remove /dev/shm/${name}`,
    },
  );
}

function pidOf(buffer: ArrayBuffer): number {
  return new DataView(buffer).getUint32(HEADER.writer_pid, true);
}

/** Always another than before, also when the wall clock was set back. */
function epochAfter(previous: ArrayBuffer | undefined, started_us: number): number {
  const started = Math.floor(started_us);
  if (previous === undefined || previous.byteLength < HEADER_BYTES) return started;
  const before = new DataView(previous).getFloat64(HEADER.epoch, true);
  return before >= started ? before + 1 : started;
}

function setState(buffer: ArrayBuffer, state: number): void {
  if (buffer.byteLength < HEADER_BYTES) return;
  Atomics.store(new Int32Array(buffer, HEADER.state, 1), 0, state);
}

function writeHeader(buffer: ArrayBuffer, options: SegmentOptions, epoch: number): void {
  const view = new DataView(buffer);
  const { geometry } = options;
  new Uint8Array(buffer).set(new TextEncoder().encode(MAGIC), HEADER.magic);
  const integers: [number, number][] = [
    [HEADER.version, VERSION],
    [HEADER.header_bytes, HEADER_BYTES],
    [HEADER.writer_pid, Deno.pid],
    [HEADER.book_slot_bytes, geometry.book_slot_bytes],
    [HEADER.book_slots, geometry.book_slots],
    [HEADER.book_depth, geometry.book_depth],
    [HEADER.heartbeat_interval_ms, options.heartbeat_interval_ms],
    [HEADER.ring_slot_bytes, EVENT_SLOT_BYTES],
    [HEADER.ring_slots, geometry.ring_slots],
  ];
  for (const [offset, value] of integers) view.setUint32(offset, value, true);
  const doubles: [number, number][] = [
    [HEADER.total_bytes, geometry.total_bytes],
    [HEADER.epoch, epoch],
    [HEADER.books_offset, geometry.books_offset],
    [HEADER.ring_offset, geometry.ring_offset],
  ];
  for (const [offset, value] of doubles) view.setFloat64(offset, value, true);
  setState(buffer, STATE.live);
}
