/**
 * What a rule says once something happened: one matter, one sentence, when, and how urgent. Speech and webhook take the
 * same alerts; each has its own queue, bound and policy.
 */

/** Most urgent first. A dead feed is critical: while it lasts no price is worth hearing. */
export const PRIORITIES = ["critical", "high", "normal", "low"] as const;
export type Priority = typeof PRIORITIES[number];

export interface Alert {
  /** One matter: a newer alert with this key takes the place of one that was not said yet. */
  readonly key: string;
  /** The rule's name; alerts of one rule are said together. */
  readonly rule: string;
  readonly priority: Priority;
  /** When it happened, Unix epoch, milliseconds. */
  readonly at_ms: number;
  readonly venue?: string;
  readonly symbol?: string;
  /** One sentence without a full stop, as a person reads it. */
  readonly text: string;
  /** The numbers behind the sentence, for programs. */
  readonly values: Readonly<Record<string, number | string>>;
  /** It is over. */
  readonly resolved?: true;
}

/** 0 is the most urgent. */
export function rankOf(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

/** "12 seconds", "3 minutes", "2 hours": a length as it is said. */
export function durationText(length_ms: number): string {
  const seconds = Math.max(0, Math.round(length_ms / 1_000));
  if (seconds === 0) return "less than a second";
  if (seconds < 120) return counted(seconds, "second");
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? counted(minutes, "minute") : counted(Math.round(minutes / 60), "hour");
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
