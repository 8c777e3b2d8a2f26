/**
 * The sink itself: updates become lines, a batch becomes one append per file. What was not written is given back to the
 * queue line by line, so nothing is lost or doubled by a full disk. While writing fails a probe looks whether it works
 * again. Everything that touches files goes one after the other.
 */
import { isAbsolute, join } from "node:path";
import type { Timer } from "../../base/clock.ts";
import { quoted, reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { type UpdateKind, WriteRejected } from "../../flow/delivery_target.ts";
import { bookPayload, tradePayload } from "../../flow/json_payload.ts";
import type { MarketUpdate } from "../../market/update.ts";
import { directoryFailure, lockDirectory } from "../../os/directory_lock.ts";
import type { LogChannel, LogConfig } from "../log.ts";
import type { Sink, SinkContext } from "../sink.ts";
import { Archive } from "./archive.ts";
import { fileSetName, MAX_SET_NAME } from "./file_name.ts";
import { FileSet, type FileSetOptions, type Progress } from "./file_set.ts";
import { LineBuffer } from "./line_buffer.ts";
import { recover, type Recovered } from "./recover.ts";

const CHANNEL_OF: Readonly<Record<UpdateKind, LogChannel>> = {
  book: "book",
  trade: "trades",
  quote: "quote",
  ticker: "ticker",
  candle: "candles",
  book_status: "status",
};
const LOCK = {
  word: "log",
  hint: "give each gateway, and each of its log sinks, a directory of its own",
};
/** Files held open at once; the one unused for longest is closed for a newcomer. */
const MAX_OPEN_FILES = 256;
/** Strings and objects around a line, bytes, roughly. */
const MESSAGE_OVERHEAD_BYTES = 120;
const PROBE_INTERVAL_MS = 1_000;
const PROBE_NAME = ".mdg-log.probe";
/** Enough that a disk with a few free blocks is still full. */
const PROBE_BYTES = 256 * 1024;
/** How often files are looked at whose period may be over though nothing is written. */
const ROTATION_LOOK_MS = 1_000;

export interface LogMessage {
  readonly set: FileSet;
  readonly line: string;
}

export class LogSink implements Sink<LogMessage> {
  readonly name: string;
  readonly limits: { readonly max_trades: number; readonly max_writes: 1 };
  readonly archive: Archive;
  readonly #options: FileSetOptions;
  readonly #kinds: ReadonlySet<UpdateKind>;
  /** Bounded by instruments × channels. */
  readonly #sets = new Map<string, FileSet>();
  /** Venue → symbol → kind → set: no name is put together per update. */
  readonly #set_of = new Map<string, Map<string, Partial<Record<UpdateKind, FileSet>>>>();
  /** Least recently used first. */
  readonly #open = new Set<FileSet>();
  readonly #lines = new LineBuffer();
  readonly #timers: Timer[] = [];
  readonly #log: RateLimitedLog;
  readonly #bytes_written: MetricValue;
  #last_work: Promise<unknown> = Promise.resolve();
  #failure: { reason: string; since_ms: number } | undefined;
  #probe: Timer | undefined;

  private constructor(
    readonly config: LogConfig,
    readonly context: SinkContext,
    readonly directory: string,
    readonly lock: Deno.FsFile,
    archive: Archive,
    recovered: Recovered,
  ) {
    const { name, log, clock, metrics } = context;
    this.name = name;
    this.limits = { max_trades: config.max_queued_trades, max_writes: 1 };
    this.archive = archive;
    this.#options = {
      directory,
      max_file_bytes: config.max_file_bytes,
      rotate_every_ms: config.rotate_every_s * 1_000,
      keep_files: config.keep_files,
      mode: parseInt(config.mode, 8),
      fsync: config.fsync,
    };
    // those that get no more lines, too: they rotate, are compressed and go in their time
    for (const [set, known] of recovered.sets) {
      this.#sets.set(set, new FileSet(set, this.#options, archive, known));
    }
    const kinds = Object.keys(CHANNEL_OF) as UpdateKind[];
    this.#kinds = new Set(kinds.filter((kind) => config.channels.includes(CHANNEL_OF[kind])));
    this.#log = new RateLimitedLog(log, clock);
    this.#bytes_written = metrics.counter("log_written_bytes_total", "Bytes appended to log files", ["sink"])
      .with(name);
    this.#timers.push(clock.every(ROTATION_LOOK_MS, () => void this.#exclusively(() => this.#rotateDue())));
    if (config.fsync === "interval") {
      this.#timers.push(
        clock.every(config.fsync_interval_ms, () => void this.#exclusively(() => this.#syncAll())),
      );
    }
  }
  /** Throws a UserError when the directory cannot be had. */
  static async open(config: LogConfig, context: SinkContext): Promise<LogSink> {
    const directory = isAbsolute(config.directory) ? config.directory : join(Deno.cwd(), config.directory);
    const lock = await lockDirectory(directory, LOCK);
    const log = new RateLimitedLog(context.log, context.clock);
    const archive = new Archive(config.compress, parseInt(config.mode, 8), (path, reason) => {
      log.warn("compress", "log file stays uncompressed", { path, reason });
    });
    try {
      const recovered = await recover(directory, archive);
      const { torn_files, torn_bytes } = recovered;
      if (torn_files > 0) context.log.warn("torn last lines cut off", { torn_files, torn_bytes });
      return new LogSink(config, context, directory, lock, archive, recovered);
    } catch (error) {
      archive.close();
      lock.close();
      throw directoryFailure(directory, LOCK.word, error);
    }
  }

  takes(kind: UpdateKind): boolean {
    return this.#kinds.has(kind);
  }
  encode(update: MarketUpdate): LogMessage | undefined {
    if (!this.#kinds.has(update.kind)) return undefined;
    return { set: this.#setOf(update), line: this.#lineOf(update) };
  }
  sizeBytes(message: LogMessage): number {
    return message.line.length + MESSAGE_OVERHEAD_BYTES;
  }
  write(messages: readonly LogMessage[]): Promise<void> {
    return this.#exclusively(() => this.#write(messages));
  }
  notReady(): string | undefined {
    return this.#failure && `cannot write log files: ${this.#failure.reason}`;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#probe?.cancel();
    await this.#exclusively(async () => {
      for (const set of this.#open) await this.#attempt(() => set.release());
      this.#open.clear();
    });
    this.archive.close();
    this.lock.close();
  }

  async #write(messages: readonly LogMessage[]): Promise<void> {
    const now_ms = this.context.clock.now_ms();
    const groups = Map.groupBy(messages.keys(), (i) => messages[i].set);
    const retry: number[] = [];
    let failed: { error: unknown } | undefined;
    for (const [set, indices] of groups) {
      const progress: Progress = { written: 0 };
      try {
        await this.#append(set, indices.map((i) => messages[i].line), now_ms, progress);
      } catch (error) {
        // another file may be on another disk, or this one alone may be forbidden
        failed = { error };
      }
      retry.push(...indices.slice(progress.written));
    }
    if (!failed) return;
    this.#onFailure(failed.error);
    throw new WriteRejected(reasonOf(failed.error), retry.sort((one, other) => one - other));
  }
  async #append(set: FileSet, lines: readonly string[], now_ms: number, progress: Progress): Promise<void> {
    const { bytes, ends } = this.#lines.fill(lines);
    try {
      await set.append(bytes, ends, now_ms, progress);
    } finally {
      if (progress.written > 0) this.#bytes_written.value += ends[progress.written - 1];
      this.#open.delete(set);
      if (set.is_open) this.#open.add(set);
    }
    while (this.#open.size > MAX_OPEN_FILES) {
      const [oldest] = this.#open;
      this.#open.delete(oldest);
      await oldest.release();
    }
  }
  async #rotateDue(): Promise<void> {
    const now_ms = this.context.clock.now_ms();
    for (const set of this.#sets.values()) {
      await this.#attempt(() => set.rotateIfDue(now_ms));
      if (!set.is_open) this.#open.delete(set);
    }
  }
  async #syncAll(): Promise<void> {
    for (const set of this.#open) await this.#attempt(() => set.sync());
  }
  /** Work that is not a write: its failure stops nothing, and is told. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #onFailure(error: unknown): void {
    const reason = reasonOf(error);
    const { clock } = this.context;
    this.#log.warn("write", "log files cannot be written", { directory: this.directory, reason });
    this.#failure = { reason, since_ms: this.#failure?.since_ms ?? clock.monotonic_ms() };
    this.#probe ??= clock.after(PROBE_INTERVAL_MS, () => void this.#exclusively(() => this.#look()));
  }
  /** Whether there is room and leave to write again. */
  async #look(): Promise<void> {
    this.#probe = undefined;
    const { clock, log } = this.context;
    const path = `${this.directory}/${PROBE_NAME}`;
    try {
      await Deno.mkdir(this.directory, { recursive: true });
      await Deno.writeFile(path, new Uint8Array(PROBE_BYTES), { mode: 0o600 });
      const seconds = (clock.monotonic_ms() - this.#failure!.since_ms) / 1_000;
      log.info("log files can be written again", { directory: this.directory, seconds });
      this.#failure = undefined;
      this.context.writable();
    } catch (error) {
      this.#onFailure(error);
    } finally {
      await Deno.remove(path).catch(() => {});
    }
  }
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last_work.then(work);
    this.#last_work = done.catch(() => {});
    return done;
  }

  #lineOf(update: MarketUpdate): string {
    if (update.kind === "book") return bookPayload(update, this.config.order_book_depth);
    if (update.kind === "trade") return tradePayload(update);
    return JSON.stringify(update);
  }
  #setOf({ venue, symbol, kind }: MarketUpdate): FileSet {
    let symbols = this.#set_of.get(venue);
    if (!symbols) this.#set_of.set(venue, symbols = new Map());
    let sets = symbols.get(symbol);
    if (!sets) symbols.set(symbol, sets = {});
    return sets[kind] ??= this.#newSet(fileSetName(this.config.files, CHANNEL_OF[kind], venue, symbol));
  }
  #newSet(name: string): FileSet {
    let set = this.#sets.get(name);
    if (name.length > MAX_SET_NAME) {
      throw new RangeError(`name log files ${quoted(name)}: longer than ${MAX_SET_NAME} characters`);
    }
    if (!set) {
      set = new FileSet(name, this.#options, this.archive);
      this.#sets.set(name, set);
    }
    return set;
  }
}
