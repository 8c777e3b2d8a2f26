/**
 * When something is to happen, as it is written: `{restart at 17:05, trading days}`. A time of day stands on the wall
 * clock of a zone; `open` and `close` follow the exchange's own day, so that 13:00 closes move what hangs on them.
 */
import { z } from "zod";

export const DAY_NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const NEW_YORK = "America/New_York";
const ACTIONS = ["restart", "start", "stop", "reload"] as const;

export type ScheduleAction = typeof ACTIONS[number];

const CLOCK_TIME = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
const MARKET_TIME = /^(open|close)(?:([+-])(\d{1,3})m)?$/;

export const scheduleSchema = z.strictObject({
  do: z.enum(ACTIONS).default("restart").meta({ description: "What happens" }),
  at: z.string().refine((text) => parseAt(text) !== undefined, {
    error: 'want a time of day "HH:MM", or the exchange\'s "open", "close", "close+5m"',
  }).meta({ description: "HH:MM or HH:MM:SS in the zone; or open, close, open-30m, close+5m" }),
  days: z.union([
    z.enum(["every", "trading"]),
    z.array(z.enum(DAY_NAMES)).min(1),
  ]).optional().meta({
    description: "every (default for times of day), trading, or a list such as [mon, wed]",
  }),
  zone: z.string().refine(isZone, { error: 'want an IANA time zone, such as "America/New_York"' })
    .default(NEW_YORK).meta({ description: "Whose wall clock" }),
  missed: z.enum(["skip", "run"]).default("skip")
    .meta({ description: "What to do when the supervisor did not run at that time" }),
}).superRefine(({ at, days, zone }, context) => {
  const is_market_time = parseAt(at)?.kind === "market";
  if (is_market_time && days !== undefined && days !== "trading") {
    context.addIssue({
      code: "custom",
      path: ["days"],
      message: 'want "trading": only such days open and close',
    });
  }
  if ((is_market_time || days === "trading") && zone !== NEW_YORK) {
    context.addIssue({
      code: "custom",
      path: ["zone"],
      message: `want "${NEW_YORK}": trading days are New York's`,
    });
  }
}).transform(({ at, days, ...rest }) => {
  const time = parseAt(at)!;
  return { ...rest, at, time, days: time.kind === "market" ? "trading" as const : days ?? "every" as const };
});

export type ScheduleRule = z.output<typeof scheduleSchema>;

export type ScheduledTime =
  | { kind: "clock"; time: string }
  | { kind: "market"; event: "open" | "close"; offset_minutes: number };

/** Undefined when the text is no time. */
function parseAt(text: string): ScheduledTime | undefined {
  if (CLOCK_TIME.test(text)) return { kind: "clock", time: text };
  const match = MARKET_TIME.exec(text);
  if (!match) return undefined;
  const offset_minutes = match[3] === undefined ? 0 : Number(`${match[2]}${match[3]}`);
  return { kind: "market", event: match[1] as "open" | "close", offset_minutes };
}

function isZone(text: string): boolean {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId.length > 0;
  } catch {
    return false;
  }
}
