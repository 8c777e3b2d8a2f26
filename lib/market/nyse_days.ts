/**
 * The days on which the New York Stock Exchange is closed or closes early, computed for any year from its own rules, plus
 * a table of the closures that no rule foretells. Source: NYSE Rule 7.2 and the calendars it published for 2022–2028.
 * Refuses: guessing closures that were not announced; they are added to the table or to the config.
 */

/** A calendar day in New York, "2026-11-26". */
export type Day = string;

export interface NyseYear {
  /** Day → why it is closed. */
  readonly holidays: ReadonlyMap<Day, string>;
  /** Day → why it closes early. */
  readonly early_closes: ReadonlyMap<Day, string>;
}

/** Closures by proclamation. */
const UNSCHEDULED: Readonly<Record<Day, string>> = {
  "2001-09-11": "attacks of September 11",
  "2001-09-12": "attacks of September 11",
  "2001-09-13": "attacks of September 11",
  "2001-09-14": "attacks of September 11",
  "2004-06-11": "mourning for President Reagan",
  "2007-01-02": "mourning for President Ford",
  "2012-10-29": "Hurricane Sandy",
  "2012-10-30": "Hurricane Sandy",
  "2018-12-05": "mourning for President Bush",
  "2025-01-09": "mourning for President Carter",
};
const FIRST_KING_DAY = 1998;
const FIRST_JUNETEENTH = 2022;
const FRIDAY = 5;
const SATURDAY = 6;
const SUNDAY = 7;

const years = new Map<number, NyseYear>();

/** The closed and the short days of a year; computed once. */
export function nyseYear(year: number): NyseYear {
  let found = years.get(year);
  if (!found) years.set(year, found = computed(year));
  return found;
}

function computed(year: number): NyseYear {
  const holidays = new Map<Day, string>();
  const date = (month: number, day: number) => new Temporal.PlainDate(year, month, day);
  const close = (day: Temporal.PlainDate, name: string) => holidays.set(day.toString(), name);
  const new_year = date(1, 1);
  // A Friday that ends a month stays open, so a New Year's Day on a Saturday is not made up for.
  if (new_year.dayOfWeek !== SATURDAY) close(observed(new_year), "New Year's Day");
  if (year >= FIRST_KING_DAY) close(weekdayOfMonth(year, 1, 1, 3), "Martin Luther King Jr. Day");
  close(weekdayOfMonth(year, 2, 1, 3), "Washington's Birthday");
  close(easter(year).subtract({ days: 2 }), "Good Friday");
  close(lastMondayOfMay(year), "Memorial Day");
  if (year >= FIRST_JUNETEENTH) close(observed(date(6, 19)), "Juneteenth");
  close(observed(date(7, 4)), "Independence Day");
  close(weekdayOfMonth(year, 9, 1, 1), "Labor Day");
  const thanksgiving = weekdayOfMonth(year, 11, 4, 4);
  close(thanksgiving, "Thanksgiving Day");
  close(observed(date(12, 25)), "Christmas Day");
  for (const [day, name] of Object.entries(UNSCHEDULED)) {
    if (day.startsWith(`${year}-`)) holidays.set(day, name);
  }
  const early_closes = new Map<Day, string>([
    [thanksgiving.add({ days: 1 }).toString(), "day after Thanksgiving"],
  ]);
  // The eve is short from Monday to Thursday; on a Friday it is the observed holiday itself.
  if (date(7, 3).dayOfWeek < FRIDAY) early_closes.set(date(7, 3).toString(), "eve of Independence Day");
  if (date(12, 24).dayOfWeek < FRIDAY) early_closes.set(date(12, 24).toString(), "Christmas Eve");
  for (const day of holidays.keys()) early_closes.delete(day);
  return { holidays, early_closes };
}

/** A holiday on a Saturday is kept on the Friday before, one on a Sunday on the Monday after. */
function observed(day: Temporal.PlainDate): Temporal.PlainDate {
  if (day.dayOfWeek === SATURDAY) return day.subtract({ days: 1 });
  return day.dayOfWeek === SUNDAY ? day.add({ days: 1 }) : day;
}

/** The `nth` such weekday (1 Monday … 7 Sunday) of a month. */
function weekdayOfMonth(year: number, month: number, weekday: number, nth: number): Temporal.PlainDate {
  const first = new Temporal.PlainDate(year, month, 1);
  return first.add({ days: (weekday - first.dayOfWeek + 7) % 7 + 7 * (nth - 1) });
}

function lastMondayOfMay(year: number): Temporal.PlainDate {
  const last = new Temporal.PlainDate(year, 5, 31);
  return last.subtract({ days: last.dayOfWeek - 1 });
}

/** Gregorian Easter Sunday (the anonymous algorithm of 1876, as in Meeus, Astronomical Algorithms, chapter 8). */
function easter(year: number): Temporal.PlainDate {
  const div = (one: number, other: number) => Math.floor(one / other);
  const a = year % 19, b = div(year, 100), c = year % 100;
  const g = div(b - div(b + 8, 25) + 1, 3);
  const h = (19 * a + b - div(b, 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * div(c, 4) - h - c % 4) % 7;
  const n = h + l - 7 * div(a + 11 * h + 22 * l, 451) + 114;
  return new Temporal.PlainDate(year, div(n, 31), n % 31 + 1);
}
