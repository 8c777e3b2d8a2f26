/**
 * The price is so many percent away from its lowest or highest of the last while. After an alert the window begins anew at
 * that price, so the next one tells of a further move, not of the same.
 */
import { z } from "zod";
import { durationText } from "../alert.ts";
import { kindsWith, numberText, percentText, PRICE_KEY, priceOf } from "./price.ts";
import { type Extreme, PriceWindow } from "./price_window.ts";
import { Pause } from "./repeat.ts";
import { defineRule, ruleKeys, SELECTION } from "./rule.ts";

export const priceMoves = defineRule({
  when: "price_moves",
  schema: z.strictObject({
    ...ruleKeys("price_moves", "The price moves by percent within a time", {
      priority: "normal",
      repeat_s: 60,
    }),
    ...SELECTION,
    ...PRICE_KEY,
    percent: z.number().gt(0).max(1_000_000).describe("How far, in percent of the price it moved from"),
    within_s: z.number().min(1).max(86_400).default(300).describe("Within how long, to a sixtieth of it"),
    direction: z.enum(["up", "down", "both"]).default("both").describe("Which way: up, down, both"),
  }),
  create({ price, percent, within_s, direction, repeat_s }) {
    return {
      kinds: kindsWith(price),
      watchInstrument(_venue, symbol, raise) {
        const window = new PriceWindow(within_s * 1_000);
        const pause = new Pause(repeat_s * 1_000);
        let has_price = false;
        const judge = (way: "up" | "down", from: Extreme | undefined, value: number, now_ms: number) => {
          if (!from || from.price <= 0 || (direction !== "both" && direction !== way)) return;
          const moved = (value - from.price) / from.price * 100;
          if (way === "up" ? moved < percent : -moved < percent) return;
          window.clear();
          window.add(value, now_ms);
          if (!pause.passes(now_ms)) return raise.suppressed();
          const text = `${symbol} ${way} ${percentText(moved)} in ${durationText(now_ms - from.at_ms)}, at ${
            numberText(value)
          }`;
          raise({ text, values: { price: value, from_price: from.price, percent: moved, direction: way } });
        };
        return {
          blind: () => has_price ? undefined : `no ${price} price has come`,
          onUpdate(update, now_ms) {
            const value = priceOf(update, price);
            if (value === undefined) return;
            has_price = true;
            window.add(value, now_ms);
            judge("up", window.low(), value, now_ms);
            judge("down", window.high(), value, now_ms);
          },
        };
      },
    };
  },
});
