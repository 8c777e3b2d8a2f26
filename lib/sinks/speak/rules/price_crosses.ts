/**
 * The price reaches a level from below or from above. With hysteresis it must first have been that far on the other side
 * again, so a price that trembles about the level is heard once. The first price only tells on which side it is.
 */
import { z } from "zod";
import { kindsWith, numberText, PRICE_KEY, priceOf } from "./price.ts";
import { Pause } from "./repeat.ts";
import { defineRule, ruleKeys, SELECTION } from "./rule.ts";

export const priceCrosses = defineRule({
  when: "price_crosses",
  schema: z.strictObject({
    ...ruleKeys("price_crosses", "The price reaches a level", { priority: "normal", repeat_s: 60 }),
    ...SELECTION,
    ...PRICE_KEY,
    level: z.number().describe("The level; reaching it counts"),
    direction: z.enum(["up", "down", "both"]).default("both").describe("Which way: up, down, both"),
    hysteresis: z.number().min(0).default(0)
      .describe("How far the price must have been away again before it counts anew, in its own unit"),
  }),
  create({ price, level, direction, hysteresis, repeat_s }) {
    return {
      kinds: kindsWith(price),
      watchInstrument(_venue, symbol, raise) {
        let arms: { up: boolean; down: boolean } | undefined;
        const pauses = { up: new Pause(repeat_s * 1_000), down: new Pause(repeat_s * 1_000) };
        const fire = (way: "up" | "down", value: number, now_ms: number) => {
          if (direction !== "both" && direction !== way) return;
          if (!pauses[way].passes(now_ms)) return raise.suppressed();
          const text = `${symbol} ${way} through ${numberText(level)}, now ${numberText(value)}`;
          raise({ text, values: { price: value, level, direction: way } });
        };
        return {
          blind: () => arms ? undefined : `no ${price} price has come`,
          onUpdate(update, now_ms) {
            const value = priceOf(update, price);
            if (value === undefined) return;
            if (!arms) {
              arms = { up: value < level, down: value > level };
              return;
            }
            if (value >= level && arms.up) {
              arms.up = false;
              fire("up", value, now_ms);
            } else if (value <= level && arms.down) {
              arms.down = false;
              fire("down", value, now_ms);
            }
            if (value < level && level - value >= hysteresis) arms.up = true;
            if (value > level && value - level >= hysteresis) arms.down = true;
          },
        };
      },
    };
  },
});
