/**
 * Judges a recording of `mdg record`. Is it what was recorded: every block whole, every link of the hash chain, every
 * certificate as its segment bears out, and the sequences as the frames themselves say when they are read anew? And is it
 * complete: no gap in the venue's ids, nothing that the recorder lost, no segment missing, no pause between two runs?
 */
import { basename, dirname } from "node:path";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import type { Feed } from "../../feeds/feed.ts";
import type { AuditDifference } from "../../flow/book_audit.ts";
import { Books } from "../../flow/books.ts";
import type { Certificate, SequenceGap, StreamRecord } from "../../formats/recording/certificate.ts";
import { readCertificate, readThrough } from "../../formats/recording/read_through.ts";
import { certificateName, listSegments } from "../../formats/recording/segment_file.ts";
import type { SourceMark } from "../../formats/recording/mark.ts";
import type { SourceContext } from "../source.ts";
import { openReplay } from "../replay/open_replay.ts";
import type { ReplayPart } from "../replay/replay_part.ts";
import { LedgerCheck } from "./ledger_check.ts";
import { type VerifiedBook, verifiedBook } from "./verify_capture.ts";

export interface VerifiedSegment {
  segment: number;
  file: string;
  ended: Certificate["ended"] | "no certificate";
  received: number;
  first_ns: string | null;
  last_ns: string | null;
  torn_bytes: number;
  chain: string;
  /** What is not as it was recorded, in words. */
  problems: string[];
}

export interface NamedGap extends SequenceGap {
  segment: number;
  source: string;
  symbol: string;
  stream: StreamRecord["stream"];
}

export interface VerifiedSource {
  source: string;
  venue: string;
  frames: number;
  malformed: number;
  gaps: number;
  resyncs: number;
  compared: number;
  equal: number;
  differed: number;
  books: VerifiedBook[];
}

export interface RecordingReport {
  recording: string;
  /** Nothing was changed, cut or put in since it was recorded. */
  intact: boolean;
  /** Nothing is missing, as far as the venue's ids and the recorder tell. */
  complete: boolean;
  ok: boolean;
  received: number;
  first_ns: string | null;
  last_ns: string | null;
  segments: VerifiedSegment[];
  /** What is missing, by name. */
  gaps: NamedGap[];
  losses: (Certificate["losses"][number] & { segment: number })[];
  /** Between runs of the recorder, and segments that are not there. */
  pauses: { after_segment: number; before_segment: number; from_ns: string | null; to_ns: string | null }[];
  sources: VerifiedSource[];
}

/** @throws UserError when there is no recording there */
export async function verifyRecording(
  path: string,
  context: SourceContext,
  signal: AbortSignal,
): Promise<RecordingReport> {
  const is_directory = (await Deno.stat(path)).isDirectory;
  const directory = is_directory ? path : dirname(path);
  const names = is_directory ? await listSegments(path) : [basename(path)];
  const certificates: Certificate[] = [];
  const segments: VerifiedSegment[] = [];
  for (const name of names) {
    if (signal.aborted) break;
    const { certificate, verified } = await verifySegment(directory, name, certificates.at(-1));
    certificates.push(certificate);
    segments.push(verified);
  }
  const checks = new Map<string, LedgerCheck>();
  const sources = await replayAll(path, context, signal, certificates, checks);
  for (const check of checks.values()) {
    for (const { segment, problem } of check.problems) {
      segments.find((one) => one.segment === segment)?.problems.push(problem);
    }
  }
  return reportOf(certificates, segments, sources);
}

async function verifySegment(
  directory: string,
  name: string,
  before: Certificate | undefined,
): Promise<{ certificate: Certificate; verified: VerifiedSegment }> {
  const problems: string[] = [];
  const path = `${directory}/${name}`;
  const { certificate: borne_out, end, broken_links, broken_blocks } = await readThrough(path, name);
  const stated = await readCertificate(`${directory}/${certificateName(name)}`);
  if (broken_links.length > 0) problems.push(`the hash chain breaks at offset ${broken_links[0]}`);
  if (broken_blocks > 0) problems.push(`${broken_blocks} blocks hold records that leave them`);
  if (end.torn !== undefined && stated !== undefined) {
    problems.push(`${end.torn} at offset ${end.whole_bytes}`);
  }
  if (before && borne_out.segment === before.segment + 1 && borne_out.previous !== before.chain) {
    problems.push("its chain does not continue that of the segment before");
  }
  if (stated) problems.push(...contradictions(stated, borne_out));
  const certificate = stated ?? borne_out;
  return {
    certificate,
    verified: {
      segment: borne_out.segment,
      file: name,
      ended: stated?.ended ?? "no certificate",
      received: borne_out.received,
      first_ns: borne_out.first_ns,
      last_ns: borne_out.last_ns,
      torn_bytes: stated?.torn_bytes ?? borne_out.torn_bytes,
      chain: borne_out.chain,
      problems,
    },
  };
}

/** Where the certificate says something else than its segment. How it ended is not in the segment. */
function contradictions(stated: Certificate, borne_out: Certificate): string[] {
  const problems: string[] = [];
  for (const key of Object.keys(borne_out) as (keyof Certificate)[]) {
    if (key === "ended" || key === "torn_bytes" || key === "complete") continue;
    if (canonical(stated[key]) === canonical(borne_out[key])) continue;
    const shown = typeof borne_out[key] === "object"
      ? ""
      : ` (${String(stated[key])}, the segment has ${String(borne_out[key])})`;
    problems.push(`the certificate contradicts the segment in "${key}"${shown}`);
  }
  return problems;
}
/** The same text for the same data, in whatever order its keys are. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, inner) =>
      inner && typeof inner === "object" && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => one < other ? -1 : 1))
        : inner,
  ) ?? "undefined";
}

async function replayAll(
  path: string,
  context: SourceContext,
  signal: AbortSignal,
  certificates: readonly Certificate[],
  checks: Map<string, LedgerCheck>,
): Promise<VerifiedSource[]> {
  const { parts } = await openReplay({
    paths: [path],
    speed: Infinity,
    symbols: [],
    stays: false,
    listen(mark: SourceMark) {
      const feed = context.feeds[mark.venue];
      const check = new LedgerCheck(mark.source, feed?.sequence, certificates);
      checks.set(mark.source, check);
      return {
        heard: (batch, from, key) => check.heard(batch, from, key),
        marked: (mark) => check.marked(mark),
      };
    },
  }, context);
  const verified = await Promise.all(
    parts.map((part) => verifyPart(part, context.feeds[part.venue], signal)),
  );
  for (const check of checks.values()) check.finish();
  return verified;
}

async function verifyPart(part: ReplayPart, feed: Feed, signal: AbortSignal): Promise<VerifiedSource> {
  const first_differences = new Map<string, AuditDifference>();
  const books = new Books(feed.name, part.sequence, {
    clock: part.clock,
    log: silentLog,
    metrics: new Metrics(),
    publish() {},
    requestSnapshot() {},
    can_refresh: part.can_refresh,
    onAuditDifference(symbol, difference) {
      if (!first_differences.has(symbol)) first_differences.set(symbol, difference);
    },
  }, true);
  const batches = part.batches(signal, {
    interrupted: (symbols, reason, at_us) => books.interrupted(symbols, reason, at_us),
  });
  for await (const batch of batches) books.process(batch);
  const found = [...books.instruments.values()].filter((one) => one.metrics.depth_messages.value > 0)
    .map((one) => verifiedBook(one, first_differences.get(one.symbol) ?? null));
  const total = (pick: (book: VerifiedBook) => number) => found.reduce((sum, book) => sum + pick(book), 0);
  return {
    source: part.recorded_name,
    venue: part.venue,
    frames: part.frames,
    malformed: part.malformed,
    gaps: total((book) => book.gaps),
    resyncs: total((book) => book.resyncs),
    compared: total((book) => book.book_ticker.compared),
    equal: total((book) => book.book_ticker.equal),
    differed: total((book) => book.book_ticker.differed),
    books: found,
  };
}

function reportOf(
  certificates: readonly Certificate[],
  segments: VerifiedSegment[],
  sources: VerifiedSource[],
): RecordingReport {
  const gaps = certificates.flatMap(({ segment, streams }) =>
    streams.flatMap(({ source, symbol, stream, gaps }) =>
      gaps.map((gap) => ({ segment, source, symbol, stream, ...gap }))
    )
  );
  const losses = certificates.flatMap(({ segment, losses }) => losses.map((loss) => ({ segment, ...loss })));
  const pauses: RecordingReport["pauses"] = [];
  for (const [i, one] of certificates.entries()) {
    const before = certificates[i - 1];
    if (before === undefined) continue;
    const goes_on = one.segment === before.segment + 1 && before.ended === "rotated";
    if (goes_on) continue;
    pauses.push({
      after_segment: before.segment,
      before_segment: one.segment,
      from_ns: before.last_ns,
      to_ns: one.first_ns,
    });
  }
  const intact = segments.every(({ problems }) => problems.length === 0);
  const more_gaps = certificates.some(({ streams }) => streams.some((one) => one.more_gaps > 0));
  const ended = segments.every(({ ended }) => ended === "rotated" || ended === "stopped");
  const complete = gaps.length === 0 && !more_gaps && losses.length === 0 && pauses.length === 0 && ended;
  const differed = sources.some((one) => one.differed > 0);
  return {
    recording: certificates[0]?.recording ?? "",
    intact,
    complete,
    ok: intact && complete && !differed,
    received: segments.reduce((sum, one) => sum + one.received, 0),
    first_ns: segments[0]?.first_ns ?? null,
    last_ns: segments.at(-1)?.last_ns ?? null,
    segments,
    gaps,
    losses,
    pauses,
    sources,
  };
}
