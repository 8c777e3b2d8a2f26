/**
 * What a new supervisor must know of the dead one's programs: state.json, written whole at every change. Process ids are
 * kept with their start time and the boot they belong to, so a number that was used again is never taken for ours.
 */
import { renameSync, writeFileSync } from "node:fs";
import { bootId, type ProcessId } from "../os/process_table.ts";

export interface KeptApp {
  process?: ProcessId;
  started_ms?: number;
  was_online: boolean;
  is_wanted: boolean;
  restarts: number;
  /** Of the config it was started with: another one means that it has to be started again. */
  config_hash: string;
}

export interface KeptState {
  version: 1;
  boot_id: string;
  /** Names this supervisor's processes apart from those of any other, in the mark that they carry. */
  id: string;
  keeper?: ProcessId;
  apps: Record<string, KeptApp>;
  /** Rule of a schedule → when it last ran. */
  schedule: Record<string, number>;
}

const NAME = "state.json";

/** Undefined when there is none, or none that can be read. */
export function readState(directory: string): KeptState | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${directory}/${NAME}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const state = JSON.parse(text) as KeptState;
    return state.version === 1 && typeof state.id === "string" ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all; not forced to the disk, since it means nothing after a reboot. */
export function writeState(directory: string, state: KeptState): void {
  const temporary = `${directory}/${NAME}.tmp`;
  writeFileSync(temporary, JSON.stringify(state), { mode: 0o600 });
  renameSync(temporary, `${directory}/${NAME}`);
}

/** The state to begin with: the kept one, without the processes of another boot. */
export function stateToGoOn(kept: KeptState | undefined, new_id: () => string): KeptState {
  const boot_id = bootId();
  if (kept?.boot_id === boot_id) return kept;
  const schedule = kept?.schedule ?? {};
  return { version: 1, boot_id, id: kept?.id ?? new_id(), apps: {}, schedule };
}
