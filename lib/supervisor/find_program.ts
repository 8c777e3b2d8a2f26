/**
 * A program by path, or by name on PATH, as a shell finds it. One clear sentence when there is none, before anything is
 * started.
 */
import { isAbsolute, join } from "node:path";
import { quoted, UserError } from "../base/errors.ts";

/** Absolute. Throws a UserError naming what was looked for. */
export function findProgram(script: string, cwd: string, search_path: string | undefined): string {
  if (script.includes("/")) {
    const path = isAbsolute(script) ? script : join(cwd, script);
    const fault = programFault(path);
    if (fault !== undefined) throw new UserError(`start ${quoted(path, 200)}: ${fault}`);
    return path;
  }
  for (const folder of (search_path ?? "/usr/local/bin:/usr/bin:/bin").split(":")) {
    const path = join(folder || cwd, script);
    if (programFault(path) === undefined) return isAbsolute(path) ? path : join(cwd, path);
  }
  throw new UserError(`start ${quoted(script)}: no such program on PATH`);
}

function programFault(path: string): string | undefined {
  try {
    const { isFile, mode } = Deno.statSync(path);
    if (!isFile) return "no file, want a program";
    return mode !== null && (mode & 0o111) === 0 ? "not executable, want a program" : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no such program";
    if (error instanceof Deno.errors.NotADirectory) return "a part of the path is a file";
    return "permission denied, want a program that this user may run";
  }
}
