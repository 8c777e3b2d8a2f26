/** The venues, under the names that configs use. One line a venue; the assembler checks each against `Feed`. */
export { binanceFutures as "binance-futures" } from "./binance/futures.ts";
export { binanceSpot as "binance-spot" } from "./binance/spot.ts";
export { kraken } from "./kraken/kraken.ts";
export { okx } from "./okx/okx.ts";
export { bybitLinear as "bybit-linear" } from "./bybit/linear.ts";
export { bybitSpot as "bybit-spot" } from "./bybit/spot.ts";
export { deribit } from "./deribit/deribit.ts";
export { coinbase } from "./coinbase/coinbase.ts";
export { mexcSpot as "mexc-spot" } from "./mexc/spot.ts";
export { mexcFutures as "mexc-futures" } from "./mexc/futures.ts";
export { mexcLegacy as "mexc-legacy" } from "./mexc/legacy.ts";
export { yahoo } from "./yahoo/yahoo.ts";
export { tiingoForex as "tiingo-forex" } from "./tiingo/forex.ts";
export { tiingoCrypto as "tiingo-crypto" } from "./tiingo/crypto.ts";
export { tiingoEquities as "tiingo-equities" } from "./tiingo/equities.ts";
