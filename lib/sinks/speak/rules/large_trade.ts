/** A single trade of at least a quantity or a value. Each one is an alert of its own. */
import { z } from "zod";
import { numberText } from "./price.ts";
import { Pause } from "./repeat.ts";
import { defineRule, ruleKeys, SELECTION } from "./rule.ts";

export const largeTrade = defineRule({
  when: "large_trade",
  schema: z.strictObject({
    ...ruleKeys("large_trade", "A large trade", { priority: "low", repeat_s: 0 }),
    ...SELECTION,
    min_quantity: z.number().gt(0).optional().describe("From this quantity on"),
    min_value: z.number().gt(0).optional().describe("From this price times quantity on"),
  }).refine(
    ({ min_quantity, min_value }) => min_quantity !== undefined || min_value !== undefined,
    { path: ["min_quantity"], message: "must be given, or min_value" },
  ),
  create({ min_quantity, min_value, repeat_s }) {
    return {
      kinds: ["trade"],
      watchInstrument(_venue, symbol, raise) {
        const pause = new Pause(repeat_s * 1_000);
        let count = 0;
        return {
          blind: () => count > 0 ? undefined : "no trade has come",
          onUpdate(update, now_ms) {
            if (update.kind !== "trade") return;
            count++;
            const { price, quantity, trade_id, venue_trade_id, aggressor } = update;
            const is_large = (min_quantity === undefined || quantity >= min_quantity) &&
              (min_value === undefined || price * quantity >= min_value);
            if (!is_large) return;
            if (!pause.passes(now_ms)) return raise.suppressed();
            const side = aggressor === undefined ? "trade" : aggressor === "buy" ? "bought" : "sold";
            const text = `${symbol} ${numberText(quantity)} ${side} at ${numberText(price)}`;
            const id = trade_id ?? venue_trade_id;
            raise({
              id: id ?? `#${count}`,
              text,
              values: { price, quantity, ...id === undefined ? {} : { trade_id: id } },
            });
          },
        };
      },
    };
  },
});
