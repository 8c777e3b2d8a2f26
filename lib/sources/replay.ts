/**
 * The source `replay`: what `mdg record` wrote, or a capture of another tool, as if it came now: the same mappers, books,
 * sinks and servers. Events keep their recorded times. A recording of several sources becomes as many again.
 */
import { z } from "zod";
import { openReplay } from "./replay/open_replay.ts";
import { timeOf } from "./replay/player.ts";
import { defineSource } from "./source.ts";

const time = z.string().min(1).max(40);

export const REPLAY_SCHEMA = z.strictObject({
  path: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(64)])
    .describe(
      "folder of a recording, a segment, or a capture of `<ns> <frame>` lines; several are merged by time",
    ),
  venue: z.string().optional().describe("of captures of other tools; default: recognised from their frames"),
  speed: z.union([z.literal("max"), z.number().positive().max(1_000_000)]).default(1)
    .describe("market seconds a second, paced by receive time; max: as fast as it goes"),
  from: time.optional().describe(
    "where to begin: ISO 8601, or digits of Unix time; books are there from the beginning",
  ),
  to: time.optional().describe("where to end"),
  symbols: z.array(z.string().min(1).max(64)).min(1).max(5_000).optional().describe(
    "only these; default all",
  ),
  redistribution: z.literal("allowed").optional().describe(
    "the venue agreed that its data is handed to clients of servers; without it venues whose terms forbid that are refused there",
  ),
  at_end: z.enum(["stop", "stay"]).default("stop")
    .describe("stop: the gateway ends too; stay: servers go on with what is there"),
});

export const replay = defineSource({
  name: "replay",
  summary: "A recording of mdg record, or a capture, at its own pace or as fast as it goes",
  schema: REPLAY_SCHEMA,
  create(_config, { name }) {
    throw new TypeError(`open source ${name}: a recording is opened by createAll`);
  },
  async createAll({ path, venue, speed, from, to, symbols = [], at_end, redistribution }, context) {
    const { parts } = await openReplay({
      paths: [path].flat(),
      venue,
      speed: speed === "max" ? Infinity : speed,
      from_us: from === undefined ? undefined : timeOf("from", from),
      to_us: to === undefined ? undefined : timeOf("to", to),
      symbols,
      stays: at_end === "stay",
      may_redistribute: redistribution === "allowed",
    }, context);
    return parts;
  },
});
