/** What a client wants to be told, and how that is said. */
import type { ChannelName } from "./messages.ts";

export const ANY_SYMBOL = "*";

export interface Wish {
  /** `*`: all there are, also those added later. */
  readonly symbol: string;
  readonly channel: ChannelName;
  /** Absent: on every venue that has the symbol. Only with a venue and a symbol are books resumed. */
  readonly venue?: string;
  readonly depth?: number;
  readonly interval_ms?: number;
  readonly interval?: string;
}

/** One subscription a venue, symbol, channel and interval, as the server counts them. */
export function wishKey({ symbol, channel, venue, interval }: Wish): string {
  return [channel, venue ?? "", symbol, interval ?? ""].join("\u0000");
}
/** It names one instrument, so that a sequence can be given with it. */
export function isNarrow(wish: Wish): wish is Wish & { venue: string } {
  return wish.symbol !== ANY_SYMBOL && wish.venue !== undefined;
}
export function covers(wish: Wish, venue: string, symbol: string, channel: string): boolean {
  return wish.channel === channel && (wish.symbol === ANY_SYMBOL || wish.symbol === symbol) &&
    (wish.venue === undefined || wish.venue === venue);
}
/** What decides how a book's messages are numbered. */
export function variantOf(depth: unknown, interval_ms: unknown): string {
  return `${depth ?? ""} ${interval_ms ?? ""}`;
}
