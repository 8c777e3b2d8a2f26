/**
 * Best ask minus best bid is wide, and has been for a while. It counts as narrow again only below the threshold less the
 * hysteresis, so a spread at the threshold is heard once.
 */
import { z } from "zod";
import { durationText } from "../alert.ts";
import { askOf, bidOf, numberText, percentText } from "./price.ts";
import { LastingState } from "./repeat.ts";
import { defineRule, ruleKeys, SELECTION } from "./rule.ts";

export const spreadWide = defineRule({
  when: "spread_wide",
  schema: z.strictObject({
    ...ruleKeys("spread_wide", "The spread is wide", { priority: "normal", repeat_s: 300 }),
    ...SELECTION,
    percent: z.number().gt(0).max(1_000_000).describe("From how much on, in percent of the mid price"),
    hysteresis_percent: z.number().min(0).max(100).default(10)
      .describe("It is narrow again so many percent of the threshold below it"),
    for_s: z.number().min(0).max(86_400).default(5).describe("How long it must have been so"),
  }),
  create({ percent, hysteresis_percent, for_s, repeat_s }) {
    const narrow = percent * (1 - hysteresis_percent / 100);
    return {
      kinds: ["book", "quote", "ticker", "book_status"],
      watchInstrument(_venue, symbol, raise) {
        const state = new LastingState(for_s * 1_000, repeat_s * 1_000);
        let spread: { percent: number; amount: number } | undefined;
        let is_wide = false;
        const step = (now_ms: number) => {
          const turn = state.step(is_wide, now_ms);
          if (!turn || !spread) return;
          const values = { spread_percent: spread.percent, spread: spread.amount };
          if (turn.turn === "ended") {
            const text = `${symbol} spread is back to ${percentText(spread.percent)} after ${
              durationText(turn.lasted_ms)
            }`;
            return raise({ text, values, resolved: true });
          }
          raise({
            text: `${symbol} spread ${percentText(spread.percent)}, ${numberText(spread.amount)}`,
            values,
          });
        };
        return {
          blind: () => spread ? undefined : "neither bid nor ask has come",
          onUpdate(update, now_ms) {
            if (update.kind === "book_status") {
              // the last spread of a book out of sync is no spread any more
              if (update.in_sync) return;
              is_wide = false;
              return state.forget();
            }
            const bid = bidOf(update);
            const ask = askOf(update);
            if (bid === undefined || ask === undefined || ask + bid <= 0) return;
            const amount = Number((ask - bid).toPrecision(12));
            spread = { amount, percent: (ask - bid) / ((ask + bid) / 2) * 100 };
            is_wide = spread.percent >= (is_wide ? narrow : percent);
            step(now_ms);
          },
          onTick: (book, now_ms) => {
            if (book.notReady() === undefined) step(now_ms);
          },
        };
      },
    };
  },
});
