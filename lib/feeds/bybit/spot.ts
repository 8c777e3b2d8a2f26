/** Bybit spot. Its tickers come whole and without best bid and offer. */
import { bybitMarket } from "./market.ts";

export const bybitSpot = bybitMarket("bybit-spot", "Bybit spot", "spot");
