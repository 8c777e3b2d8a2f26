/** What can be alerted on, one line each. Adding one: write its file, add its line. */
export { feedDead } from "./feed_dead.ts";
export { gap } from "./gap.ts";
export { largeTrade } from "./large_trade.ts";
export { priceCrosses } from "./price_crosses.ts";
export { priceMoves } from "./price_moves.ts";
export { sinkDown } from "./sink_down.ts";
export { spreadWide } from "./spread_wide.ts";
