/**
 * What a tenant may have: a list of allowances, each a set of venues, symbols and channels and a deepest book. One that
 * covers the request is enough; none means no. `*` in a name stands for any characters, everything else for itself, case
 * included. `status` comes with `book` and `orders`, since a book without it cannot be trusted.
 */
import { quoted } from "../../base/errors.ts";

export const CHANNELS = ["book", "orders", "trades", "bbo", "ticker", "candles", "status"] as const;

/** What has a depth, and is of no use without the word on whether it is right. */
const isBook = (channel: string) => channel === "book" || channel === "orders";

export interface Allowance {
  readonly venues: readonly string[];
  readonly symbols: readonly string[];
  readonly channels: readonly string[];
  /** Deepest book, levels a side; absent: the whole. */
  readonly max_depth?: number;
}

type Matcher = (name: string) => boolean;

interface Compiled {
  readonly venue: Matcher;
  readonly symbol: Matcher;
  readonly channel: Matcher;
  readonly max_depth: number;
}

export class Entitlements {
  readonly #allowances: readonly Compiled[];

  constructor(allowances: readonly Allowance[]) {
    this.#allowances = allowances.map(({ venues, symbols, channels, max_depth }) => ({
      venue: anyOf(venues),
      symbol: anyOf(symbols),
      channel: anyOf(channels.some(isBook) ? [...channels, "status"] : channels),
      max_depth: max_depth ?? Infinity,
    }));
  }
  /** Why not, in words; undefined: allowed. */
  refuses(venue: string, symbol: string, channel: string, depth: number | undefined): string | undefined {
    let deepest = 0;
    for (const one of this.#allowances) {
      if (!one.channel(channel) || !one.venue(venue) || !one.symbol(symbol)) continue;
      if (!isBook(channel) || (depth ?? Infinity) <= one.max_depth) return undefined;
      deepest = Math.max(deepest, one.max_depth);
    }
    const what = `${channel.slice(0, 40)} of ${quoted(symbol)} on ${quoted(venue)}`;
    return deepest > 0
      ? `have ${what}: depth ${depth ?? "of the whole book"}, want at most ${deepest}`
      : `have ${what}: not among the tenant's rights`;
  }
}

function anyOf(patterns: readonly string[]): Matcher {
  if (patterns.includes("*")) return () => true;
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const globs = patterns.filter((pattern) => pattern.includes("*")).map((pattern) => pattern.split("*"));
  return (name) => exact.has(name) || globs.some((pieces) => matches(name, pieces));
}

/** Each piece in turn at its first place: no backtracking, whatever the name. */
function matches(name: string, pieces: readonly string[]): boolean {
  const first = pieces[0];
  const last = pieces[pieces.length - 1];
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) {
    return false;
  }
  let at = first.length;
  const end = name.length - last.length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const found = name.indexOf(pieces[i], at);
    if (found < 0 || found + pieces[i].length > end) return false;
    at = found + pieces[i].length;
  }
  return true;
}
