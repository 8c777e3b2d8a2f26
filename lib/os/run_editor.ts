/**
 * The person's editor on one file, with the terminal handed over to it. The command is what VISUAL or EDITOR holds: plain
 * words are started directly, anything else goes through the shell, as git does it.
 */
import type { Clock } from "../base/clock.ts";
import { quoted, UserError } from "../base/errors.ts";

export interface EditorRun {
  /** What VISUAL or EDITOR holds. */
  command: string;
  path: string;
  /** All of the editor's environment. */
  env: Readonly<Record<string, string>>;
  /** Ends the editor. */
  signal: AbortSignal;
  clock: Clock;
}

const KILL_AFTER_MS = 2_000;

/** The editor's exit code. Rejects with the signal's reason when that ended it. */
export async function runEditor({ command, path, env, signal, clock }: EditorRun): Promise<number> {
  signal.throwIfAborted();
  const child = start(command, path, env);
  let killing: { cancel(): void } | undefined;
  const stop = () => {
    child.kill("SIGTERM");
    killing = clock.after(KILL_AFTER_MS, () => child.kill("SIGKILL"));
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { code } = await child.status;
    signal.throwIfAborted();
    return code;
  } finally {
    killing?.cancel();
    signal.removeEventListener("abort", stop);
  }
}

function start(command: string, path: string, env: Readonly<Record<string, string>>): Deno.ChildProcess {
  const is_plain = Deno.build.os === "windows" || /^[\w\s./,:=+@%-]+$/.test(command);
  const words = is_plain ? command.trim().split(/\s+/) : ["sh", "-c", `${command} "$1"`, "sh"];
  try {
    return new Deno.Command(words[0], {
      args: [...words.slice(1), path],
      env: { ...env },
      clearEnv: true,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`run editor ${quoted(words[0])}: there is no such program`, {
      hint: "VISUAL or EDITOR names the editor",
    });
  }
}
