/**
 * What is configured does not flow: the book out of sync or the connection gone for a while, or, where asked for, nothing
 * heard at all though the market is open. A closed market is no dead feed.
 */
import { z } from "zod";
import { durationText } from "../alert.ts";
import { LastingState } from "./repeat.ts";
import { defineRule, ruleKeys, SELECTION } from "./rule.ts";

export const feedDead = defineRule({
  when: "feed_dead",
  schema: z.strictObject({
    ...ruleKeys("feed_dead", "A feed is dead", { priority: "critical", repeat_s: 300 }),
    ...SELECTION,
    after_s: z.number().min(0).max(86_400).default(10).describe(
      "Dead for so long: not connected, out of sync",
    ),
    silent_s: z.number().gt(0).max(86_400).optional()
      .describe(
        "Also dead when nothing at all came for so long while the market is open; absent: silence is fine",
      ),
  }),
  create({ after_s, silent_s, repeat_s }) {
    return {
      kinds: silent_s === undefined ? [] : ["book", "trade", "quote", "ticker", "candle"],
      watchInstrument(venue, symbol, raise) {
        const state = new LastingState(after_s * 1_000, repeat_s * 1_000);
        let heard_ms: number | undefined;
        return {
          onUpdate(_update, now_ms) {
            heard_ms = now_ms;
          },
          onTick(book, now_ms) {
            const closed = book.silence?.() !== undefined;
            if (closed) heard_ms = now_ms;
            heard_ms ??= now_ms;
            const is_silent = silent_s !== undefined && now_ms - heard_ms >= silent_s * 1_000;
            const reason = closed ? undefined : book.notReady() ?? (is_silent ? "nothing comes" : undefined);
            // silence has lasted already when it is found
            if (reason !== undefined && is_silent) state.since_ms ??= heard_ms;
            const turn = state.step(reason !== undefined, now_ms);
            if (!turn) return;
            const lasted = durationText(turn.lasted_ms);
            const values = { lasted_ms: turn.lasted_ms, ...reason === undefined ? {} : { reason } };
            if (turn.turn === "ended") {
              raise({ text: `${symbol} feed is back after ${lasted}`, values, resolved: true });
            } else raise({ text: `${symbol} feed dead for ${lasted} at ${venue}`, values });
          },
        };
      },
    };
  },
});
