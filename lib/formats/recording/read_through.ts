/**
 * Reads a segment through, for what it bears out by itself: the certificate that it should have. Whether the one beside it
 * says the same is for whoever asked.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { type Certificate, certify, SegmentSummary } from "./certificate.ts";
import { type SegmentEnd, SegmentReader } from "./read_segment.ts";
import type { IndexEntry } from "./segment_file.ts";

/** Undefined when there is none. @throws UserError when it is none */
export async function readCertificate(path: string): Promise<Certificate | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof SyntaxError) throw new UserError(`read certificate ${quoted(path, 200)}: not JSON`);
    throw error;
  }
}

/** The certificate that the file itself bears out. `blocks` are the whole ones. */
export interface ReadThrough {
  certificate: Certificate;
  end: SegmentEnd;
  index: IndexEntry[];
  broken_links: readonly number[];
  /** Records that leave their block. */
  broken_blocks: number;
}

export async function readThrough(path: string, name: string): Promise<ReadThrough> {
  const reader = await SegmentReader.open(path);
  try {
    const summary = new SegmentSummary();
    const index: IndexEntry[] = [];
    let broken_blocks = 0;
    for await (const { head, offset, bytes } of reader.blocks()) {
      if (!summary.read(head, bytes)) broken_blocks++;
      index.push([offset, head.first_s, head.first_ns, head.last_s, head.last_ns, head.records]);
    }
    const { end, broken_links } = reader;
    const certificate = certify(summary.content(), {
      recording: reader.head.recording,
      segment: reader.head.segment,
      file: name,
      bytes: end.whole_bytes,
      blocks: index.length,
      ended: end.ended ? "stopped" : "killed",
      torn_bytes: end.torn_bytes,
      previous: reader.head.previous,
      chain: end.chain,
    });
    return { certificate, end, index, broken_links, broken_blocks };
  } finally {
    reader.close();
  }
}
