/**
 * Records what live sources receive, send and notice, into a folder of segments that prove their completeness. Here, in
 * the feed's thread, a frame is copied into a block and its ids are noted; packing, writing and syncing are a Worker's.
 * The feed never waits: when the disk does not keep up, what has no room is dropped, counted and named in the certificate.
 */
import { type Clock, type Timer, withDeadline } from "../base/clock.ts";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import { knownSecrets } from "../base/known_secrets.ts";
import type { Log } from "../base/log.ts";
import { RateLimitedLog } from "../base/log.ts";
import type { Metrics, MetricValue } from "../base/metrics.ts";
import { redactText } from "../base/redact.ts";
import type { FrameTap, SourceTap, TappedSource } from "../flow/frame_tap.ts";
import type { BookState } from "../flow/hub.ts";
import { nanosecondsText } from "../formats/recording/block.ts";
import { SegmentSummary } from "../formats/recording/certificate.ts";
import type { Checkpoint, Mark } from "../formats/recording/mark.ts";
import { RECORD, type RecordKind } from "../formats/recording/record.ts";
import { lockDirectory } from "../os/directory_lock.ts";
import { BlockQueue } from "./block_queue.ts";
import { checkpointOf } from "../flow/book_checkpoint.ts";
import { ConnectionNumbers } from "./connection_numbers.ts";
import type { Answer, FullPolicy, Keep, Request } from "./messages.ts";
import { recoverRecording } from "./recover.ts";
import { RecordedTap } from "./recorded_tap.ts";

/** A block is handed on at least this often; with the Worker's sync it bounds what a crash may cost. */
const FLUSH_MS = 200;
const SYNC_MS = 500;
/** What still waits for the disk at the end has so long. */
const CLOSE_MS = 10_000;
/** Blocks on their way to the disk up to which a block goes before it is full. */
const MAX_HASTY_BLOCKS = 2;
/** So long nothing came: a block without records says that the recorder lives and that nothing was missed. */
const HEARTBEAT_MS = 1_000;
const LOCK = { word: "record", hint: "give each recorder a folder of its own" };

export interface RecorderOptions {
  directory: string;
  /** A segment ends when its file has this size, or at this age. */
  segment_bytes: number;
  segment_ms: number;
  keep: Keep;
  on_full: FullPolicy;
  /** Blocks that wait for the disk. */
  max_queue_bytes: number;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  version: string;
}

export class Recorder implements FrameTap, AsyncDisposable {
  readonly #worker: Worker;
  readonly #blocks: BlockQueue;
  readonly #sources: RecordedTap[] = [];
  readonly connections = new ConnectionNumbers();
  #summary = new SegmentSummary();
  readonly #timer: Timer;
  readonly #log: RateLimitedLog;
  readonly #bytes_written: MetricValue;
  readonly #lost: MetricValue;
  #loss: { frames: number; bytes: number; from_us: number; why: string } | undefined;
  #trouble: string | undefined;
  #segment = 0;
  #segment_bytes = 0;
  #segment_started_ms: number;
  #last_flush_ms = 0;
  /** When the sequences were last written down. */
  #ledger_ms = -Infinity;
  #closing: Promise<void> | undefined;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  /** Rejects when recording is over by itself (the disk is full and the policy is to stop). */
  readonly failed: Promise<never> = this.#failed.promise;
  /** Books for checkpoints, once the gateway has them. */
  books: (venue: string) => Iterable<BookState> = () => [];

  private constructor(readonly options: RecorderOptions, readonly lock: Deno.FsFile) {
    const { clock, log, metrics, max_queue_bytes } = options;
    this.#log = new RateLimitedLog(log, clock);
    this.#bytes_written = metrics.counter("record_written_bytes_total", "Bytes of segments written").with();
    this.#lost = metrics.counter("record_lost_frames_total", "Frames that could not be recorded").with();
    this.failed.catch(() => {});
    this.#segment_started_ms = this.#last_flush_ms = clock.monotonic_ms();
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#answered(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.#blocks = new BlockQueue(max_queue_bytes, (block) => {
      const { first_s, first_ns, last_s, last_ns } = block;
      this.#summary.block(nanosecondsText(first_s, first_ns), nanosecondsText(last_s, last_ns));
      this.#worker.postMessage(block, [block.buffer]);
    });
    this.#timer = clock.every(FLUSH_MS, () => this.#tick());
  }
  /** @throws UserError when the folder can't be had */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const { directory, log, keep, on_full, version } = options;
    const lock = await lockDirectory(directory, LOCK);
    let recorder: Recorder | undefined;
    try {
      const found = await recoverRecording(directory);
      for (const { file, torn_bytes, last_ns } of found.repaired) {
        log.warn("a segment was not ended in order: its certificate says so", { file, torn_bytes, last_ns });
      }
      recorder = new Recorder(options, lock);
      recorder.#segment = found.next;
      recorder.#ask({
        kind: "open",
        directory,
        recording: found.recording ?? crypto.randomUUID(),
        segment: found.next,
        previous: found.chain,
        mdg: version,
        keep,
        on_full,
        sync_ms: SYNC_MS,
      });
      await Promise.race([recorder.#opened.promise, recorder.failed]);
      return recorder;
    } catch (error) {
      if (recorder) recorder.#stop();
      lock.close();
      throw error;
    }
  }

  source(source: TappedSource): SourceTap {
    const tap = new RecordedTap(source, this.#sources.length + 1, this);
    this.#sources.push(tap);
    tap.begin(this.options.clock.now_us(), false);
    return tap;
  }
  notReady(): string | undefined {
    return this.#trouble && `cannot write the recording: ${this.#trouble}`;
  }

  /** One record. Frames of which there is no room are lost, and told as soon as there is. */
  append(kind: RecordKind, connection: number, at_us: number, payload: Uint8Array): boolean {
    if (this.#loss !== undefined && !this.#tellLoss(at_us)) return this.#lose(payload.length, at_us);
    if (!this.#blocks.append(kind, connection, at_us, payload)) {
      // With many symbols what is known of their sequences is long: a full block says it only when it is time.
      const now_ms = this.options.clock.monotonic_ms();
      if (now_ms - this.#ledger_ms >= FLUSH_MS && !this.#blocks.is_empty) this.#flush(now_ms);
      if (!this.#blocks.begin(kind, connection, at_us, payload)) return this.#lose(payload.length, at_us);
    }
    this.#summary.count(kind);
    return true;
  }
  mark(mark: Mark, at_us: number): void {
    if (this.#json(RECORD.mark, mark, at_us)) this.#summary.mark(mark, nanoseconds(at_us));
  }
  /** What we say may hold a token. */
  sent(connection: number, text: string, at_us: number): void {
    this.append(RECORD.sent, connection, at_us, encoder.encode(knownSecrets.mask(text)));
  }
  safeUrl(url: string): string {
    return redactText(url);
  }
  /** Books of the source, as they stand now. */
  checkpoint({ name, venue }: TappedSource, at_us: number): void {
    for (const book of this.books(venue)) {
      const checkpoint: Checkpoint | undefined = checkpointOf(name, book);
      if (checkpoint !== undefined) this.#json(RECORD.checkpoint, checkpoint, at_us);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#closing ??= this.#close());
  }

  #json(kind: RecordKind, value: unknown, at_us: number): boolean {
    return this.append(kind, 0, at_us, encoder.encode(JSON.stringify(value)));
  }
  #lose(bytes: number, at_us: number): false {
    this.#loss ??= { frames: 0, bytes: 0, from_us: at_us, why: this.#trouble ?? "the disk is too slow" };
    this.#loss.frames++;
    this.#loss.bytes += bytes;
    this.#lost.value++;
    this.#log.warn("lost", "frames are not recorded", { why: this.#loss.why, lost: this.#lost.value });
    return false;
  }
  #tellLoss(at_us: number): boolean {
    const { frames, bytes, from_us, why } = this.#loss!;
    const mark: Mark = { mark: "loss", frames, bytes, from_ns: nanoseconds(from_us), why };
    const payload = encoder.encode(JSON.stringify(mark));
    const { append, begin } = this.#blocks;
    if (![append, begin].some((put) => put.call(this.#blocks, RECORD.mark, 0, at_us, payload))) return false;
    this.#loss = undefined;
    this.#summary.count(RECORD.mark);
    this.#summary.mark(mark, nanoseconds(at_us));
    return true;
  }

  #tick(): void {
    const { clock, segment_bytes, segment_ms } = this.options;
    const now_ms = clock.monotonic_ms();
    if (this.#segment_bytes >= segment_bytes || now_ms - this.#segment_started_ms >= segment_ms) {
      return this.#rotate(now_ms);
    }
    // While the disk lags, blocks are filled up before they go: memory for what waits is scarce.
    if (this.#blocks.under_way >= MAX_HASTY_BLOCKS) return;
    if (!this.#blocks.is_empty) this.#flush(now_ms);
    else if (now_ms - this.#last_flush_ms >= HEARTBEAT_MS && this.#blocks.under_way === 0) {
      this.#blocks.flush(clock.now_us());
      this.#last_flush_ms = now_ms;
    }
  }
  #flush(now_ms: number): void {
    this.#ledger_ms = now_ms;
    const changes = this.#sources.flatMap((one) => one.ledger.changes());
    if (changes.length > 0) {
      const payload = encoder.encode(JSON.stringify(changes));
      if (this.#blocks.conclude(RECORD.ledger, this.options.clock.now_us(), payload)) {
        this.#summary.count(RECORD.ledger);
        this.#summary.ledger(changes);
      } else for (const one of this.#sources) one.ledger.restate();
    }
    this.#blocks.flush();
    this.#last_flush_ms = now_ms;
  }
  /** The next segment stands for itself: what is open is said again, and the books follow as soon as they are settled. */
  #rotate(now_ms: number): void {
    this.#flush(now_ms);
    this.#ask({ kind: "rotate", content: this.#summary.content() });
    this.#summary = new SegmentSummary();
    this.#segment++;
    this.#segment_bytes = 0;
    this.#segment_started_ms = now_ms;
    const at_us = this.options.clock.now_us();
    for (const source of this.#sources) {
      source.ledger.restart();
      source.begin(at_us, true);
    }
  }
  #ask(request: Request): void {
    this.#worker.postMessage(request);
  }
  #answered(answer: Answer): void {
    const { log } = this.options;
    switch (answer.kind) {
      case "opened":
        return this.#opened.resolve();
      case "written":
        this.#blocks.returned(answer.buffer);
        if (answer.segment === this.#segment) this.#segment_bytes = answer.segment_bytes;
        this.#bytes_written.value += answer.packed_bytes;
        return;
      case "trouble":
        this.#trouble = answer.reason;
        return log.warn("the recording cannot be written; blocks wait in memory", { reason: answer.reason });
      case "fine":
        this.#trouble = undefined;
        return log.info("the recording is written again");
      case "deleted":
        return log.info("segment deleted", { name: answer.name, why: answer.why });
      case "closed":
        return this.#closed.resolve();
      case "failed":
        return this.#fail(answer.reason);
    }
  }
  #fail(reason: string): void {
    const error = new UserError(`write the recording in ${quoted(this.options.directory, 200)}: ${reason}`);
    this.#failed.reject(error);
    this.#closed.reject(error);
    this.#closed.promise.catch(() => {});
  }
  async #close(): Promise<void> {
    this.#timer.cancel();
    const at_us = this.options.clock.now_us();
    if (this.#loss !== undefined) this.#tellLoss(at_us);
    this.#flush(this.options.clock.monotonic_ms());
    this.#ask({ kind: "close", content: this.#summary.content() });
    try {
      await withDeadline(this.options.clock, CLOSE_MS, "end the recording", this.#closed.promise);
    } catch (error) {
      // What waits for a full disk is lost now; the next recorder finds the segment without an end and says so.
      this.options.log.error("the recording could not be ended in order", { reason: reasonOf(error) });
    } finally {
      this.#stop();
      this.lock.close();
    }
  }
  #stop(): void {
    this.#timer.cancel();
    this.#worker.terminate();
  }
}

const encoder = new TextEncoder();

function nanoseconds(at_us: number): string {
  const seconds = Math.floor(at_us / 1e6);
  return nanosecondsText(seconds, Math.round((at_us - seconds * 1e6) * 1_000));
}
