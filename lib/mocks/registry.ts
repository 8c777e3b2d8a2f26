/** The mock venues, under the names of the feeds they feed. One line a venue; the assembler checks each against `MockKind`. */
export { binanceFutures as "binance-futures" } from "./binance/futures.ts";
export { binanceSpot as "binance-spot" } from "./binance/spot.ts";
export { yahoo } from "./yahoo.ts";
