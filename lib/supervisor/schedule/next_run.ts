/**
 * The next time of a rule. On the two odd days of the year: a wall time that the spring gap skips runs once, at the first
 * instant after the gap; one that the autumn repeats runs once, at its first occurrence. Offsets come from the time zone
 * data, trading days and early closes from the market calendar.
 */
import { EQUITY_HOURS, equityClosure } from "../../market/calendar.ts";
import { type Day, nyseYear } from "../../market/nyse_days.ts";
import { DAY_NAMES, type ScheduleRule } from "./schedule_schema.ts";

export interface Run {
  /** Unix epoch, milliseconds. */
  at_ms: number;
  /** What is odd about this day: an early close, a shift by daylight saving. */
  note?: string;
}

/** Longer than any run of days that a rule can skip. */
const MAX_DAYS = 400;

/** The first run strictly after `after_ms`; undefined when there is none within a year. */
export function nextRun(
  rule: ScheduleRule,
  after_ms: number,
  closures: Readonly<Record<Day, string>> = {},
): Run | undefined {
  const start = Temporal.Instant.fromEpochMilliseconds(Math.floor(after_ms)).toZonedDateTimeISO(rule.zone);
  for (let days = 0; days < MAX_DAYS; days++) {
    const day = start.toPlainDate().add({ days });
    const run = fits(rule, day, closures) ? runOn(rule, day) : undefined;
    if (run && run.at_ms > after_ms) return run;
  }
  return undefined;
}

/** The next `count` runs. */
export function nextRuns(
  rule: ScheduleRule,
  after_ms: number,
  count: number,
  closures: Readonly<Record<Day, string>> = {},
): Run[] {
  const runs: Run[] = [];
  for (let run = nextRun(rule, after_ms, closures); run && runs.length < count;) {
    runs.push(run);
    run = nextRun(rule, run.at_ms, closures);
  }
  return runs;
}

function fits({ days }: ScheduleRule, day: Temporal.PlainDate, closures: Record<Day, string>): boolean {
  if (days === "every") return true;
  if (days === "trading") return equityClosure(day.toString(), closures) === undefined;
  return days.includes(DAY_NAMES[day.dayOfWeek - 1]);
}

function runOn({ time, zone }: ScheduleRule, day: Temporal.PlainDate): Run {
  if (time.kind === "clock") return atWallTime(day, time.time, zone);
  const short = nyseYear(day.year).early_closes.get(day.toString());
  const close = short ? EQUITY_HOURS.early_regular_end : EQUITY_HOURS.regular_end;
  const run = atWallTime(day, time.event === "open" ? EQUITY_HOURS.regular_start : close, zone);
  const note = short && time.event === "close" ? `early close: ${short}` : run.note;
  return { at_ms: run.at_ms + time.offset_minutes * 60_000, note };
}

function atWallTime(day: Temporal.PlainDate, time: string, zone: string): Run {
  const wanted = day.toPlainDateTime(Temporal.PlainTime.from(time));
  // the earlier of two occurrences, which is the first
  const earlier = wanted.toZonedDateTime(zone, { disambiguation: "earlier" });
  const later = wanted.toZonedDateTime(zone, { disambiguation: "later" });
  if (earlier.epochMilliseconds === later.epochMilliseconds) return { at_ms: earlier.epochMilliseconds };
  if (earlier.toPlainDateTime().equals(wanted)) {
    return { at_ms: earlier.epochMilliseconds, note: `${time} comes twice, the first counts` };
  }
  // in a gap "earlier" lies before it and "later" behind it
  const first = earlier.getTimeZoneTransition("next") ?? later;
  return {
    at_ms: first.epochMilliseconds,
    note: `${time} does not exist, ${first.toPlainTime().toString({ smallestUnit: "minute" })} instead`,
  };
}
