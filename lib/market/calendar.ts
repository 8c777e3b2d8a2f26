/**
 * When markets trade: US equities by New York's clock with holidays and early closes, forex by its week, crypto always.
 * Offsets come from the time zone data, never from constants, so both DST days are right. A session begins at its first
 * millisecond and ends before the next one's. Session bounds are data: exchanges are about to lengthen their days.
 */
import { type Day, nyseYear } from "./nyse_days.ts";

export const MARKETS = ["us_equities", "forex", "crypto"] as const;
export type MarketName = typeof MARKETS[number];

/** `open`: a market without named sessions. */
export type SessionName = "pre" | "regular" | "post" | "overnight" | "open" | "closed";

export interface MarketState {
  market: MarketName;
  session: SessionName;
  /** Why it is closed, or why the day is short: "weekend", "Thanksgiving Day", "early close: Christmas Eve". */
  reason?: string;
  /** When the session began, Unix epoch, milliseconds; absent for a market that never changes. */
  since_ms?: number;
  /** The next change; absent for a market that never changes. */
  next?: { at_ms: number; session: SessionName };
}

/** Wall times in New York, "HH:MM". */
export interface EquityHours {
  pre_start: string;
  regular_start: string;
  regular_end: string;
  post_end: string;
  early_regular_end: string;
  early_post_end: string;
  /** The session before a trading day begins on the evening before; absent: there is none. */
  overnight_start?: string;
}

/** NYSE and Nasdaq; Blue Ocean's night begins at 20:00, and Nasdaq plans one from 21:00. */
export const EQUITY_HOURS: EquityHours = {
  pre_start: "04:00",
  regular_start: "09:30",
  regular_end: "16:00",
  post_end: "20:00",
  early_regular_end: "13:00",
  early_post_end: "17:00",
};

export interface CalendarOptions {
  hours?: EquityHours;
  /** Closures that were announced after this was written: day → why. */
  closures?: Readonly<Record<Day, string>>;
}

const NEW_YORK = "America/New_York";
const FRIDAY = 5;
const SUNDAY = 7;
const FOREX_ROLL = "17:00";
const THIN = "thin: ";
const FOREX_THIN_DAYS: Readonly<Record<string, string>> = {
  "01-01": "New Year's Day",
  "12-25": "Christmas Day",
};
/** The longest closure by rule spans four days; proclaimed ones have lasted a week. */
const DAYS_TO_LOOK = 15;

interface Change {
  at_ms: number;
  session: SessionName;
  reason?: string;
}

/** The state of a market at a time, Unix epoch, milliseconds. */
export function marketState(market: MarketName, at_ms: number, options: CalendarOptions = {}): MarketState {
  if (market === "crypto") return { market, session: "open" };
  const changes = changesAround(market, at_ms, options);
  let now = 0;
  while (now + 1 < changes.length && changes[now + 1].at_ms <= at_ms) now++;
  const { session, at_ms: since_ms } = changes[now];
  const reason = reasonOn(market, session, newYorkDay(at_ms), options) ?? changes[now].reason;
  const next = changes[now + 1];
  return { market, session, reason, since_ms, next: { at_ms: next.at_ms, session: next.session } };
}

/** Why nothing is to be expected of a market: "market closed: Thanksgiving Day"; undefined while it trades as usual. */
export function quietReason({ session, reason }: MarketState): string | undefined {
  if (session === "closed") return reason === undefined ? "market closed" : `market closed: ${reason}`;
  return reason?.startsWith(THIN) ? `market ${reason}` : undefined;
}

/** Every change of session in [from_ms, to_ms), in order. */
export function marketChanges(
  market: MarketName,
  from_ms: number,
  to_ms: number,
  options: CalendarOptions = {},
): { at_ms: number; session: SessionName; reason?: string }[] {
  const found: Change[] = [];
  let state = marketState(market, from_ms - 1, options);
  while (state.next && state.next.at_ms < to_ms) {
    state = marketState(market, state.next.at_ms, options);
    found.push({ at_ms: state.since_ms!, session: state.session, reason: state.reason });
  }
  return found;
}

/** What the day itself says: a closure may span a weekend and a holiday, and forex is thin on two days of the year [U]. */
function reasonOn(
  market: MarketName,
  session: SessionName,
  day: Temporal.PlainDate,
  { closures }: CalendarOptions,
): string | undefined {
  if (market === "us_equities") {
    return session === "closed" ? equityClosure(day.toString(), closures) : undefined;
  }
  const thin = FOREX_THIN_DAYS[day.toString().slice(5)];
  return session === "open" && thin ? THIN + thin : undefined;
}

/** Why no trading day has this date: "2026-11-26" → "Thanksgiving Day"; undefined for a trading day. */
export function equityClosure(day: Day, closures: Readonly<Record<Day, string>> = {}): string | undefined {
  const date = Temporal.PlainDate.from(day);
  if (date.dayOfWeek > FRIDAY) return "weekend";
  return closures[day] ?? nyseYear(date.year).holidays.get(day);
}

/** The changes of some days before and after, each to another session than the one before it. */
function changesAround(market: MarketName, at_ms: number, options: CalendarOptions): Change[] {
  const today = newYorkDay(at_ms);
  const changes: Change[] = [];
  for (let days = -DAYS_TO_LOOK; days <= DAYS_TO_LOOK; days++) {
    const day = today.add({ days });
    if (market === "forex") changes.push(...forexDay(day));
    else changes.push(...equityDay(day, options));
  }
  changes.sort((one, other) => one.at_ms - other.at_ms);
  return withoutRepeats(changes);
}

/** Of changes at one instant the last one counts; a change to the same session and reason is none. */
function withoutRepeats(changes: readonly Change[]): Change[] {
  const kept: Change[] = [];
  for (const change of changes) {
    if (kept.at(-1)?.at_ms === change.at_ms) kept.pop();
    const before = kept.at(-1);
    if (before?.session === change.session) {
      // Friday evening's "closed" goes on through the holiday after it, and says so.
      if (before.session === "closed") before.reason ??= change.reason;
      continue;
    }
    kept.push({ ...change });
  }
  return kept;
}

function forexDay(day: Temporal.PlainDate): Change[] {
  if (day.dayOfWeek === FRIDAY) {
    return [{ at_ms: atMs(day, FOREX_ROLL), session: "closed", reason: "weekend" }];
  }
  return day.dayOfWeek === SUNDAY ? [{ at_ms: atMs(day, FOREX_ROLL), session: "open" }] : [];
}

function equityDay(day: Temporal.PlainDate, { hours = EQUITY_HOURS, closures }: CalendarOptions): Change[] {
  const name = day.toString();
  const closure = equityClosure(name, closures);
  // Nothing trades from the evening before on, but that evening was closed by the day it belongs to.
  if (closure !== undefined) return [{ at_ms: atMs(day, "00:00"), session: "closed", reason: closure }];
  const short = nyseYear(day.year).early_closes.get(name);
  const reason = short && `early close: ${short}`;
  const at = (time: string, session: SessionName): Change => ({ at_ms: atMs(day, time), session, reason });
  const changes = [
    at(hours.pre_start, "pre"),
    at(hours.regular_start, "regular"),
    at(short ? hours.early_regular_end : hours.regular_end, "post"),
    { ...at(short ? hours.early_post_end : hours.post_end, "closed"), reason: undefined },
  ];
  if (hours.overnight_start === undefined) return changes;
  const evening = { at_ms: atMs(day.subtract({ days: 1 }), hours.overnight_start), session: "overnight" };
  return [evening as Change, ...changes];
}

function newYorkDay(at_ms: number): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(at_ms)).toZonedDateTimeISO(NEW_YORK).toPlainDate();
}

function atMs(day: Temporal.PlainDate, time: string): number {
  const plain = day.toPlainDateTime(Temporal.PlainTime.from(time));
  return plain.toZonedDateTime(NEW_YORK).epochMilliseconds;
}
