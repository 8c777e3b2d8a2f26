/**
 * One sampler, asked again and again, never twice at once: each look becomes an observation, with what is wrong in it. A
 * target that can't be asked is an observation too (critical), so that every way to show one is told of it alike.
 */
import { type Clock, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Series } from "../../tui/screen.ts";
import { type Level } from "../check/plugin_output.ts";
import { levelOf, type Problem, problemsOf, type Thresholds } from "../check/thresholds.ts";
import type { Measures, Readings, Sampler } from "../monitor.ts";

export interface Observation {
  readonly at_ms: number;
  readonly level: Level;
  readonly problems: readonly Problem[];
  /** Absent when the target could not be asked. */
  readonly found?: { readonly sample: object; readonly readings: Readings };
  /** Then why not. */
  readonly reason?: string;
}

/** Polls that the trends go back. */
const MAX_HISTORY = 600;
/** A sampler that overstays its own deadline by this is not waited for. */
const GRACE_MS = 500;

export interface ObserverOptions {
  readonly clock: Clock;
  readonly measures: Measures;
  readonly thresholds: Thresholds;
  readonly timeout_ms: number;
}

export class Observer {
  readonly #history = new Map<string, (number | undefined)[]>();
  /** A look that overstayed its deadline and is still under way. */
  #overdue: Promise<unknown> | undefined;

  constructor(readonly sampler: Sampler, readonly options: ObserverOptions) {}

  /** Never rejects. */
  async observe(): Promise<Observation> {
    const { clock, timeout_ms, measures, thresholds } = this.options;
    let observation: Observation;
    try {
      if (this.#overdue) await withDeadline(clock, timeout_ms, "look", this.#overdue);
      const poll = this.sampler.poll();
      this.#overdue = poll.catch(() => {}).finally(() => this.#overdue = undefined);
      const sample = await withDeadline(clock, timeout_ms + GRACE_MS, "look", poll);
      const readings = finite(this.sampler.readings(sample));
      const problems = problemsOf(measures, thresholds, readings, this.sampler.findings?.(sample) ?? []);
      observation = {
        at_ms: clock.now_ms(),
        level: levelOf(problems),
        problems,
        found: { sample, readings },
      };
    } catch (error) {
      const reason = reasonOf(error);
      const problems: Problem[] = [{ level: "critical", text: reason }];
      observation = { at_ms: clock.now_ms(), level: "critical", problems, reason };
    }
    this.#remember(observation.found?.readings ?? {});
    return observation;
  }
  history(name: string): Series {
    return this.#history.get(name) ?? [];
  }

  #remember(readings: Readings): void {
    for (const name of Object.keys(this.options.measures)) {
      let values = this.#history.get(name);
      if (!values) this.#history.set(name, values = []);
      values.push(readings[name]);
      if (values.length > MAX_HISTORY) values.shift();
    }
  }
}

/** What is no number is absent: a rate over no time, a share of nothing. */
function finite(readings: Readings): Readings {
  return Object.fromEntries(
    Object.entries(readings).map(([name, value]) => [name, Number.isFinite(value) ? value : undefined]),
  );
}
