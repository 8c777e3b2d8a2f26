/**
 * Makes the one binary. Permissions are those of the task `start` in deno.json, so they are written once; the version
 * is deno.json's, inside. Use: deno task compile [--target TRIPLE] [--output FILE]
 * DENORT_BIN names a base runtime for this machine where the download is not reachable.
 */
import manifest from "../deno.json" with { type: "json" };
import { Output, processStreams } from "../lib/cli/output.ts";

export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-pc-windows-msvc",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
];

/** Modules that are reached by a computed path (Workers), so the compiler cannot see them. */
const INCLUDES: readonly string[] = [
  "lib/servers/restream/worker/edge_worker.ts",
  "lib/recorder/worker.ts",
  "lib/sinks/log/compress_worker.ts",
  "lib/sinks/sql/sqlite/worker.ts",
];

/**
 * The flags between `deno run` and `main.ts` of the task `start` that a binary keeps: permissions, engine settings. Not
 * that of lazy imports: it halves a start from source, and the compiler would leave out what it makes lazy.
 */
export function startFlags(start_task: string): string[] {
  return start_task.split(" ").filter((word) => /^--(allow-|deny-|no-prompt|v8-flags)/.test(word));
}

export interface CompilePlan {
  args: string[];
  env: Record<string, string>;
  output: string;
  /** DENORT_BIN is a runtime for this machine: useless for another target. */
  drops_denort: boolean;
}

/** Throws on a flag or target it does not know. */
export function planCompile(args: readonly string[], host_target: string, start_task: string): CompilePlan {
  let target: string | undefined;
  let output: string | undefined;
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [name, inline] = arg.split("=", 2);
    const value = () => {
      const given = inline ?? rest.shift();
      if (!given) throw new Error(`read "${name}": no value, want one`);
      return given;
    };
    if (name === "--target") target = value();
    else if (name === "--output") output = value();
    else throw new Error(`read "${arg}": unknown, want --target TRIPLE or --output FILE`);
  }
  if (target !== undefined && !TARGETS.includes(target)) {
    throw new Error(`compile for "${target}": want one of ${TARGETS.join(", ")}`);
  }
  const is_foreign = target !== undefined && target !== host_target;
  output ??= is_foreign ? `dist/mdg-${target}` : "dist/mdg";
  return {
    args: [
      "compile",
      "--exclude-unused-npm",
      ...startFlags(start_task),
      ...INCLUDES.flatMap((path) => ["--include", path]),
      ...target ? ["--target", target] : [],
      "--output",
      output,
      "main.ts",
    ],
    // prom-client's module graph overflows the compiler's default stack on a cold cache
    env: { RUST_MIN_STACK: "67108864" },
    output,
    drops_denort: is_foreign,
  };
}

if (import.meta.main) {
  const plan = planCompile(Deno.args, Deno.build.target, manifest.tasks.start);
  const env = { ...Deno.env.toObject(), ...plan.env };
  if (plan.drops_denort) delete env.DENORT_BIN;
  const { code } = await new Deno.Command(Deno.execPath(), { args: plan.args, env, clearEnv: true }).spawn()
    .status;
  if (code === 0) new Output(processStreams(), false).talk(`compiled ${plan.output}\n`);
  Deno.exitCode = code;
}
