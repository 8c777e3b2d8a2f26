/**
 * The questions that clients ask of the market, answered in one place: gRPC and HTTP put the same answers into their own
 * words. An answer is a copy, so it may be kept. Refuses, with a code that every door translates: unknown or ambiguous
 * symbols, depths and limits out of bounds, books that are not in sync, data that must not be handed on.
 */
import { quoted } from "../base/errors.ts";
import type { Candle, Ticker, Trade } from "../market/event.ts";
import type { BookSide } from "../market/book_side.ts";
import { INTERVALS } from "../market/interval.ts";
import { timestampMs } from "../market/update.ts";
import type { BookState, Hub } from "./hub.ts";
import { RECENT_TRADES } from "./instrument.ts";
import { KEPT_CANDLES } from "./recent_candles.ts";

/** Levels a side: when none is asked for, and at most. */
export const DEFAULT_DEPTH = 20;
export const MAX_DEPTH = 5_000;
export const DEFAULT_TRADES = 100;
export const MAX_TRADES = RECENT_TRADES;
export const DEFAULT_CANDLES = 100;
export const MAX_CANDLES = KEPT_CANDLES;

/**
 * `not_found`: there is no such thing. `invalid`: asked wrongly. `forbidden`: the venue's terms, or the client's rights.
 * `unavailable`: it is missing now and may be there later.
 */
export type QueryCode = "not_found" | "invalid" | "forbidden" | "unavailable";

export class QueryError extends Error {
  override readonly name = "QueryError";
  constructor(readonly code: QueryCode, message: string) {
    super(message);
  }
}

export interface Level {
  readonly price: number;
  readonly quantity: number;
  /** Only when the double would not give the venue's text back. */
  readonly exact_quantity?: string;
}

/** A book as it stands: best levels first, none beyond what is known. */
export interface BookAnswer {
  readonly venue: string;
  readonly symbol: string;
  readonly last_update_id: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** The venue's time of the last change, else ours; Unix epoch. */
  readonly timestamp_ms: number;
}

/** Why somebody may not have this instrument; undefined: may. */
export type Refuses = (state: BookState) => string | undefined;

export class MarketQueries {
  constructor(readonly hub: Hub) {}

  /** The one instrument that is meant. Several venues may have the symbol: those that may not be had do not count. */
  find(symbol: string, venue?: string, refuses?: Refuses): BookState {
    const what = venue === undefined ? quoted(symbol) : `${quoted(symbol)} on ${quoted(venue)}`;
    const all = this.hub.find(symbol).filter((one) => venue === undefined || one.venue === venue);
    if (all.length === 0) throw new QueryError("not_found", `find ${what}: no such symbol`);
    const open = all.filter(({ withheld }) => withheld === undefined);
    if (open.length === 0) {
      throw new QueryError("forbidden", `have ${what}: not for clients, ${all[0].withheld}`);
    }
    const allowed = refuses === undefined ? open : open.filter((one) => refuses(one) === undefined);
    if (allowed.length === 0) throw new QueryError("forbidden", refuses!(open[0])!);
    const venues = [...new Set(allowed.map((one) => one.venue))];
    if (venues.length > 1) {
      throw new QueryError("invalid", `find ${what}: on ${venues.join(", ")}, want the venue named`);
    }
    return allowed[0];
  }
  /** `depth` 0 or absent: 20. */
  book(symbol: string, depth?: number, venue?: string, refuses?: Refuses): BookAnswer {
    const levels = depthOf(depth);
    return bookOf(requireBook(this.find(symbol, venue, refuses)), levels);
  }
  ticker(symbol: string, venue?: string, refuses?: Refuses): Ticker {
    const state = this.find(symbol, venue, refuses);
    const ticker = this.hub.lastTicker?.(state.venue, state.symbol);
    if (ticker === undefined) {
      const why = state.silence?.() ?? "none has come since the stream began";
      throw new QueryError("unavailable", `tell the ticker of ${quoted(symbol)}: ${why}`);
    }
    return ticker;
  }
  /** The newest `limit`, oldest first; 0 or absent: 100. */
  trades(symbol: string, limit?: number, venue?: string, refuses?: Refuses): readonly Trade[] {
    const count = limitOf(limit, DEFAULT_TRADES, MAX_TRADES, "trades");
    const state = this.find(symbol, venue, refuses);
    return this.hub.recentTrades(state.venue, state.symbol).slice(-count);
  }
  /** The newest `limit`, oldest first, the forming bar last; 0 or absent: 100. */
  candles(symbol: string, interval: string, limit?: number, venue?: string): readonly Candle[] {
    const count = limitOf(limit, DEFAULT_CANDLES, MAX_CANDLES, "candles");
    if (!INTERVALS.some((one) => one === interval)) {
      const message = `take interval ${quoted(interval)}: unknown, want one of ${INTERVALS.join(", ")}`;
      throw new QueryError("invalid", message);
    }
    const state = this.find(symbol, venue);
    return (this.hub.recentCandles?.(state.venue, state.symbol, interval) ?? []).slice(-count);
  }
}

/** @throws QueryError */
export function depthOf(depth: number | undefined): number {
  return limitOf(depth, DEFAULT_DEPTH, MAX_DEPTH, "levels a side");
}

/** The state, if its book can be read now. @throws QueryError */
export function requireBook(state: BookState): BookState {
  const { symbol, venue, keeps_book, in_sync, reason } = state;
  const what = `tell the book of ${quoted(symbol)} on ${quoted(venue)}`;
  if (!keeps_book) throw new QueryError("not_found", `${what}: this source brings none`);
  if (!in_sync) throw new QueryError("unavailable", `${what}: not in sync, ${reason}`);
  return state;
}

/** The book of a state that is in sync, copied. */
export function bookOf(state: BookState, depth: number): BookAnswer {
  const { venue, symbol, last_update_id, book } = state;
  return {
    venue,
    symbol,
    last_update_id,
    bids: levelsOf(book.bids, depth),
    asks: levelsOf(book.asks, depth),
    timestamp_ms: Math.floor(timestampMs(state)),
  };
}

function levelsOf(side: BookSide, depth: number): Level[] {
  const levels: Level[] = [];
  const count = Math.min(depth, side.known);
  for (let i = 0; i < count; i++) {
    const exact_quantity = side.exactQuantity(i);
    const level = { price: side.price(i), quantity: side.quantity(i) };
    levels.push(exact_quantity === undefined ? level : { ...level, exact_quantity });
  }
  return levels;
}

function limitOf(asked: number | undefined, usual: number, most: number, what: string): number {
  if (asked === undefined || asked === 0) return usual;
  if (Number.isInteger(asked) && asked > 0 && asked <= most) return asked;
  throw new QueryError("invalid", `take ${asked} ${what}: out of bounds, want 1 to ${most}`);
}
