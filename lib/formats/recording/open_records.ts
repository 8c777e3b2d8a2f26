/**
 * The records of a folder of segments, of one segment, or of a capture of another tool, as one stream of blocks. Memory
 * is bounded by two blocks; a torn place ends a segment, is told, and reading goes on with the next one.
 */
import { basename, dirname } from "node:path";
import { quoted, UserError } from "../../base/errors.ts";
import { captureBlocks, type CaptureReading } from "./capture_blocks.ts";
import { isSegment } from "./lines.ts";
import type { Mark, SourceMark } from "./mark.ts";
import { RECORD, RecordCursor } from "./record.ts";
import { SegmentReader } from "./read_segment.ts";
import { readCertificate, readThrough } from "./read_through.ts";
import { certificateName, listSegments } from "./segment_file.ts";

export interface BlockRange {
  /** Unix epoch, microseconds. */
  from_us?: number;
  /** Begin at the head of the segment that holds `from_us`, where books can be taken up; else at its very block. */
  whole_segment?: boolean;
}

export interface Records {
  /** Where it is from, as it was said. */
  readonly path: string;
  /** What it says of its sources; one that lasts is said once a segment. */
  sources(): Promise<SourceMark[]>;
  blocks(range?: BlockRange): AsyncIterable<Uint8Array>;
  /** What was wrong so far, in words. */
  readonly trouble: string[];
}

/**
 * @param venue of a capture of another tool, which does not say it
 * @throws UserError when there is no such thing
 */
export async function openRecords(path: string, venue?: string): Promise<Records> {
  const fail = (why: string) =>
    new UserError(`read recording ${quoted(path, 200)}: ${why}`, {
      hint: "want a folder of `mdg record`, a segment of it, or a capture of `<ns> <frame>` lines",
    });
  let is_directory: boolean;
  try {
    is_directory = (await Deno.stat(path)).isDirectory;
  } catch (error) {
    throw fail(error instanceof Deno.errors.NotFound ? "no such file or folder" : String(error));
  }
  if (is_directory) {
    const names = await listSegments(path);
    if (names.length === 0) throw fail("the folder holds no segments");
    return new SegmentRecords(path, names.map((name) => `${path}/${name}`));
  }
  return await isSegment(path) ? new SegmentRecords(path, [path]) : new CaptureRecords(path, venue);
}

class SegmentRecords implements Records {
  readonly trouble: string[] = [];

  constructor(readonly path: string, readonly segments: readonly string[]) {}

  async sources(): Promise<SourceMark[]> {
    const found: SourceMark[] = [];
    for (const path of this.segments) found.push(...await sourcesOfSegment(path));
    return found;
  }
  async *blocks({ from_us, whole_segment = true }: BlockRange = {}): AsyncIterable<Uint8Array> {
    const first = from_us === undefined ? 0 : await this.#segmentOf(from_us);
    for (const [i, path] of this.segments.slice(first).entries()) {
      const reader = await SegmentReader.open(path);
      try {
        if (i === 0 && from_us !== undefined && !whole_segment) {
          await reader.seek(Math.floor(from_us / 1e6), Math.floor(from_us % 1e6) * 1_000);
        }
        for await (const { bytes } of reader.blocks()) yield bytes;
        const { torn, torn_bytes } = reader.end;
        if (torn !== undefined) this.trouble.push(`${path}: ${torn}; ${torn_bytes} bytes are not read`);
      } finally {
        reader.close();
      }
    }
  }
  /** The last one that begins at or before this time. */
  async #segmentOf(from_us: number): Promise<number> {
    let found = 0;
    for (const [i, path] of this.segments.entries()) {
      const reader = await SegmentReader.open(path);
      const start = await reader.start();
      reader.close();
      if (start && start.seconds * 1e6 + start.nanoseconds / 1_000 > from_us) break;
      found = i;
    }
    return found;
  }
}

class CaptureRecords implements Records {
  readonly trouble: string[] = [];

  constructor(readonly path: string, readonly venue: string | undefined) {}

  async sources(): Promise<SourceMark[]> {
    for await (const bytes of captureBlocks(this.path, this.#venue(), { bad_lines: 0 })) {
      const found = sourcesIn(bytes);
      if (found.length > 0) return found;
    }
    throw new UserError(`read capture ${quoted(this.path, 200)}: no lines, want at least one frame`);
  }
  async *blocks(_range?: BlockRange): AsyncIterable<Uint8Array> {
    const reading: CaptureReading = { bad_lines: 0 };
    yield* captureBlocks(this.path, this.#venue(), reading);
    if (reading.torn !== undefined) this.trouble.push(`${this.path}: ${reading.torn}`);
    if (reading.bad_lines > 0) this.trouble.push(`${this.path}: ${reading.bad_lines} lines are no frames`);
  }
  #venue(): string {
    if (this.venue !== undefined) return this.venue;
    throw new UserError(`read capture ${quoted(this.path, 200)}: it does not say its venue, want it said`);
  }
}

/**
 * A source may begin anywhere in a segment: its certificate knows. A segment without one (its recorder lives, or was
 * killed), or with one that can't be read, is read through.
 */
async function sourcesOfSegment(path: string): Promise<readonly SourceMark[]> {
  const name = basename(path);
  const known = await readCertificate(`${dirname(path)}/${certificateName(name)}`).catch(() => undefined);
  return Array.isArray(known?.sources) ? known.sources : (await readThrough(path, name)).certificate.sources;
}

function sourcesIn(block: Uint8Array): SourceMark[] {
  const found: SourceMark[] = [];
  const cursor = new RecordCursor(block);
  while (cursor.next()) {
    if (cursor.kind !== RECORD.mark) continue;
    const mark = cursor.json() as Mark;
    if (mark.mark === "source") found.push(mark);
  }
  return found;
}
