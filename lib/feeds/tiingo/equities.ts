/**
 * Tiingo's US shares from IEX. Trades and quotes (level 0: all, 5: when the price changed) need a signed IEX agreement since
 * February 2025; other accounts get a reference price (level 6), which is the channel `ticker`. The ask's price stands before
 * its size, unlike in Tiingo's other services, and the time in nanoseconds is past 2^53, so the date is read.
 */
import { tiingoEndpoint } from "./endpoint.ts";

const HEAD = { length: 16, date: 1, ticker: 3 };

export const tiingoEquities = tiingoEndpoint({
  summary: "Tiingo US equities (IEX)",
  layout: {
    venue: "tiingo-equities",
    service: "iex",
    quote: { ...HEAD, bid_quantity: 4, bid: 5, ask: 7, ask_quantity: 8 },
    trade: { ...HEAD, price: 9, quantity: 10 },
    reference: { length: 3, date: 0, ticker: 1, price: 2 },
  },
  path: "/iex",
  market: "us_equities",
  levels: { trades: [0, 5], quote: [0, 5], ticker: [6] },
  // Share classes are written with a dash.
  ticker: (text) => text.replace(/[./]/g, "-"),
});
