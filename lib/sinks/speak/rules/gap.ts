/** Updates of a book are missing; it is out of sync until it is repaired. How long that takes is feed_dead's matter. */
import { z } from "zod";
import { counted } from "../alert.ts";
import { Pause } from "./repeat.ts";
import { defineRule, ruleKeys, SELECTION } from "./rule.ts";

export const gap = defineRule({
  when: "gap",
  schema: z.strictObject({
    ...ruleKeys("gap", "Updates of a book are missing", { priority: "high", repeat_s: 60 }),
    ...SELECTION,
  }),
  create({ repeat_s }) {
    return {
      kinds: ["book_status"],
      watchInstrument(venue, symbol, raise) {
        const pause = new Pause(repeat_s * 1_000);
        return {
          onUpdate(update, now_ms) {
            if (update.kind !== "book_status" || update.in_sync || update.reason !== "gap") return;
            if (!pause.passes(now_ms)) return raise.suppressed();
            const { missing_from_id: from, missing_to_id: to } = update;
            const ids = from === undefined || to === undefined
              ? undefined
              : { missing_from_id: from, missing_to_id: to };
            const how_many = ids
              ? `, ${counted(ids.missing_to_id - ids.missing_from_id + 1, "update id")} missing`
              : "";
            raise({ text: `${symbol} gap at ${venue}${how_many}`, values: ids ?? {} });
          },
        };
      },
    };
  },
});
