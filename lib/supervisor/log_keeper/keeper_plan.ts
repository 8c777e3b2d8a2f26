/**
 * What the log keeper is to write, as a file that the supervisor replaces, and the pipe that wakes the keeper to read it.
 * No signals: a process that has only just started would die of them.
 */
import { renameSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { ProcessId } from "../../os/process_table.ts";

/** One pipe into one rotating file. */
export interface DrainPlan {
  pipe: string;
  file: string;
  max_bytes: number;
  keep_files: number;
}

export interface KeeperPlan {
  supervisor: ProcessId;
  drains: DrainPlan[];
  /** Write what is there, then end. */
  must_end: boolean;
}

export const WAKE_PIPE = "keeper.wake";
const PLAN_FILE = "logs.json";

/** Whole or not at all, and before anything else can be written. */
export function writeKeeperPlan(directory: string, plan: KeeperPlan): void {
  const temporary = `${directory}/${PLAN_FILE}.tmp`;
  writeFileSync(temporary, JSON.stringify(plan), { mode: 0o600 });
  renameSync(temporary, `${directory}/${PLAN_FILE}`);
}

export function readKeeperPlan(directory: string): KeeperPlan {
  return JSON.parse(Deno.readTextFileSync(`${directory}/${PLAN_FILE}`)) as KeeperPlan;
}

export interface KeptLogFile {
  app: string;
  stream: string;
  path: string;
}

/** Where the logs of the last supervisor are; nothing where there was none. */
export function keptLogFiles(directory: string): KeptLogFile[] {
  try {
    return readKeeperPlan(directory).drains.map(({ pipe, file }) => {
      const name = basename(pipe);
      const dot = name.lastIndexOf(".");
      return { app: name.slice(0, dot), stream: name.slice(dot + 1), path: file };
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
