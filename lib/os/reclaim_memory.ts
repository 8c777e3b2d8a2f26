/**
 * Makes the resident set tell the truth: collects garbage now and has the C library give freed pages back, which by
 * itself it keeps (tried: 258 MiB resident of which 67 in use, until asked). For the memory guard, which must not end a
 * client for memory that is free already. Where the engine or the system can't, it does what it can.
 */
import { type Clock, sleep } from "../base/clock.ts";
import v8 from "node:v8";
import vm from "node:vm";
import { libc } from "./libc.ts";

/** What was collected is freed on another thread, a moment later. */
const SWEEP_MS = 20;

let collect: (() => void) | undefined;
let is_prepared = false;
let gives_back = false;

/** Looks up what is needed, while native calls are still allowed. Idempotent, never throws. */
export function prepareReclaim(): void {
  if (is_prepared) return;
  is_prepared = true;
  try {
    v8.setFlagsFromString("--expose-gc");
    const found = vm.runInNewContext("globalThis.gc");
    if (typeof found === "function") collect = () => void found();
  } catch {
    // An engine without it collects when it thinks fit.
  }
  try {
    libc("give memory back");
    gives_back = true;
  } catch {
    // Not Linux, or not allowed: pages stay with the process and are used again.
  }
}

/** Collects the garbage of this thread; takes 10 to 200 ms, in which nothing else runs here. */
export function collectGarbage(): void {
  prepareReclaim();
  collect?.();
}

/** Collects before it returns, then gives free pages back on another thread. False: they can't be given back here. */
export async function reclaimMemory(clock: Clock): Promise<boolean> {
  collectGarbage();
  if (!gives_back) return false;
  await sleep(clock, SWEEP_MS);
  await libc("give memory back").malloc_trim(0n);
  return true;
}
