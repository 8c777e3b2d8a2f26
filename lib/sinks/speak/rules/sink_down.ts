/** A sink of this gateway has not been able to deliver for a while. The one that speaks can't tell of itself. */
import { z } from "zod";
import { durationText } from "../alert.ts";
import { LastingState } from "./repeat.ts";
import { defineRule, ruleKeys } from "./rule.ts";

export const sinkDown = defineRule({
  when: "sink_down",
  schema: z.strictObject({
    ...ruleKeys("sink_down", "A sink is down", { priority: "high", repeat_s: 300 }),
    sinks: z.array(z.string().min(1).max(100)).min(1).max(1_000).optional()
      .describe('Only these, as logs and metrics call them ("redis", "redis#2"); absent: all'),
    after_s: z.number().min(0).max(86_400).default(10).describe("Down for so long"),
  }),
  create({ sinks, after_s, repeat_s }) {
    return {
      kinds: [],
      watchPart(role, name, raise) {
        if (role !== "sink" || (sinks && !sinks.includes(name))) return undefined;
        const state = new LastingState(after_s * 1_000, repeat_s * 1_000);
        const spoken_name = name.replaceAll("_", " ").replace("#", " number ");
        return {
          onTick(reason, now_ms) {
            const turn = state.step(reason !== undefined, now_ms);
            if (!turn) return;
            const lasted = durationText(turn.lasted_ms);
            const values = {
              sink: name,
              lasted_ms: turn.lasted_ms,
              ...reason === undefined ? {} : { reason },
            };
            if (turn.turn === "ended") {
              return raise({ text: `sink ${spoken_name} is back after ${lasted}`, values, resolved: true });
            }
            raise({ text: `sink ${spoken_name} down for ${lasted}`, values });
          },
        };
      },
    };
  },
});
