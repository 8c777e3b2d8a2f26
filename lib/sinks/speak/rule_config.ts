/** The rules of a config: each kind under its `when`, and what is watched for when a config names none. */
import { z } from "zod";
import * as registry from "./rules/registry.ts";
import type { Rule, RuleKind, RuleSettings } from "./rules/rule.ts";

export const MAX_RULES = 200;

const KINDS: Readonly<Record<string, RuleKind>> = registry satisfies Record<string, RuleKind>;
const [first, ...others] = Object.values(KINDS).map(({ schema }) => schema);

export const RULES = z.array(z.discriminatedUnion("when", [first, ...others])).min(1).max(MAX_RULES)
  .prefault([{ when: "feed_dead" }, { when: "sink_down" }])
  .describe("What is alerted on; absent: dead feeds and sinks that are down");

/** A rule as the engine runs it. */
export interface NamedRule {
  readonly name: string;
  readonly settings: RuleSettings;
  readonly rule: Rule;
}

/** "price_crosses", and "price_crosses 2" for the second one without a name of its own. */
export function createRules(configs: z.output<typeof RULES>): NamedRule[] {
  const kinds = new Map(Object.values(KINDS).map((kind) => [kind.when, kind]));
  const seen = new Map<string, number>();
  return configs.map((config) => {
    const settings = config as unknown as RuleSettings & { when: string };
    const base = settings.name ?? settings.when;
    const count = (seen.get(base) ?? 0) + 1;
    seen.set(base, count);
    return {
      name: count === 1 ? base : `${base} ${count}`,
      settings,
      rule: kinds.get(settings.when)!.create(config),
    };
  });
}
