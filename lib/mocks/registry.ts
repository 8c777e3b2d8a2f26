/** The mock venues, under the names of the feeds they feed. One line a venue; the assembler checks each against `MockKind`. */
export { binanceFutures as "binance-futures" } from "./binance/futures.ts";
export { binanceSpot as "binance-spot" } from "./binance/spot.ts";
export { yahoo } from "./yahoo.ts";
export { kraken } from "./kraken.ts";
export { okx } from "./okx.ts";
export { bybitLinear as "bybit-linear" } from "./bybit/linear.ts";
export { bybitSpot as "bybit-spot" } from "./bybit/spot.ts";
export { deribit } from "./deribit.ts";
export { coinbase } from "./coinbase.ts";
export { mexcSpot as "mexc-spot" } from "./mexc/spot.ts";
export { mexcFutures as "mexc-futures" } from "./mexc/futures.ts";
export { mexcLegacy as "mexc-legacy" } from "./mexc/legacy.ts";
export { tiingoForex as "tiingo-forex" } from "./tiingo/forex.ts";
export { tiingoCrypto as "tiingo-crypto" } from "./tiingo/crypto.ts";
export { tiingoEquities as "tiingo-equities" } from "./tiingo/equities.ts";
