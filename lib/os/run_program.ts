/**
 * One run of another program: text or bytes on its stdin, its output within bounds, a deadline, and an end when nobody
 * waits any more. Arguments are words, never a shell line; whatever came from outside belongs on stdin.
 */
import type { Clock, Timer } from "../base/clock.ts";
import { quoted } from "../base/errors.ts";

export interface ProgramRun {
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin?: string | Uint8Array;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** After so long it is killed. */
  readonly deadline_ms: number;
  /** Kills it. */
  readonly signal?: AbortSignal;
  /** Kept of each of stdout and stderr; the rest is read and thrown away. */
  readonly max_output_bytes?: number;
}

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class ProgramMissing extends Error {
  override readonly name = "ProgramMissing";
}

const KILL_AFTER_MS = 1_000;
/** What it started may hold its output open for ever: read so much longer than it lives. */
const OUTPUT_GRACE_MS = 500;
const MAX_OUTPUT_BYTES = 16 * 1024;

/** Rejects with ProgramMissing, with the signal's reason, or with an error that names the deadline. */
export async function runProgram(run: ProgramRun): Promise<ProgramResult> {
  const { clock, signal, deadline_ms, program } = run;
  signal?.throwIfAborted();
  const child = start(run);
  const timers: Timer[] = [];
  let is_late = false;
  const stop = () => {
    end(child, "SIGTERM");
    timers.push(clock.after(KILL_AFTER_MS, () => end(child, "SIGKILL")));
  };
  timers.push(clock.after(deadline_ms, () => {
    is_late = true;
    stop();
  }));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const max = run.max_output_bytes ?? MAX_OUTPUT_BYTES;
    const outputs = [new BoundedText(child.stdout, max), new BoundedText(child.stderr, max)];
    const ended = child.status.then((status) => {
      timers.push(clock.after(OUTPUT_GRACE_MS, () => outputs.forEach((output) => output.cancel())));
      return status;
    });
    const [{ code }, [stdout, stderr]] = await Promise.all([
      ended,
      Promise.all(outputs.map((output) => output.text)),
      feed(child.stdin, run.stdin ?? ""),
    ]);
    signal?.throwIfAborted();
    if (is_late) throw new Error(`run ${quoted(program)}: not done within ${deadline_ms} ms`);
    return { code, stdout, stderr };
  } finally {
    signal?.removeEventListener("abort", stop);
    for (const timer of timers) timer.cancel();
  }
}

function start({ program, args, env }: ProgramRun): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ProgramMissing(`run ${quoted(program)}: there is no such program`);
  }
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // it is gone already
  }
}

/** A program that does not read to the end is no failure of ours: its exit code tells. */
async function feed(stdin: WritableStream<Uint8Array>, input: string | Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
    await writer.close();
  } catch {
    await writer.abort().catch(() => {});
  }
}

/** The first bytes of a stream as text, all of it read. */
class BoundedText {
  readonly text: Promise<string>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  constructor(stream: ReadableStream<Uint8Array>, readonly max_bytes: number) {
    this.#reader = stream.getReader();
    this.text = this.#read();
  }
  /** No more is wanted; what came stays. */
  cancel(): void {
    void this.#reader.cancel();
  }
  async #read(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let left = this.max_bytes;
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return text;
      if (left > 0) text += decoder.decode(value.subarray(0, left), { stream: true });
      left -= value.length;
    }
  }
}
