/**
 * What a folder holds before a recording goes on in it, put in order: a segment without a certificate was being written
 * when its recorder died. What is whole is kept, the torn rest is cut off, and the certificate says both. Also finds the
 * end of the chain, so that the next segment ties on.
 */
import { UserError } from "../base/errors.ts";
import type { Certificate } from "../formats/recording/certificate.ts";
import { readCertificate, type ReadThrough, readThrough } from "../formats/recording/read_through.ts";
import {
  certificateName,
  encodeIndex,
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
