/**
 * What happens to a simulated market, as data: phases in order, repeated for ever. Drifts of one round add up to zero,
 * so a scenario may run for days without carrying the price away.
 */

export interface Phase {
  duration_ms: number;
  /** Multiplies the order rate; 0 halts trading. */
  rate: number;
  /** Multiplies the volatility. */
  volatility: number;
  /** Change of the log price over the whole phase, on top of its wandering. */
  drift: number;
}

export interface Scenario {
  /** One line, no full stop. */
  summary: string;
  phases: readonly Phase[];
}

const second_ms = 1000;
const minute_ms = 60 * second_ms;
const quiet = { rate: 1, volatility: 1, drift: 0 };

export const scenarios = {
  calm: {
    summary: "steady order flow, the price wanders",
    phases: [{ ...quiet, duration_ms: 60 * minute_ms }],
  },
  trend: {
    summary: "up 3 % in half an hour, then down again",
    phases: [
      { ...quiet, duration_ms: 30 * minute_ms, drift: 0.03 },
      { ...quiet, duration_ms: 30 * minute_ms, drift: -0.03 },
    ],
  },
  "flash-crash": {
    summary: "after 30 s down 8 % within 20 s, back within 6 min, every 20 min",
    phases: [
      { ...quiet, duration_ms: 30 * second_ms },
      { duration_ms: 20 * second_ms, rate: 8, volatility: 4, drift: -0.08 },
      { duration_ms: 90 * second_ms, rate: 4, volatility: 3, drift: 0.05 },
      { duration_ms: 270 * second_ms, rate: 2, volatility: 2, drift: 0.03 },
      { ...quiet, duration_ms: 790 * second_ms },
    ],
  },
  halt: {
    summary: "after 60 s no order for 30 s, then a wild reopening, every 10 min",
    phases: [
      { ...quiet, duration_ms: 60 * second_ms },
      { duration_ms: 30 * second_ms, rate: 0, volatility: 0, drift: 0 },
      { duration_ms: 30 * second_ms, rate: 3, volatility: 4, drift: 0 },
      { ...quiet, duration_ms: 480 * second_ms },
    ],
  },
  burst: {
    summary: "after 30 s 50 times the order rate for 10 s, every 2 min",
    phases: [
      { ...quiet, duration_ms: 30 * second_ms },
      { duration_ms: 10 * second_ms, rate: 50, volatility: 2, drift: 0 },
      { ...quiet, duration_ms: 80 * second_ms },
    ],
  },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;

/** The names in the order a person should read them. */
export const scenario_names = Object.keys(scenarios) as ScenarioName[];
