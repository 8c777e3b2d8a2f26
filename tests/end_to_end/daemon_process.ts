/**
 * An mdg that stays: started as a user would, its log lines read as they come, ended by its own id. From source or
 * MDG_BINARY. Refuses: being left behind — disposing ends it, at once if it does not end in time.
 */
import { systemClock } from "../../lib/base/clock.ts";
import { spawnMdg } from "../mdg_process.ts";
import { until } from "./until.ts";

const STOP_LIMIT_MS = 15_000;

/** One JSON line of the log. */
export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

export class DaemonProcess implements AsyncDisposable {
  /** JSON lines of stderr so far, oldest first. */
  readonly log: LogLine[] = [];
  /** Other lines of stderr. */
  readonly talk: string[] = [];
  readonly stdout: string[] = [];
  exit_code: number | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<number>;

  constructor(
    args: readonly string[],
    options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
  ) {
    this.#child = spawnMdg({ args, ...options });
    const reading = Promise.all([
      this.#child.stdin.close(),
      eachLine(this.#child.stdout, (line) => this.stdout.push(line)),
      eachLine(this.#child.stderr, (line) => this.#stderrLine(line)),
    ]);
    this.#ended = Promise.all([this.#child.status, reading]).then(([{ code }]) => this.exit_code = code);
  }
  get pid(): number {
    return this.#child.pid;
  }
  /** The exit code, when all it said was read. */
  get ended(): Promise<number> {
    return this.#ended;
  }
  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }
  /** kill −9, and it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
  }
  /** Lines of the log with this message and these fields. */
  said(message: string, fields: Record<string, unknown> = {}): LogLine[] {
    return this.log.filter((line) =>
      line.message === message && Object.entries(fields).every(([name, value]) => line[name] === value)
    );
  }
  /** Resolves with the first such line after the `skip` first. */
  says(message: string, fields: Record<string, unknown> = {}, skip = 0): Promise<LogLine> {
    return until(
      `the log line ${JSON.stringify(message)}`,
      () => this.said(message, fields)[skip] ?? this.#failIfEnded(),
      20_000,
      () => this.tail(),
    );
  }
  /** The last of what it said, for failures. */
  tail(): string {
    return [...this.talk.slice(-20), ...this.log.slice(-20).map((line) => JSON.stringify(line))].join("\n");
  }
  /** Resident memory now, from the kernel; 0 where there is no /proc. */
  rssBytes(): number {
    try {
      const pages = Number(Deno.readTextFileSync(`/proc/${this.pid}/statm`).split(" ")[1]);
      return pages * 4096;
    } catch {
      return 0;
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.exit_code !== undefined) return;
    this.signal("SIGTERM");
    const timer = systemClock.after(STOP_LIMIT_MS, () => this.signal("SIGKILL"));
    await this.#ended;
    timer.cancel();
  }

  #failIfEnded(): undefined {
    if (this.exit_code === undefined) return undefined;
    throw new Error(`mdg ended with ${this.exit_code}:\n${this.tail()}`);
  }
  #stderrLine(line: string): void {
    try {
      const value = JSON.parse(line);
      if (typeof value === "object" && value !== null && typeof value.message === "string") {
        this.log.push(value);
        return;
      }
    } catch { /* talk, not log */ }
    this.talk.push(line);
  }
}

async function eachLine(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    lines.forEach(take);
  }
  if (rest !== "") take(rest);
}
