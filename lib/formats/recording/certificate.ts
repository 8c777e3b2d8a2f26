/**
 * The completeness certificate of a segment: what is inside, which ranges of ids, which gaps, what the recorder itself
 * lost, and the hash chain that ties it to the segment before. It is made while recording; `summarise` makes the same
 * from the file alone, so that anyone may check it.
 */
import type { BlockHead } from "./block.ts";
import { nanosecondsText } from "./block.ts";
import type { Mark, SourceMark } from "./mark.ts";
import { RECORD, RecordCursor } from "./record.ts";

export const CERTIFICATE_FORMAT = "mdg-certificate-1";

export interface SequenceGap {
  /** The last id before, and the first known one after it; what lies between is missing. */
  after_id: number;
  before_id: number;
  /** When it was noticed, Unix epoch, microseconds. */
  at_us: number;
  connection: number;
  /** How the stream goes on: with the next event, or with a whole book. */
  resumed_by: "event" | "snapshot";
}

export interface StreamRecord {
  source: string;
  symbol: string;
  stream: "book" | "trades" | "quote" | "ticker" | "candles";
  events: number;
  snapshots: number;
  /** Events that told nothing new: a second connection's, or older than what was known. */
  repeated: number;
  /** Everything after this id up to `last_id` is here, but for the gaps; absent where ids prove nothing. */
  after_id?: number;
  last_id?: number;
  /** What shows a loss in this stream: ids, the venue's checksum, its count per connection; none: nothing does. */
  proof: "ids" | "checksum" | "connection" | "none";
  gaps: SequenceGap[];
  /** Gaps beyond those that are named. */
  more_gaps: number;
}

/** How a segment came to its end. `killed`: it had none; what was whole was kept, what was not is told. */
export type SegmentEnding = "rotated" | "stopped" | "killed";

export interface RecordedConnection {
  connection: number;
  id: string;
  source: string;
  url: string;
  /** Digits of nanoseconds. */
  opened_ns: string;
  /** It was open before this segment began. */
  again?: true;
  closed_ns?: string;
  reason?: string;
}

/** Frames that the recorder could not keep: the disk was full or too slow. */
export interface RecordedLoss {
  frames: number;
  bytes: number;
  from_ns: string;
  to_ns: string;
  why: string;
}

/** What the records of a segment say, whoever reads them. */
export interface SegmentContent {
  records: number;
  received: number;
  sent: number;
  answers: number;
  first_ns: string | null;
  last_ns: string | null;
  /** Wherever in the segment they began. */
  sources: SourceMark[];
  connections: RecordedConnection[];
  losses: RecordedLoss[];
  streams: StreamRecord[];
}

export interface Certificate extends SegmentContent {
  format: typeof CERTIFICATE_FORMAT;
  recording: string;
  segment: number;
  file: string;
  /** Of the file up to the end of its last block. */
  bytes: number;
  blocks: number;
  ended: SegmentEnding;
  /** Bytes at the end that were no whole block and were cut off. */
  torn_bytes: number;
  /** Ends of the chain, hex: of the segment before and of this one. */
  previous: string;
  chain: string;
  /** Nothing is known to be missing: no gap, no loss, ended in order. */
  complete: boolean;
}

/** Gathers the content of a segment, record by record. */
export class SegmentSummary {
  readonly #counts = new Float64Array(16);
  #records = 0;
  #first: string | null = null;
  #last: string | null = null;
  readonly #sources: SourceMark[] = [];
  readonly #connections = new Map<number, RecordedConnection>();
  /** Closed ones, and others that had the number before. */
  readonly #gone: RecordedConnection[] = [];
  readonly #losses: RecordedLoss[] = [];
  readonly #streams = new Map<string, StreamRecord>();

  /** A block of so many records of each kind. */
  block(first_ns: string, last_ns: string): void {
    this.#first ??= first_ns;
    this.#last = last_ns;
  }
  count(kind: number): void {
    this.#counts[kind]++;
    this.#records++;
  }
  mark(mark: Mark, at_ns: string): void {
    if (mark.mark === "source") {
      this.#sources.push(mark);
    } else if (mark.mark === "opened") {
      const before = this.#connections.get(mark.connection);
      if (before) this.#gone.push(before);
      const { connection, id, source, url, again } = mark;
      this.#connections.set(connection, { connection, id, source, url, opened_ns: at_ns, again });
    } else if (mark.mark === "closed") {
      const found = this.#connections.get(mark.connection);
      if (found === undefined) return;
      found.closed_ns = at_ns;
      found.reason = mark.reason;
      this.#connections.delete(mark.connection);
      this.#gone.push(found);
    } else if (mark.mark === "loss") {
      const { frames, bytes, from_ns, why } = mark;
      this.#losses.push({ frames, bytes, from_ns, to_ns: at_ns, why });
    }
  }
  /** The newest word on these streams. */
  ledger(records: readonly StreamRecord[]): void {
    for (const one of records) this.#streams.set(`${one.source} ${one.stream} ${one.symbol}`, one);
  }
  content(): SegmentContent {
    return {
      records: this.#records,
      received: this.#counts[RECORD.received_text] + this.#counts[RECORD.received_binary],
      sent: this.#counts[RECORD.sent],
      answers: this.#counts[RECORD.answer],
      first_ns: this.#first,
      last_ns: this.#last,
      sources: [...this.#sources],
      connections: [...this.#gone, ...this.#connections.values()],
      losses: [...this.#losses],
      streams: [...this.#streams.values()].sort((one, other) => keyOf(one) < keyOf(other) ? -1 : 1),
    };
  }
  /** The same from a block as it was read. False: a record's length leaves the block. */
  read(head: BlockHead, bytes: Uint8Array): boolean {
    this.block(nanosecondsText(head.first_s, head.first_ns), nanosecondsText(head.last_s, head.last_ns));
    const cursor = new RecordCursor(bytes);
    while (cursor.next()) {
      this.count(cursor.kind);
      if (cursor.kind === RECORD.mark) {
        this.mark(cursor.json() as Mark, nanosecondsText(cursor.seconds, cursor.nanoseconds));
      } else if (cursor.kind === RECORD.ledger) this.ledger(cursor.json() as StreamRecord[]);
    }
    return !cursor.broken;
  }
}

export function certify(
  content: SegmentContent,
  file: Omit<Certificate, keyof SegmentContent | "format" | "complete">,
): Certificate {
  const { losses, streams } = content;
  const complete = file.ended !== "killed" && losses.length === 0 &&
    streams.every(({ gaps, more_gaps }) => gaps.length === 0 && more_gaps === 0);
  return { format: CERTIFICATE_FORMAT, ...file, ...content, complete };
}

function keyOf({ source, stream, symbol }: StreamRecord): string {
  return `${source} ${symbol} ${stream}`;
}
