/** The venues, under the names that configs use. One line a venue; the assembler checks each against `Feed`. */
export { binanceFutures as "binance-futures" } from "./binance/futures.ts";
export { binanceSpot as "binance-spot" } from "./binance/spot.ts";
export { kraken } from "./kraken/kraken.ts";
