/**
 * mdg as a child process: from source with exactly the flags of the task `start`, or the compiled binary that
 * MDG_BINARY names. The same tests run against both.
 */
import manifest from "../deno.json" with { type: "json" };

export const binary = Deno.env.get("MDG_BINARY");

const repository = new URL("..", import.meta.url);

/** Program and leading arguments; append mdg's own. */
export function mdgCommand(): { program: string; args: string[] } {
  if (binary) return { program: binary, args: [] };
  return {
    program: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--config",
      path("deno.json"),
      ...manifest.tasks.start.split(" ").filter((word) => word.startsWith("--")),
      path("main.ts"),
    ],
  };
}

/** An absolute path inside the repository. */
export function path(relative: string): string {
  const url = new URL(relative, repository);
  return Deno.build.os === "windows" ? url.pathname.slice(1) : decodeURIComponent(url.pathname);
}

export interface MdgOptions {
  args: readonly string[];
  cwd?: string;
  env?: Readonly<Record<string, string>>;
}

/** A running mdg; `stdin`, `stdout` and `stderr` are piped. */
export function spawnMdg(options: MdgOptions): Deno.ChildProcess {
  const { program, args } = mdgCommand();
  return new Deno.Command(program, {
    args: [...args, ...options.args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

export interface MdgResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs mdg to its end. */
export async function runMdg(options: MdgOptions & { stdin?: string }): Promise<MdgResult> {
  const child = spawnMdg(options);
  const feed = async () => {
    const writer = child.stdin.getWriter();
    try {
      if (options.stdin) await writer.write(new TextEncoder().encode(options.stdin));
      await writer.close();
    } catch (error) {
      // a command that does not read its stdin may end first
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  };
  const [result] = await Promise.all([child.output(), feed()]);
  const decoder = new TextDecoder();
  return { code: result.code, stdout: decoder.decode(result.stdout), stderr: decoder.decode(result.stderr) };
}
