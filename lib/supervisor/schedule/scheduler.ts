/**
 * Does what rules say when their time comes. It looks at the wall clock every so often instead of trusting one long
 * timer, so a suspended machine, a set clock and a new day are all seen. Each run happens at most once, even when the
 * clock is set back; one that comes too late is missed, and the rule says what then.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Day } from "../../market/nyse_days.ts";
import { nextRun, type Run } from "./next_run.ts";
import type { ScheduleAction, ScheduleRule } from "./schedule_schema.ts";

export interface ScheduledRule {
  app: string;
  rule: ScheduleRule;
}

export interface SchedulerOptions {
  clock: Clock;
  log: Log;
  closures: Readonly<Record<Day, string>>;
  act(app: string, action: ScheduleAction, why: string): void;
  /** Key of a rule → when it last ran or was missed; kept over restarts of the supervisor. */
  last_ms: Map<string, number>;
}

/** The clock is looked at this often. */
const LOOK_MS = 15_000;
/** Later than this is missed. */
const LATE_MS = 60_000;

export class Scheduler implements Disposable {
  #rules: { key: string; app: string; rule: ScheduleRule; next: Run | undefined }[] = [];
  #timer: Timer | undefined;

  constructor(readonly options: SchedulerOptions) {}

  /** Replaces all rules. Those that are known go on from their last run. */
  replace(rules: readonly ScheduledRule[], closures = this.options.closures): void {
    const { clock, last_ms } = this.options;
    this.options.closures = closures;
    const now_ms = clock.now_ms();
    this.#rules = rules.map(({ app, rule }) => {
      const key = ruleKey(app, rule);
      // unknown so far: what lies in the past was never promised
      const last = last_ms.get(key) ?? now_ms;
      last_ms.set(key, last);
      return { key, app, rule, next: nextRun(rule, last, closures) };
    });
    const known = new Set(this.#rules.map(({ key }) => key));
    for (const key of last_ms.keys()) if (!known.has(key)) last_ms.delete(key);
    this.look();
  }
  /** When something next happens to this app. */
  nextOf(app: string): { at_ms: number; action: ScheduleAction } | undefined {
    let first: { at_ms: number; action: ScheduleAction } | undefined;
    for (const { app: name, rule, next } of this.#rules) {
      if (name !== app || !next || (first && first.at_ms <= next.at_ms)) continue;
      first = { at_ms: next.at_ms, action: rule.do };
    }
    return first;
  }
  /** Does what is due. */
  look(): void {
    const { clock, closures, last_ms } = this.options;
    this.#timer?.cancel();
    const now_ms = clock.now_ms();
    for (const entry of this.#rules) {
      const missed: Run[] = [];
      while (entry.next && entry.next.at_ms <= now_ms) {
        missed.push(entry.next);
        last_ms.set(entry.key, entry.next.at_ms);
        // after a long sleep the latest one is what counts
        entry.next = nextRun(entry.rule, entry.next.at_ms, closures);
      }
      if (missed.length > 0) this.#due(entry, missed, now_ms);
    }
    const next_ms = Math.min(...this.#rules.map(({ next }) => next?.at_ms ?? Infinity), now_ms + LOOK_MS);
    if (this.#rules.length > 0) this.#timer = clock.after(Math.max(1, next_ms - now_ms), () => this.look());
  }
  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #due({ app, rule }: { app: string; rule: ScheduleRule }, runs: readonly Run[], now_ms: number): void {
    const { at_ms } = runs[runs.length - 1];
    const when = Temporal.Instant.fromEpochMilliseconds(at_ms).toZonedDateTimeISO(rule.zone);
    const why = `schedule ${rule.at} ${rule.zone}`;
    const late_ms = now_ms - at_ms;
    const fields = { app, do: rule.do, at: when.toString({ smallestUnit: "second" }) };
    if (late_ms > LATE_MS && rule.missed === "skip") {
      this.options.log.warn("scheduled run missed", { ...fields, late_ms, runs: runs.length });
      return;
    }
    this.options.log.info("scheduled run", { ...fields, late_ms });
    this.options.act(app, rule.do, why);
  }
}

/** Names a rule over restarts and reloads. */
export function ruleKey(app: string, { do: action, at, days, zone }: ScheduleRule): string {
  return [app, action, at, Array.isArray(days) ? days.join("+") : days, zone].join(" ");
}
