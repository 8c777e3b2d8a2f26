/**
 * A process of the fan-out bench: pinned to a core where the system can, spoken to by lines of JSON, its CPU time and
 * memory read from the kernel. CPU time is what a busy machine does not spoil: whoever waits for a core uses none.
 */
import { path } from "../../mdg_process.ts";

export interface Usage {
  readonly cpu_s: number;
  readonly rss_bytes: number;
  /** CPU seconds of each thread by its name; several of one name are told apart by their ids. */
  readonly threads: ReadonlyMap<string, number>;
}

// deno-lint-ignore no-explicit-any -- figures of our own processes, looked into freely
export type Said = Record<string, any>;

const TICKS_PER_S = 100;
const PAGE_BYTES = 4_096;

export class PinnedProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #said: Said[] = [];
  #waiting: PromiseWithResolvers<Said>[] = [];
  #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #over = false;
  readonly #reading: Promise<void>;
  /** What it says unasked, how far its slowest client is. */
  onProgress: ((said: Said) => void) | undefined;

  constructor(readonly name: string, core: number | undefined, program: string, args: readonly string[]) {
    const command = core === undefined || !canPin()
      ? [program, ...args]
      : ["taskset", "-c", String(core), program, ...args];
    this.#child = new Deno.Command(command[0], {
      args: command.slice(1),
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }
  /** A script of this folder, on the Deno that runs the bench. */
  static script(file: string, core: number | undefined, args: readonly string[] = []): PinnedProcess {
    // Clients over TLS meet a certificate that signed itself.
    const trust = "--unsafely-ignore-certificate-errors=127.0.0.1";
    const flags = ["run", "--quiet", "--allow-all", "--no-check", trust, "--config", path("deno.json")];
    const v8 = "--v8-flags=--expose-gc,--max-semi-space-size=4";
    const script = new URL(file, import.meta.url).pathname;
    return new PinnedProcess(file, core, Deno.execPath(), [...flags, v8, script, ...args]);
  }
  get pid(): number {
    return this.#child.pid;
  }
  /** The next line it says. */
  next(): Promise<Said> {
    const said = this.#said.shift();
    if (said !== undefined) return Promise.resolve(said);
    if (this.#over) return Promise.reject(this.#ended());
    const waiting = Promise.withResolvers<Said>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }
  tell(word: object): void {
    this.#stdin.write(new TextEncoder().encode(JSON.stringify(word) + "\n")).catch(() => {});
  }
  ask(word: object): Promise<Said> {
    this.tell(word);
    return this.next();
  }
  usage(): Usage {
    const threads = new Map<string, number>();
    for (const { name: id } of Deno.readDirSync(`/proc/${this.pid}/task`)) {
      const stat = readStat(`/proc/${this.pid}/task/${id}/stat`);
      if (stat) threads.set(threads.has(stat.name) ? `${stat.name} ${id}` : stat.name, stat.cpu_s);
    }
    const { cpu_s } = readStat(`/proc/${this.pid}/stat`)!;
    const pages = Number(Deno.readTextFileSync(`/proc/${this.pid}/statm`).split(" ")[1]);
    return { cpu_s, rss_bytes: pages * PAGE_BYTES, threads };
  }
  /** Moves threads whose names match to a core of their own. */
  async pinThreads(match: RegExp, core: number): Promise<void> {
    for (const { name: id } of Deno.readDirSync(`/proc/${this.pid}/task`)) {
      const stat = readStat(`/proc/${this.pid}/task/${id}/stat`);
      if (stat === undefined || !match.test(stat.name) || !canPin()) continue;
      await new Deno.Command("taskset", { args: ["-cp", String(core), id], stdout: "null" }).output();
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it ended by itself */ }
    await this.#child.status;
    await this.#stdin.close().catch(() => {});
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const part of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + part).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line));
    }
    this.#over = true;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended());
  }
  #take(said: Said): void {
    if (said.slowest !== undefined) return this.onProgress?.(said);
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(said);
    else this.#said.push(said);
  }
  #ended(): Error {
    return new Error(`${this.name}: ended before it answered`);
  }
}

let pinning: boolean | undefined;
/** Whether processes can be held to a core here. */
export function canPin(): boolean {
  if (pinning !== undefined) return pinning;
  try {
    Deno.statSync("/usr/bin/taskset");
    return pinning = true;
  } catch {
    return pinning = false;
  }
}

function readStat(file: string): { name: string; cpu_s: number } | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch {
    // A thread may end between the listing and here.
    return undefined;
  }
  const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { name, cpu_s: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S };
}

/** Lines of JSON from stdin, for the other side. */
export async function* words(): AsyncGenerator<Said> {
  let rest = "";
  for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}
export function say(value: object): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));
}
