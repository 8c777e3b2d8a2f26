/** A mock of Tiingo's forex socket: quotes, size before price on both sides. */
import { midText, numberText, tiingoMock, utcText } from "./endpoint.ts";

export const tiingoForex = tiingoMock({
  name: "tiingo-forex",
  summary: "Tiingo forex: quotes by position",
  path: "/fx",
  service: "fx",
  channels: ["quote"],
  default_symbols: ["eurusd", "gbpusd", "usdjpy", "audusd"],
  levels: { 5: ["quote"], 7: ["quote"] },
  row(item) {
    if (item.kind !== "quote") return undefined;
    const [bid, bid_size] = item.bid.map(numberText);
    const [ask, ask_size] = item.ask.map(numberText);
    const head = `"Q","${item.symbol}","${utcText(item.at_us)}"`;
    return `[${head},${bid_size},${bid},${midText(item)},${ask_size},${ask}]`;
  },
});
