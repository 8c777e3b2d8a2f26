/** The C reader of scripts/shared_memory compiled for a test, and a writer process beside it. */
import type { PatternPlan } from "./pattern_writer.ts";
import { path } from "../../../mdg_process.ts";

/** The path of the program, in a folder that the caller removes. */
export async function compileReader(compiler: string, folder: string): Promise<string> {
  const program = `${folder}/reader`;
  const { success, stderr } = await new Deno.Command(compiler, {
    args: ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, path(SOURCE), "-lm"],
  }).output();
  if (!success) throw new Error(`compile ${SOURCE}: ${new TextDecoder().decode(stderr)}`);
  return program;
}
const SOURCE = "scripts/shared_memory/reader.c";

/** What the witness counted. */
export interface Witnessed {
  accepted: number;
  corrupt: number;
  torn: number;
  lapped: number;
  lost: number;
  others: number;
  distinct: number;
  events_per_s: number;
  p50_us: number;
  p99_us: number;
  p999_us: number;
}

export interface WitnessOptions {
  /** Arguments of the reader after the path of the segment. */
  watch: readonly string[];
  /** Put before both programs: "chrt -f 10". */
  prefix?: readonly string[];
  reader_cpu?: number;
  /** Of the writer: "--single-threaded" where its priority would starve the engine's other threads. */
  v8_flags?: string;
}

/** Runs a writer of the pattern and the witness beside it; the writer starts when the witness watches. */
export async function witness(
  reader: string,
  plan: PatternPlan,
  options: WitnessOptions,
): Promise<Witnessed & { written_s: number }> {
  const { prefix = [] } = options;
  const writer = spawn([
    ...prefix,
    Deno.execPath(),
    ...["run", "--allow-all", "--quiet", "--config", path("deno.json")],
    ...options.v8_flags ? [`--v8-flags=${options.v8_flags}`] : [],
    path("tests/lib/sinks/shared_memory/pattern_writer.ts"),
    JSON.stringify(plan),
  ]);
  const lines = linesOf(writer.stdout);
  const go = writer.stdin.getWriter();
  const line = new TextEncoder().encode("go\n");
  try {
    await lines.next();
    const pin = options.reader_cpu === undefined ? [] : ["taskset", "-c", `${options.reader_cpu}`];
    const watcher = spawn([...prefix, ...pin, reader, `/dev/shm/${plan.name}`, ...options.watch]);
    await watcher.stdin.close();
    await go.write(line);
    const { value: written } = await lines.next();
    const { stdout, stderr, success } = await watcher.output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`read ${plan.name}: ${decoder.decode(stderr)}`);
    const written_s = Number(String(written).split(" ")[1]);
    return { ...JSON.parse(decoder.decode(stdout)), written_s };
  } finally {
    await go.write(line);
    await go.close();
    await lines.return(undefined);
    await Promise.all([writer.status, writer.stderr.cancel()]);
  }
}

function spawn([program, ...args]: string[]): Deno.ChildProcess {
  return new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream() as TransformStream)) {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}
