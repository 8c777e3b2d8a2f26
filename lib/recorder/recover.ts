/**
 * What a folder holds before a recording goes on in it, put in order: a segment without a certificate was being written
 * when its recorder died. What is whole is kept, the torn rest is cut off, and the certificate says both. Also finds the
 * end of the chain, so that the next segment ties on.
 */
import { quoted, UserError } from "../base/errors.ts";
import { type Certificate, certify, SegmentSummary } from "../formats/recording/certificate.ts";
import { type SegmentEnd, SegmentReader } from "../formats/recording/read_segment.ts";
import {
  certificateName,
  encodeIndex,
  type IndexEntry,
  listSegments,
  segmentNumber,
} from "../formats/recording/segment_file.ts";
import { writeWhole } from "./segment_store.ts";

export interface Recovered {
  /** Absent: the folder holds no recording. */
  recording?: string;
  /** Number of the next segment. */
  next: number;
  /** The chain's end, hex; empty: there is none. */
  chain: string;
  /** Segments that got their certificate now. */
  repaired: Certificate[];
}

export async function recoverRecording(directory: string): Promise<Recovered> {
  const found: Recovered = { next: 1, chain: "", repaired: [] };
  for (const name of await listSegments(directory)) {
    const known = await readCertificate(`${directory}/${certificateName(name)}`);
    const certificate = known ?? await repair(directory, name);
    found.next = segmentNumber(name)! + 1;
    if (certificate === undefined) continue;
    if (known === undefined) found.repaired.push(certificate);
    found.recording = certificate.recording;
    found.chain = certificate.chain;
  }
  return found;
}

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

/** Undefined for a file that holds nothing at all: it was being made. It is removed. */
async function repair(directory: string, name: string): Promise<Certificate | undefined> {
  const path = `${directory}/${name}`;
  let found: ReadThrough;
  try {
    found = await readThrough(path, name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await Deno.remove(path);
    return undefined;
  }
  const { certificate, end, index } = found;
  if (!end.ended) {
    await Deno.truncate(path, end.whole_bytes);
    using file = await Deno.open(path, { append: true });
    const bytes = encodeIndex(index, end.whole_bytes);
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    await file.sync();
  }
  writeWhole(`${directory}/${certificateName(name)}`, JSON.stringify(certificate, null, 2) + "\n");
  return certificate;
}
