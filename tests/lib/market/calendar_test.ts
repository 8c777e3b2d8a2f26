/** Calendars against NYSE's own published days, both DST changes, and a property: a session changes only where listed. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import {
  EQUITY_HOURS,
  marketChanges,
  MARKETS,
  marketState,
  quietReason,
} from "../../../lib/market/calendar.ts";
import { nyseYear } from "../../../lib/market/nyse_days.ts";

/** Closed and short days as NYSE published them; unscheduled closures are among the closed. */
const PUBLISHED: Record<number, [closed: string, early: string]> = {
  2022: ["01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26", "11-25"],
  2023: ["01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24"],
  2024: ["01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25", "07-03 11-29 12-24"],
  2025: ["01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25", "07-03 11-28 12-24"],
  2026: ["01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25", "11-27 12-24"],
  2027: ["01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24", "11-26"],
  2028: ["01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24"],
};
const at = (text: string) => Temporal.Instant.from(text).epochMilliseconds;
const session = (text: string) => marketState("us_equities", at(text)).session;

for (const [year, [closed, early]] of Object.entries(PUBLISHED)) {
  Deno.test(`calendar: NYSE's closed and short days of ${year}`, () => {
    const { holidays, early_closes } = nyseYear(Number(year));
    const days = (keys: Iterable<string>) => [...keys].map((day) => day.slice(5)).sort().join(" ");
    assert.equal(days(holidays.keys()), closed);
    assert.equal(days(early_closes.keys()), early);
    assert.ok([...holidays.keys(), ...early_closes.keys()].every((day) => day.startsWith(year)));
  });
}

Deno.test("calendar: Good Friday of years to come", () => {
  for (const day of ["2029-03-30", "2030-04-19", "2038-04-23", "2011-04-22"]) {
    assert.equal(nyseYear(Number(day.slice(0, 4))).holidays.get(day), "Good Friday");
  }
});

Deno.test("calendar: the regular session opens at 14:30Z in winter and 13:30Z in summer, by the day", () => {
  // Clocks change on Sunday 2026-03-08 and on Sunday 2026-11-01.
  for (
    const [day, open] of [["03-06", "14:30"], ["03-09", "13:30"], ["10-30", "13:30"], ["11-02", "14:30"]]
  ) {
    const open_ms = at(`2026-${day}T${open}Z`);
    assert.equal(marketState("us_equities", open_ms - 1).session, "pre");
    assert.equal(marketState("us_equities", open_ms).session, "regular");
    assert.equal(marketState("us_equities", open_ms).since_ms, open_ms);
  }
});

Deno.test("calendar: an early close to the millisecond", () => {
  assert.equal(session("2026-11-27T12:59:59.999-05:00"), "regular");
  assert.equal(session("2026-11-27T13:00-05:00"), "post");
  assert.equal(session("2026-11-27T16:59:59.999-05:00"), "post");
  assert.equal(session("2026-11-27T17:00-05:00"), "closed");
  const state = marketState("us_equities", at("2026-11-27T10:00-05:00"));
  assert.equal(state.reason, "early close: day after Thanksgiving");
  assert.deepEqual(state.next, { at_ms: at("2026-11-27T13:00-05:00"), session: "post" });
});

Deno.test("calendar: a closure says why on each of its days, and when it ends", () => {
  const reasons = ["2026-09-04T21:00-04:00", "2026-09-05T12:00-04:00", "2026-09-07T12:00-04:00"].map((time) =>
    marketState("us_equities", at(time))
  );
  assert.deepEqual(reasons.map((one) => one.reason), ["weekend", "weekend", "Labor Day"]);
  for (const state of reasons) {
    assert.deepEqual(state.next, { at_ms: at("2026-09-08T04:00-04:00"), session: "pre" });
  }
  const announced = { closures: { "2026-12-03": "snow" } };
  assert.equal(marketState("us_equities", at("2026-12-03T11:00-05:00"), announced).reason, "snow");
  assert.equal(marketState("us_equities", at("2026-12-03T11:00-05:00")).session, "regular");
  // Four days in 2001, with the weekend six: the search must reach over it.
  assert.equal(
    marketState("us_equities", at("2001-09-12T12:00-04:00")).next?.at_ms,
    at("2001-09-17T04:00-04:00"),
  );
});

Deno.test("calendar: a night session belongs to the trading day after it", () => {
  const hours = { ...EQUITY_HOURS, overnight_start: "20:00" };
  const night = (time: string) => marketState("us_equities", at(time), { hours }).session;
  assert.equal(night("2026-11-22T19:59-05:00"), "closed");
  assert.equal(night("2026-11-22T20:00-05:00"), "overnight"); // Sunday
  assert.equal(night("2026-11-25T22:00-05:00"), "closed"); // before Thanksgiving
  assert.equal(night("2026-11-26T20:00-05:00"), "overnight");
  assert.equal(night("2026-11-27T21:00-05:00"), "closed"); // Friday
});

Deno.test("calendar: the forex week by New York's clock; crypto never closes", () => {
  const forex = (time: string) => marketState("forex", at(time)).session;
  // EST until 2026-03-08, then EDT.
  assert.equal(forex("2026-03-06T21:59:59.999Z"), "open");
  assert.equal(forex("2026-03-06T22:00Z"), "closed");
  assert.equal(forex("2026-03-08T20:59:59.999Z"), "closed");
  assert.equal(forex("2026-03-08T21:00Z"), "open");
  assert.equal(marketState("forex", at("2026-12-25T15:00Z")).reason, "thin: Christmas Day");
  assert.deepEqual(marketState("crypto", 0), { market: "crypto", session: "open" });
});

Deno.test("calendar: a session changes at the listed instants and nowhere else", () => {
  const random = new Random("calendar");
  const [from_ms, to_ms] = [at("2022-01-01T00:00Z"), at("2029-01-01T00:00Z")];
  for (const market of MARKETS) {
    const changes = marketChanges(market, from_ms, to_ms);
    assert.equal(changes.length > 500, market !== "crypto");
    for (let i = 0; i < changes.length; i++) {
      const { at_ms, session } = changes[i];
      assert.ok(i === 0 || (at_ms > changes[i - 1].at_ms && session !== changes[i - 1].session));
    }
    for (let i = 0; i < 2_000; i++) {
      const time_ms = random.integer(from_ms, to_ms);
      const before = changes.findLast((change) => change.at_ms <= time_ms);
      const state = marketState(market, time_ms);
      if (before) assert.deepEqual([state.session, state.since_ms], [before.session, before.at_ms]);
      const after = changes.find((change) => change.at_ms > time_ms);
      if (after) assert.deepEqual(state.next, { at_ms: after.at_ms, session: after.session });
    }
  }
});

Deno.test("calendar: why nothing is to be expected, in words", () => {
  const quiet = (market: typeof MARKETS[number], time: string) => quietReason(marketState(market, at(time)));
  assert.equal(quiet("us_equities", "2026-11-26T12:00-05:00"), "market closed: Thanksgiving Day");
  assert.equal(quiet("us_equities", "2026-11-24T21:00-05:00"), "market closed");
  assert.equal(quiet("us_equities", "2026-11-27T10:00-05:00"), undefined, "a short day is a day");
  assert.equal(quiet("forex", "2026-12-25T10:00-05:00"), "market thin: Christmas Day");
  assert.equal(quiet("crypto", "2026-12-25T10:00-05:00"), undefined);
});
