/** The schedule on the odd days of the year, by the calendar alone and by a clock that is moved by hand. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { type Log, silentLog } from "../../../lib/base/log.ts";
import { nextRun, nextRuns } from "../../../lib/supervisor/schedule/next_run.ts";
import { type ScheduleRule, scheduleSchema } from "../../../lib/supervisor/schedule/schedule_schema.ts";
import { ruleKey, Scheduler } from "../../../lib/supervisor/schedule/scheduler.ts";

const at = (text: string) => Date.parse(text);
const rule = (value: Record<string, unknown>): ScheduleRule => scheduleSchema.parse(value);
const utc = (ms: number) => new Date(ms).toISOString();

function runs(value: Record<string, unknown>, from: string, count: number): string[] {
  return nextRuns(rule(value), at(from), count).map(({ at_ms, note }) =>
    note ? `${utc(at_ms)} ${note}` : utc(at_ms)
  );
}

Deno.test("17:05 in New York keeps its wall time over both DST changes", () => {
  assert.deepEqual(runs({ at: "17:05" }, "2026-03-06T23:00Z", 3), [
    "2026-03-07T22:05:00.000Z",
    "2026-03-08T21:05:00.000Z",
    "2026-03-09T21:05:00.000Z",
  ]);
  assert.deepEqual(runs({ at: "17:05" }, "2026-10-31T00:00Z", 3), [
    "2026-10-31T21:05:00.000Z",
    "2026-11-01T22:05:00.000Z",
    "2026-11-02T22:05:00.000Z",
  ]);
});

Deno.test("a time that the spring skips runs once, at the first instant after the gap", () => {
  assert.deepEqual(runs({ at: "02:30" }, "2026-03-07T12:00Z", 2), [
    "2026-03-08T07:00:00.000Z 02:30 does not exist, 03:00 instead",
    "2026-03-09T06:30:00.000Z",
  ]);
});

Deno.test("a time that the autumn repeats runs once, at its first occurrence", () => {
  assert.deepEqual(runs({ at: "01:30" }, "2026-10-31T12:00Z", 2), [
    "2026-11-01T05:30:00.000Z 01:30 comes twice, the first counts",
    "2026-11-02T06:30:00.000Z",
  ]);
});

Deno.test("other zones have their own days: Lord Howe's half hour, Berlin", () => {
  assert.deepEqual(runs({ at: "02:15", zone: "Australia/Lord_Howe" }, "2026-10-03T00:00Z", 1), [
    "2026-10-03T15:30:00.000Z 02:15 does not exist, 02:30 instead",
  ]);
  assert.deepEqual(runs({ at: "02:30", zone: "Europe/Berlin" }, "2026-03-28T12:00Z", 1), [
    "2026-03-29T01:00:00.000Z 02:30 does not exist, 03:00 instead",
  ]);
});

Deno.test("trading days leave out weekends and holidays, announced closures too", () => {
  // Thanksgiving is the 26th
  assert.deepEqual(runs({ at: "17:05", days: "trading" }, "2026-11-25T23:00Z", 2), [
    "2026-11-27T22:05:00.000Z",
    "2026-11-30T22:05:00.000Z",
  ]);
  const next = nextRun(rule({ at: "17:05", days: "trading" }), at("2026-11-25T23:00Z"), {
    "2026-11-27": "mourning",
  });
  assert.equal(utc(next!.at_ms), "2026-11-30T22:05:00.000Z");
});

Deno.test("the exchange's close moves with early closes", () => {
  assert.deepEqual(runs({ at: "close+5m" }, "2026-11-25T00:00Z", 3), [
    "2026-11-25T21:05:00.000Z",
    "2026-11-27T18:05:00.000Z early close: day after Thanksgiving",
    "2026-11-30T21:05:00.000Z",
  ]);
  assert.deepEqual(runs({ at: "open-30m", do: "start" }, "2026-07-02T00:00Z", 2), [
    "2026-07-02T13:00:00.000Z",
    "2026-07-06T13:00:00.000Z",
  ]);
});

Deno.test("listed weekdays", () => {
  assert.deepEqual(runs({ at: "06:00", days: ["sun", "wed"], zone: "UTC" }, "2026-11-30T00:00Z", 3), [
    "2026-12-02T06:00:00.000Z",
    "2026-12-06T06:00:00.000Z",
    "2026-12-09T06:00:00.000Z",
  ]);
});

Deno.test("for four hundred days each rule runs exactly once a day", () => {
  for (const time of ["00:00", "01:30", "02:00", "02:30", "03:00", "17:05", "23:59"]) {
    const daily = rule({ at: time });
    let before = at("2026-01-01T12:00-05:00");
    const days = 400;
    const list = nextRuns(daily, before, days);
    assert.equal(list.length, days);
    for (const { at_ms } of list) {
      assert.ok(at_ms > before, time);
      assert.ok(at_ms - before <= 25.5 * 3_600_000, `${time}: ${utc(before)} ${utc(at_ms)}`);
      before = at_ms;
    }
  }
});

interface Stage {
  clock: ManualClock;
  acts: string[];
  missed: string[];
  last_ms: Map<string, number>;
  scheduler: Scheduler;
}

function stage(start: string, rules: ScheduleRule[], last_ms = new Map<string, number>()): Stage {
  const clock = new ManualClock(at(start));
  const acts: string[] = [];
  const missed: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (message, fields) => void missed.push(`${message} ${fields?.runs}`),
  };
  const scheduler = new Scheduler({
    clock,
    log,
    closures: {},
    last_ms,
    act: (app, action) => void acts.push(`${utc(clock.now_ms())} ${action} ${app}`),
  });
  scheduler.replace(rules.map((one) => ({ app: "gateway", rule: one })));
  return { clock, acts, missed, last_ms, scheduler };
}

Deno.test("by the clock: the spring day and the autumn day run once each, on time", () => {
  for (
    const [start, wanted] of [
      ["2026-03-08T00:00-05:00", "2026-03-08T07:00:00.000Z restart gateway"],
      ["2026-11-01T00:00-04:00", "2026-11-01T06:30:00.000Z restart gateway"],
    ]
  ) {
    const { clock, acts, scheduler } = stage(start, [rule({ at: "02:30" })]);
    const autumn = start.startsWith("2026-11");
    for (let minute = 0; minute < 23 * 60; minute++) clock.advance(60_000);
    assert.deepEqual(acts, [autumn ? "2026-11-01T07:30:00.000Z restart gateway" : wanted]);
    scheduler[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  }
});

Deno.test("by the clock: 01:30 comes twice in autumn and runs once", () => {
  const { clock, acts, scheduler } = stage("2026-11-01T00:00-04:00", [rule({ at: "01:30" })]);
  for (let minute = 0; minute < 23 * 60; minute++) clock.advance(60_000);
  assert.deepEqual(acts, ["2026-11-01T05:30:00.000Z restart gateway"]);
  scheduler[Symbol.dispose]();
});

Deno.test("a clock that is set back runs nothing twice", () => {
  const { clock, acts, scheduler } = stage("2026-11-30T22:04:00Z", [rule({ at: "17:05" })]);
  clock.advance(120_000);
  assert.equal(acts.length, 1);
  // NTP says that it is two minutes earlier
  const earlier = new ManualClock(clock.now_ms() - 120_000);
  scheduler.options.clock = earlier;
  scheduler.look();
  earlier.advance(3_600_000);
  assert.equal(acts.length, 1);
  scheduler[Symbol.dispose]();
});

Deno.test("what was missed while no supervisor ran: skipped and told, or run once, as the rule says", () => {
  const skip = rule({ at: "17:05" });
  const run = rule({ at: "17:06", missed: "run" });
  const last_ms = new Map([skip, run].map((one) => [ruleKey("gateway", one), at("2026-11-25T00:00Z")]));
  const { acts, missed, scheduler } = stage("2026-11-28T12:00:00Z", [skip, run], last_ms);
  assert.deepEqual(acts, ["2026-11-28T12:00:00.000Z restart gateway"]);
  assert.deepEqual(missed, ["scheduled run missed 3"]);
  scheduler[Symbol.dispose]();
});

Deno.test("a new rule owes nothing of the past, a rule that is gone is forgotten", () => {
  const { acts, last_ms, scheduler } = stage("2026-11-30T22:30:00Z", [rule({ at: "17:05" })]);
  assert.deepEqual(acts, []);
  assert.equal(last_ms.size, 1);
  scheduler.replace([]);
  assert.equal(last_ms.size, 0);
  scheduler[Symbol.dispose]();
});

Deno.test("a rule that makes no sense is refused with what is wanted", () => {
  const problem = (value: Record<string, unknown>) => {
    const { error } = scheduleSchema.safeParse(value);
    return error?.issues.map(({ message }) => message).join("; ") ?? "none";
  };
  assert.match(problem({ at: "25:00" }), /want a time of day/);
  assert.match(problem({ at: "17:05", zone: "New York" }), /want an IANA time zone/);
  assert.match(problem({ at: "17:05", zone: "UTC", days: "trading" }), /want "America\/New_York"/);
  assert.match(problem({ at: "close", days: ["mon"] }), /want "trading"/);
});
