/**
 * CLOCK_MONOTONIC of the machine, which all its processes share: what one process stamps another may subtract. The
 * runtime's own monotonic time starts anew in each process and costs ten times as much to ask.
 */
import { libc } from "./libc.ts";

const CLOCK_MONOTONIC = 1;
/** struct timespec, both halves in 64 bits. */
const TIMESPEC_BYTES = 16;

/** How to ask for the time in microseconds since boot, with a fraction. */
export function monotonicClock(): () => number {
  const { clock_gettime } = libc("read the machine's monotonic clock");
  const timespec = new Uint8Array(TIMESPEC_BYTES);
  const words = new Uint32Array(timespec.buffer);
  return () => {
    clock_gettime(CLOCK_MONOTONIC, timespec);
    return words[0] * 1e6 + words[2] / 1e3;
  };
}
