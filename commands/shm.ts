/**
 * `mdg shm read NAME`: what readers of a shared-memory segment see, with the same checks that they make.
 */
import { defineCommand, defineGroup, type ExitCode } from "../lib/cli/command.ts";

const read = defineCommand({
  summary: "Print a shared-memory segment: its books, or its events as they come",
  description:
    "Reads /dev/shm/NAME as any other process would. Without --follow it prints the header and the latest book of each " +
    "instrument. With --follow it prints events until Ctrl-C and finds the segment again when its writer is restarted. " +
    "--check says whether the writer lives and everything in the segment is whole: exit 0, or 1 with the reasons.",
  arguments: [{ name: "NAME", doc: "the name in the sink's config", required: true }],
  flags: {
    follow: { type: "boolean", short: "f", doc: "print events as they come" },
    json: { type: "boolean", doc: "JSON; with --follow one object a line" },
    check: { type: "boolean", doc: "judge instead of print" },
    oldest: { type: "boolean", doc: "with --follow: begin with the oldest event that is still there" },
    count: {
      type: "number",
      value: "N",
      integer: true,
      min: 1,
      doc: "with --follow: end after so many events",
    },
    levels: {
      type: "number",
      value: "N",
      integer: true,
      min: 1,
      max: 5_000,
      default: 5,
      doc: "levels a side that are printed for a person",
    },
  },
  examples: [
    { command: "mdg shm read market_data", doc: "the latest books" },
    { command: "mdg shm read market_data --follow --json | jq .price", doc: "every event, for a program" },
    { command: "mdg shm read market_data --check", doc: "for a probe" },
  ],
  permissions: ["ffi"],
  async run(world, flags, [name]): Promise<ExitCode> {
    const { checkSegment, followSegment, showSegment } = await import(
      "../lib/sinks/shared_memory/show_segment.ts"
    );
    if (flags.check) return await checkSegment(world, name, flags.json) ? 0 : 1;
    if (flags.follow) await followSegment(world, name, flags);
    else await showSegment(world, name, flags);
    return 0;
  },
});

export const shm = defineGroup("Look into shared memory", { read });
