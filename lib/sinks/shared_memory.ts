/**
 * True shared memory for processes of this machine: /dev/shm/<name> holds the latest book of each instrument and a ring
 * of all events (layout: shared_memory/README.md). Updates are written where they are offered, with no queue between:
 * the writer never waits, so there is nothing to hold back. A reader that is too slow loses events, sees that it did,
 * and takes the books again. Refuses: a second writer under one name.
 */
import { z } from "zod";
import { geometryOf } from "./shared_memory/layout.ts";
import { defineSink } from "./sink.ts";

const MAX_BYTES = 4 * 1024 ** 3;

export const SHARED_MEMORY_SCHEMA = z.strictObject({
  name: z.string().regex(/^\/?[^/\0]{1,200}$/, 'want up to 200 characters without "/"')
    .refine((name) => !/^\/?\.{1,2}$/.test(name), 'want a name, not "." or ".."')
    .describe("Readers find it as /dev/shm/<name>"),
  order_book_depth: z.int().min(1).max(5_000).default(20).describe("Levels a side of the latest books"),
  max_instruments: z.int().min(1).max(100_000).default(256)
    .describe("Places for latest books; updates of further instruments are refused and counted"),
  ring_events: z.int().min(64).max(2 ** 23).default(65_536)
    .refine((count) => (count & (count - 1)) === 0, "want a power of two")
    .describe("Events that the ring keeps, 256 bytes each"),
  deltas: z.boolean().default(false)
    .describe("Write the changed levels of each book update to the ring, 12 levels an event"),
  mode: z.string().regex(/^0?[0-7]{3}$/, 'want three octal digits in quotes, like "0640"')
    .refine((mode) => (parseInt(mode, 8) & 0o600) === 0o600, "want at least 6 for the owner, like 0600")
    .default("0600").describe("Permissions of the segment"),
  keep: z.boolean().default(false).describe("Leave the last state under the name after a clean stop"),
  heartbeat_interval_ms: z.int().min(10).max(10_000).default(100)
    .describe("How often readers are shown that the writer lives"),
}).refine(
  ({ max_instruments, order_book_depth, ring_events }) =>
    geometryOf(max_instruments, order_book_depth, ring_events).total_bytes <= MAX_BYTES,
  {
    path: ["ring_events"],
    error: "want at most 4 GiB in all: fewer events, instruments or levels",
  },
);
export type SharedMemoryConfig = z.output<typeof SHARED_MEMORY_SCHEMA>;

export const sharedMemory = defineSink({
  name: "shared_memory",
  summary: "Shared memory for local processes: latest books and a ring of events under /dev/shm",
  schema: SHARED_MEMORY_SCHEMA,
  permissions: ["ffi"],
  async connect(config, context) {
    const { SharedMemorySink } = await import("./shared_memory/shared_memory_sink.ts");
    return new SharedMemorySink(config, context);
  },
});
