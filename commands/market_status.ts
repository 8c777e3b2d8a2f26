/** `mdg market-status`: which session a market is in, why, and when that changes; now or at a given time. */
import { quoted, UserError } from "../lib/base/errors.ts";
import { defineCommand } from "../lib/cli/command.ts";
import {
  EQUITY_HOURS,
  marketChanges,
  type MarketName,
  MARKETS,
  type MarketState,
  marketState,
} from "../lib/market/calendar.ts";

const NEW_YORK = "America/New_York";
const DAY_MS = 86_400_000;
const MAX_DAYS = 3_660;

export const marketStatus = defineCommand({
  summary: "Tell whether a market is open, why, and when that changes",
  description:
    "US equities follow New York's clock with NYSE holidays and early closes of any year, forex its week from Sunday to " +
    "Friday 17:00, crypto never closes. Times are shown in New York.",
  flags: {
    at: {
      type: "text",
      value: "TIME",
      doc: "ask about this time (ISO 8601, such as 2026-11-27T13:00-05:00)",
    },
    market: { type: "list", value: "NAME", choices: MARKETS, default: MARKETS, doc: "which market" },
    overnight: { type: "text", value: "HH:MM", doc: "US equities also have a night session from this time" },
    days: {
      type: "number",
      value: "DAYS",
      integer: true,
      min: 1,
      max: MAX_DAYS,
      doc: "list the changes ahead",
    },
    json: { type: "boolean", doc: "one object a line; times in milliseconds since 1970" },
  },
  examples: [
    { command: "mdg market-status", doc: "now" },
    { command: "mdg market-status --market us_equities --days 7", doc: "the week ahead" },
  ],
  async run(world, flags) {
    const at_ms = flags.at === undefined ? world.clock.now_ms() : timeOf(flags.at);
    const options = { hours: { ...EQUITY_HOURS, overnight_start: overnightOf(flags.overnight) } };
    let text = "";
    for (const market of flags.market as MarketName[]) {
      const state = marketState(market, at_ms, options);
      text += flags.json ? `${JSON.stringify({ at_ms, ...state })}\n` : `${sentence(state, at_ms)}\n`;
      if (flags.days === undefined) continue;
      for (const change of marketChanges(market, at_ms, at_ms + flags.days * DAY_MS, options)) {
        const { session, reason } = change;
        text += flags.json
          ? `${JSON.stringify({ market, ...change })}\n`
          : `  ${newYork(change.at_ms)}  ${session}${reason ? ` (${reason})` : ""}\n`;
      }
    }
    await world.stdout(text);
    return 0;
  },
});

/** "us_equities: closed (Thanksgiving Day) since Wed 2026-11-25 20:00 EST, pre from Fri 2026-11-27 04:00 EST (in 18 h 0 min)" */
function sentence({ market, session, reason, since_ms, next }: MarketState, at_ms: number): string {
  const state = `${market}: ${session}${reason ? ` (${reason})` : ""}`;
  if (since_ms === undefined || next === undefined) return `${state}, always`;
  const minutes = Math.ceil((next.at_ms - at_ms) / 60_000);
  const wait = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${state} since ${newYork(since_ms)}, ${next.session} from ${newYork(next.at_ms)} (in ${wait})`;
}

function newYork(at_ms: number): string {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: NEW_YORK,
    weekday: "short",
    timeZoneName: "short",
  }).formatToParts(at_ms);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  const zoned = Temporal.Instant.fromEpochMilliseconds(at_ms).toZonedDateTimeISO(NEW_YORK);
  const time = zoned.toPlainTime().toString({ smallestUnit: "minute" });
  return `${part("weekday")} ${zoned.toPlainDate()} ${time} ${part("timeZoneName")}`;
}

function timeOf(text: string): number {
  try {
    return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    throw new UserError(
      `read --at ${quoted(text)}: no time with an offset, want such as 2026-11-27T13:00-05:00`,
      {
        code: 2,
      },
    );
  }
}

function overnightOf(text: string | undefined): string | undefined {
  if (text === undefined || /^([01]\d|2[0-3]):[0-5]\d$/.test(text)) return text;
  throw new UserError(`read --overnight ${quoted(text)}: no time of day, want HH:MM such as 20:00`, {
    code: 2,
  });
}
