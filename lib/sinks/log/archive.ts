/**
 * Compresses rotated files, one at a time, in a Worker so that the feed never waits for it. A compressed file takes its
 * name when it is whole and on disk; only then the plain one goes. Stopping leaves the plain file for the next start.
 */
import { reasonOf } from "../../base/errors.ts";
import { type Compression, TEMPORARY_SUFFIX } from "./file_name.ts";

/** What the Worker is asked, and what it answers. */
export interface CompressRequest {
  readonly from: string;
  readonly to: string;
  readonly compression: "gzip" | "zstd";
  readonly mode: number;
}
export interface CompressAnswer {
  readonly reason?: string;
}

export class Archive {
  #worker: Worker | undefined;
  #waiting: string[] = [];
  #working = false;
  #closed = false;
  #answer: ((answer: CompressAnswer) => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(
    readonly compression: Compression,
    readonly mode: number,
    readonly onFailure: (path: string, reason: string) => void,
  ) {}

  /** Files that wait or are being compressed; bounded by the files that are kept. */
  get pending(): number {
    return this.#waiting.length + (this.#working ? 1 : 0);
  }
  add(path: string): void {
    if (this.compression === "none" || this.#closed) return;
    this.#waiting.push(path);
    if (!this.#working) void this.#work();
  }
  /** Resolves when nothing is waiting any more. */
  async idle(): Promise<void> {
    if (this.pending > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#answer?.({ reason: "stopped" });
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let path = this.#waiting.shift(); path !== undefined; path = this.#waiting.shift()) {
      const reason = await this.#compress(path);
      if (reason !== undefined && !this.#closed) this.onFailure(path, reason);
    }
    this.#working = false;
    // a thread that may not be needed for an hour is not kept
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#idle?.();
  }
  /** Undefined when done, else why not. */
  async #compress(path: string): Promise<string | undefined> {
    const compression = this.compression === "zstd" ? "zstd" : "gzip";
    const whole = path + (compression === "zstd" ? ".zst" : ".gz");
    try {
      // deleted meanwhile: it is older than what is kept
      if (!await exists(path)) return undefined;
      const to = whole + TEMPORARY_SUFFIX;
      const { reason } = await this.#ask({ from: path, to, compression, mode: this.mode });
      if (reason !== undefined) {
        await remove(to);
        return reason;
      }
      if (!await exists(path)) await remove(to);
      else {
        await Deno.rename(to, whole);
        await remove(path);
      }
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }
  #ask(request: CompressRequest): Promise<CompressAnswer> {
    const worker = this.#worker ??= new Worker(new URL("./compress_worker.ts", import.meta.url), {
      type: "module",
    });
    return new Promise((resolve) => {
      this.#answer = resolve;
      worker.onmessage = ({ data }: MessageEvent<CompressAnswer>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        this.#worker = undefined;
        resolve({ reason: event.message });
      };
      worker.postMessage(request);
    });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Nothing when it is not there. */
async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
