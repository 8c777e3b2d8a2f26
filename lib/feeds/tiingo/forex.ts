/** Tiingo's currencies: top-of-book quotes. The documents' index table swaps ask size and price; their samples don't. */
import { tiingoEndpoint } from "./endpoint.ts";

export const tiingoForex = tiingoEndpoint({
  summary: "Tiingo forex",
  layout: {
    venue: "tiingo-forex",
    service: "fx",
    quote: { length: 8, ticker: 1, date: 2, bid_quantity: 3, bid: 4, ask_quantity: 6, ask: 7 },
  },
  path: "/fx",
  market: "forex",
  // 7 is listed beside 5 (everything) [U].
  levels: { quote: [5, 7] },
  ticker: (text) => text.replace(/[/_-]/g, ""),
});
