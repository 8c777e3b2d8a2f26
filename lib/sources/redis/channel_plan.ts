/**
 * What to subscribe to, or read, for the symbols of a config: names by template, patterns where a symbol is one, and all
 * partitions where a name carries many symbols. Which symbols a name stands for is asked here, too.
 */
import { channelOf, isPartitioned, partitionsOf, patternOf } from "../../wire/redis/channel_of.ts";
import { globMatcher, isGlob } from "../../wire/redis/glob.ts";
import type { RedisSourceConfig } from "../redis.ts";

type PlanConfig = Pick<RedisSourceConfig, "channels" | "latest_key" | "patterns" | "symbols" | "venue">;

export class ChannelPlan {
  /** Given with patterns: any symbol that fits is taken. */
  readonly learns: boolean;
  /** For PSUBSCRIBE. */
  readonly patterns: readonly string[];
  readonly #globs: readonly string[];
  readonly #fits: readonly ((symbol: string) => boolean)[];
  readonly #templates: readonly string[];

  constructor(readonly config: PlanConfig) {
    const { channels: { book, trades }, patterns, symbols, venue } = config;
    this.#templates = [book, trades];
    // What comes on a channel that was named by hand is taken whatever its symbol is.
    this.#globs = patterns.length > 0 ? ["*"] : symbols.filter(isGlob);
    this.#fits = this.#globs.map(globMatcher);
    this.learns = this.#globs.length > 0;
    const derived = symbols.filter(isGlob).flatMap((glob) =>
      this.#templates.filter((template) => !isPartitioned(template)).map((template) =>
        patternOf(template, venue, glob)
      )
    );
    this.patterns = [...new Set([...patterns, ...derived])];
  }
  /** The symbols that are named. */
  get named(): string[] {
    return this.config.symbols.filter((symbol) => !isGlob(symbol));
  }
  /** A symbol nobody named is wanted all the same. */
  fits(symbol: string): boolean {
    return this.#fits.some((fits) => fits(symbol));
  }
  /** The names that carry this symbol: of its books, of its trades. */
  namesOf(symbol: string): string[] {
    return this.#templates.map((template) => channelOf(template, this.config.venue, symbol));
  }
  /** Names that are read whatever the symbols are: all partitions, where symbols are to be learnt. */
  get always(): string[] {
    const has_globs = this.config.symbols.some(isGlob);
    return has_globs
      ? this.#templates.filter(isPartitioned).flatMap((one) => partitionsOf(one, this.config.venue))
      : [];
  }
  latestKeyOf(symbol: string): string {
    return channelOf(this.config.latest_key, this.config.venue, symbol);
  }
  /** Patterns of the keys of latest books of symbols not known yet. */
  get latest_patterns(): string[] {
    return this.#globs.map((glob) => patternOf(this.config.latest_key, this.config.venue, glob));
  }
}

/** Names, and how many symbols need each: several symbols may share a partition. */
export class NameUses {
  readonly #uses = new Map<string, number>();

  /** True when nobody needed it before. */
  add(name: string): boolean {
    const uses = this.#uses.get(name) ?? 0;
    this.#uses.set(name, uses + 1);
    return uses === 0;
  }
  /** True when nobody needs it any more. */
  remove(name: string): boolean {
    const uses = this.#uses.get(name);
    if (uses === undefined) return false;
    if (uses > 1) this.#uses.set(name, uses - 1);
    else this.#uses.delete(name);
    return uses === 1;
  }
  get names(): string[] {
    return [...this.#uses.keys()];
  }
}
