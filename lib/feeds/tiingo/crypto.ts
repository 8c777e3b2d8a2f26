/** Tiingo's coins: trades and quotes, each from one of several exchanges. Numbers come in scientific notation too. */
import { tiingoEndpoint } from "./endpoint.ts";

const HEAD = { ticker: 1, date: 2, exchange: 3 };

export const tiingoCrypto = tiingoEndpoint({
  summary: "Tiingo crypto",
  layout: {
    venue: "tiingo-crypto",
    service: "crypto_data",
    quote: { ...HEAD, length: 9, bid_quantity: 4, bid: 5, ask_quantity: 7, ask: 8 },
    trade: { ...HEAD, length: 6, quantity: 4, price: 5 },
  },
  path: "/crypto",
  market: "crypto",
  levels: { trades: [5], quote: [2] },
  ticker: (text) => text.replace(/[/_-]/g, ""),
});
