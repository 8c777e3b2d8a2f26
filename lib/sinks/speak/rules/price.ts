/**
 * Which price of an instrument a rule looks at, taken from whatever update carries it. A side that a venue does not give
 * makes no price. Prices are printed as they are, never rounded.
 */
import { z } from "zod";
import { formatDecimal } from "../../../base/decimal.ts";
import type { UpdateKind } from "../../../flow/delivery_target.ts";
import type { MarketUpdate } from "../../../market/update.ts";

const PRICES = ["last", "mid", "bid", "ask"] as const;
export type PriceName = typeof PRICES[number];

export const PRICE_KEY = {
  price: z.enum(PRICES).default("last")
    .describe("last: of trades and tickers; mid, bid, ask: of books, quotes and tickers"),
};

export function kindsWith(price: PriceName): readonly UpdateKind[] {
  return price === "last" ? ["trade", "ticker"] : ["book", "quote", "ticker"];
}

export function bidOf(update: MarketUpdate): number | undefined {
  if (update.kind === "book") return update.book.best_bid;
  if (update.kind === "quote") return update.bid;
  return update.kind === "ticker" ? update.bid_price : undefined;
}
export function askOf(update: MarketUpdate): number | undefined {
  if (update.kind === "book") return update.book.best_ask;
  if (update.kind === "quote") return update.ask;
  return update.kind === "ticker" ? update.ask_price : undefined;
}

export function priceOf(update: MarketUpdate, price: PriceName): number | undefined {
  switch (price) {
    case "last":
      return update.kind === "trade"
        ? update.price
        : update.kind === "ticker"
        ? update.last_price
        : undefined;
    case "bid":
      return bidOf(update);
    case "ask":
      return askOf(update);
    case "mid": {
      const bid = bidOf(update);
      const ask = askOf(update);
      // half of a sum of two exact decimals is one too; 15 digits give it back without the noise of the double
      return bid === undefined || ask === undefined ? undefined : Number(((bid + ask) / 2).toPrecision(15));
    }
  }
}

export function numberText(value: number): string {
  return formatDecimal(value);
}
/** Two decimals at most, without trailing zeros. */
export function percentText(percent: number): string {
  return `${formatDecimal(Number(Math.abs(percent).toFixed(2)))}%`;
}
