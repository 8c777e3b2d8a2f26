/**
 * A capture of another tool, lines of `<ns> <frame>`, as a recording: the same frames and times, with the sequences
 * noted and REST snapshots kept as what they are, answers. It has no marks of batches and connections, since the capture
 * tells none: all frames are of one connection.
 */
import { EventBatch } from "../market/event_batch.ts";
import type { Feed } from "../feeds/feed.ts";
import { SequenceLedger } from "../flow/sequence_ledger.ts";
import { looksLikeSnapshot, SnapshotOwner } from "../flow/snapshot_owner.ts";
import { nanosecondsText } from "../formats/recording/block.ts";
import { SegmentSummary } from "../formats/recording/certificate.ts";
import type { Mark } from "../formats/recording/mark.ts";
import { encodeAnswer, RECORD, RecordBuffer, type RecordKind } from "../formats/recording/record.ts";
import { type CaptureEnd, readCapture } from "../formats/read_capture.ts";
import { lockDirectory } from "../os/directory_lock.ts";
import { recoverRecording } from "./recover.ts";
import type { RecorderOptions } from "./recorder.ts";
import { SegmentStore } from "./segment_store.ts";

const BLOCK_BYTES = 1024 * 1024;
const CONCLUSION_BYTES = 64 * 1024;
const CONNECTION = 1;
const SOURCE = 1;
const LOCK = { word: "record", hint: "give each recorder a folder of its own" };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Converted extends CaptureEnd {
  frames: number;
  answers: number;
  segments: number;
}

/** @throws UserError when the capture can't be read or the folder can't be had */
export async function convertCapture(
  path: string,
  feed: Feed,
  options: Omit<RecorderOptions, "metrics">,
  signal: AbortSignal,
): Promise<Converted> {
  const { directory, clock, keep, version } = options;
  using _lock = await lockDirectory(directory, LOCK);
  const found = await recoverRecording(directory);
  const store = new SegmentStore({
    directory,
    recording: found.recording ?? crypto.randomUUID(),
    segment: found.next,
    previous: found.chain,
    mdg: version,
    keep,
    now_ms: () => clock.now_ms(),
  });
  const converter = new Converter(feed, store, options.segment_bytes);
  const end = await readCapture(path, (bytes, start, stop, received_us, stamp) => {
    const digits = decoder.decode(bytes.subarray(stamp, start - 1)).padStart(10, "0");
    converter.frame(
      bytes.subarray(start, stop),
      Number(digits.slice(0, -9)),
      Number(digits.slice(-9)),
      received_us,
    );
  }, signal);
  return { ...end, ...converter.end() };
}

class Converter {
  readonly #mapper;
  readonly #ledger: SequenceLedger;
  readonly #owner = new SnapshotOwner();
  readonly #batch = new EventBatch();
  #summary = new SegmentSummary();
  #buffer = new RecordBuffer(BLOCK_BYTES);
  #frames = 0;
  #answers = 0;
  #segments = 0;
  #at: [number, number] = [0, 0];
  #has_begun = false;

  constructor(readonly feed: Feed, readonly store: SegmentStore, readonly segment_bytes: number) {
    this.#mapper = feed.createMapper();
    this.#ledger = new SequenceLedger(feed.name, feed.sequence);
  }
  frame(frame: Uint8Array, seconds: number, nanoseconds: number, received_us: number): void {
    // Between two frames: what a frame says belongs to its own segment.
    if (this.#has_begun && this.store.segment_bytes >= this.segment_bytes) this.#rotate(seconds, nanoseconds);
    this.#at = [seconds, nanoseconds];
    if (!this.#has_begun) this.#begin(false);
    const batch = this.#batch;
    const outcome = this.#mapper.map(frame, received_us, batch);
    if (outcome.kind === "unknown" && looksLikeSnapshot(frame)) {
      this.#answer(frame, received_us);
      // Its ids are no part of the stream's.
      batch.clear();
    } else {
      this.#frames++;
      this.#append(RECORD.received_text, CONNECTION, frame);
    }
    for (const event of batch.events) {
      this.#ledger.note(event, CONNECTION);
      this.#owner.note(event);
    }
    batch.clear();
  }
  end(): Pick<Converted, "frames" | "answers" | "segments"> {
    this.#flush();
    if (this.#has_begun) this.#endSegment("stopped");
    return { frames: this.#frames, answers: this.#answers, segments: this.#segments };
  }

  #answer(body: Uint8Array, received_us: number): void {
    this.#answers++;
    this.feed.snapshot?.parse(body, "", received_us, this.#batch);
    const [event] = this.#batch.events;
    if (event?.kind === "book_snapshot") event.symbol = this.#owner.of(event) ?? "";
    const head = {
      source: this.feed.name,
      purpose: "snapshot" as const,
      url: "",
      status: 200,
      symbol: event?.symbol,
      used: true,
    };
    this.#append(RECORD.answer, 0, encodeAnswer(head, body));
  }
  #begin(again: boolean): void {
    this.#has_begun = true;
    const { name, channels } = this.feed;
    const repeated = again ? { again } as const : {};
    this.#mark({
      mark: "source",
      source: name,
      number: SOURCE,
      venue: name,
      symbols: [],
      channels: [...channels],
      legs: 1,
      ...repeated,
    });
    this.#mark({
      mark: "opened",
      connection: CONNECTION,
      source: name,
      venue: name,
      id: "capture",
      url: "",
      leg: 0,
      symbols: [],
      channels: [],
      ...repeated,
    });
  }
  #mark(mark: Mark): void {
    this.#append(RECORD.mark, 0, encoder.encode(JSON.stringify(mark)));
    this.#summary.mark(mark, nanosecondsText(...this.#at));
  }
  #append(kind: RecordKind, connection: number, payload: Uint8Array): void {
    const [seconds, nanoseconds] = this.#at;
    const is_full = this.#buffer.length + payload.length > this.#buffer.bytes.length - CONCLUSION_BYTES;
    if (is_full) this.#flush();
    if (!this.#buffer.appendAt(kind, connection, seconds, nanoseconds, payload)) {
      this.#buffer = new RecordBuffer(payload.length + CONCLUSION_BYTES);
      this.#buffer.appendAt(kind, connection, seconds, nanoseconds, payload);
    }
    this.#summary.count(kind);
  }
  #rotate(seconds: number, nanoseconds: number): void {
    this.#flush();
    this.#endSegment("rotated");
    this.#at = [seconds, nanoseconds];
    this.#begin(true);
  }
  #flush(): void {
    const changes = this.#ledger.changes();
    if (this.#buffer.records === 0 && changes.length === 0) return;
    if (changes.length > 0) this.#conclude(encoder.encode(JSON.stringify(changes)));
    this.#summary.ledger(changes);
    this.#write();
  }
  #conclude(payload: Uint8Array): void {
    const [seconds, nanoseconds] = this.#at;
    this.#summary.count(RECORD.ledger);
    if (this.#buffer.appendAt(RECORD.ledger, 0, seconds, nanoseconds, payload)) return;
    this.#write();
    this.#buffer = new RecordBuffer(payload.length + CONCLUSION_BYTES);
    this.#buffer.appendAt(RECORD.ledger, 0, seconds, nanoseconds, payload);
  }
  #write(): void {
    const { first_s, first_ns, last_s, last_ns } = this.#buffer;
    this.#summary.block(nanosecondsText(first_s, first_ns), nanosecondsText(last_s, last_ns));
    this.store.append(this.#buffer);
    this.#buffer = new RecordBuffer(BLOCK_BYTES);
  }
  #endSegment(ended: "rotated" | "stopped"): void {
    this.store.end(this.#summary.content(), ended);
    this.store.expire();
    this.#segments++;
    this.#summary = new SegmentSummary();
    this.#ledger.restart();
  }
}
