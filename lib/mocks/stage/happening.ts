/**
 * What happens in a market, in nobody's words: exact decimal texts, absolute levels, ids that rise by one per change.
 * A dialect turns these into its venue's frames and keeps whatever numbering the venue has of its own.
 */
import type { Level } from "../mock.ts";
import type { StageItem } from "./tape.ts";

interface Head extends StageItem {
  /** Unix time, whole milliseconds. */
  readonly at_ms: number;
}

/** Levels that changed, each with its new quantity ("0" in the grid's decimals: gone). Never empty on both sides. */
export interface BookChange extends Head {
  readonly kind: "book";
  /** Ids of the first and last single change inside, and of the last one before them. */
  readonly first_id: number;
  readonly last_id: number;
  readonly previous_id: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface TradeHappening extends Head {
  readonly kind: "trade";
  /** One more than the trade before. */
  readonly id: number;
  readonly price: string;
  readonly quantity: string;
  readonly aggressor: "buy" | "sell";
}

/** Best bid and ask after a change of either; only while both sides have one. */
export interface QuoteHappening extends Head {
  readonly kind: "quote";
  /** Id of the last single change that it reflects. */
  readonly id: number;
  readonly bid: Level;
  readonly ask: Level;
}

/** Statistics since the market opened. What needs a trade is absent before the first. */
export interface TickerHappening extends Head {
  readonly kind: "ticker";
  readonly open_ms: number;
  readonly bid?: Level;
  readonly ask?: Level;
  readonly last?: Level;
  readonly open?: string;
  readonly high?: string;
  readonly low?: string;
  /** Base and quote volume. */
  readonly volume: string;
  readonly quote_volume: string;
  readonly trade_count: number;
  readonly first_trade_id?: number;
  readonly last_trade_id?: number;
}

/** A bar of one minute that has at least one trade. */
export interface CandleHappening extends Head {
  readonly kind: "candle";
  readonly open_ms: number;
  /** First millisecond of the next bar. */
  readonly end_ms: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quote_volume: string;
  readonly trade_count: number;
  readonly closed: boolean;
}

export type Happening = BookChange | TradeHappening | QuoteHappening | TickerHappening | CandleHappening;
export type HappeningKind = Happening["kind"];

/** A symbol's book before anything happened. */
export interface Opening {
  readonly symbol: string;
  readonly at_ms: number;
  readonly last_id: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}
