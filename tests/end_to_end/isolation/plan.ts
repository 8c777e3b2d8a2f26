/** What one isolation run is made of; sent to the server's process as JSON. */
export interface IsolationPlan {
  readonly seed: string;
  readonly venue: string;
  readonly symbol: string;
  readonly healthy: number;
  /** They read 64 kbit/s. */
  readonly slow: number;
  /** They read nothing until the market is over. */
  readonly deaf: number;
  readonly calm_per_s: number;
  readonly burst_factor: number;
  readonly calm_s: number;
  readonly burst_s: number;
  /** Levels a side in each update. */
  readonly levels: number;
  readonly budget_bytes: number;
  /** False: a canary without the memory guard. */
  readonly guarded: boolean;
  /** More of the server's config. */
  readonly server: Readonly<Record<string, unknown>>;
}

/** The clients of the issue: 1 % never read, 9 % read 64 kbit/s, 90 % are healthy; the market 50 times as busy. */
export const ISSUE_PLAN: IsolationPlan = {
  seed: "isolation",
  venue: "mock",
  symbol: "BTCUSDT",
  healthy: 90,
  slow: 9,
  deaf: 1,
  calm_per_s: 5,
  burst_factor: 50,
  calm_s: 2,
  burst_s: 60,
  levels: 3,
  budget_bytes: 256 * 1024 * 1024,
  guarded: true,
  server: { resume_bytes: 16_777_216 },
};
/** The same without those who harm. */
export function withoutBad(plan: IsolationPlan): IsolationPlan {
  return { ...plan, slow: 0, deaf: 0 };
}
