/** Bybit linear: USDT and USDC perpetuals and futures. */
import { bybitMarket } from "./market.ts";

export const bybitLinear = bybitMarket("bybit-linear", "Bybit linear perpetuals and futures", "linear");
