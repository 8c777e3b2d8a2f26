/**
 * The words a rule is written in. A rule kind is its settings and, for each instrument or part it looks at, a watch: pure
 * state that is told of updates and of time, and raises alerts. The engine owns the watches and the clock.
 */
import { z } from "zod";
import type { UpdateKind } from "../../../flow/delivery_target.ts";
import type { BookState, PartRole } from "../../../flow/hub.ts";
import type { MarketUpdate } from "../../../market/update.ts";
import { type Alert, PRIORITIES, type Priority } from "../alert.ts";

/** What a watch says; the engine adds whose alert it is and when. */
export type Said = Pick<Alert, "text" | "values" | "resolved"> & {
  /** Tells apart alerts of one watch that must all be said; absent: the newest stands for all. */
  readonly id?: string | number;
};

export interface Raise {
  (said: Said): void;
  /** It would have been raised but for `repeat_s`. */
  suppressed(): void;
}

export interface InstrumentWatch {
  /** Must not keep the update. */
  onUpdate?(update: MarketUpdate, now_ms: number): void;
  /** About once a second, while the instrument is configured. */
  onTick?(state: BookState, now_ms: number): void;
  /** Why it can't judge yet, for a warning: a rule on trades where none come would be silent for ever. */
  blind?(): string | undefined;
}
export interface PartWatch {
  onTick(reason: string | undefined, now_ms: number): void;
}

export interface Rule {
  /** Kinds of update that its watches read. */
  readonly kinds: readonly UpdateKind[];
  watchInstrument?(venue: string, symbol: string, raise: Raise): InstrumentWatch | undefined;
  watchPart?(role: PartRole, name: string, raise: Raise): PartWatch | undefined;
}

/** Settings of every rule. */
export interface RuleSettings {
  name?: string;
  venues?: string[];
  symbols?: string[];
  priority: Priority;
  repeat_s: number;
}

export interface RuleKind<Schema extends z.ZodObject = z.ZodObject> {
  readonly when: string;
  readonly schema: Schema;
  create(settings: z.output<Schema>): Rule;
}

export function defineRule<Schema extends z.ZodObject>(kind: RuleKind<Schema>): RuleKind<Schema> {
  return kind;
}

const names = (what: string) =>
  z.array(z.string().min(1).max(100)).min(1).max(5_000).optional().describe(what);

/** `when`, and what every rule may say of itself. */
export function ruleKeys<const When extends string>(
  when: When,
  doc: string,
  otherwise: { priority: Priority; repeat_s: number },
) {
  return {
    when: z.literal(when).describe(doc),
    name: z.string().regex(/^[\w .:-]{1,60}$/, "want letters, digits, spaces, . : _ -, at most 60").optional()
      .describe("What metrics and the webhook call it; absent: its kind, numbered"),
    priority: z.enum(PRIORITIES).default(otherwise.priority)
      .describe("Which is said first: critical, high, normal, low; critical interrupts the others"),
    repeat_s: z.number().min(0).max(86_400).default(otherwise.repeat_s)
      .describe(
        "The same alert not again within so long; a state that lasts is said again after it. 0: see kind",
      ),
  };
}
/** For rules that look at instruments. */
export const SELECTION = {
  venues: names("Only instruments of these venues; absent: all"),
  symbols: names("Only these symbols; absent: all"),
};
