/** A mock of Tiingo's crypto socket: trades and quotes, by turns from one exchange or another. */
import { midText, numberText, tiingoMock, utcText } from "./endpoint.ts";

const EXCHANGES = ["gdax", "kraken", "binance"];

export const tiingoCrypto = tiingoMock({
  name: "tiingo-crypto",
  summary: "Tiingo crypto: trades and quotes by position",
  path: "/crypto",
  service: "crypto_data",
  channels: ["trades", "quote"],
  default_symbols: ["btcusd", "ethusd"],
  levels: { 2: ["trade", "quote"], 5: ["trade"] },
  row(item) {
    if (item.kind !== "quote" && item.kind !== "trade") return undefined;
    const place = `"${item.symbol}","${utcText(item.at_us)}","${EXCHANGES[item.id % EXCHANGES.length]}"`;
    if (item.kind === "trade") {
      return `["T",${place},${numberText(item.quantity)},${numberText(item.price)}]`;
    }
    const [bid, bid_size] = item.bid.map(numberText);
    const [ask, ask_size] = item.ask.map(numberText);
    return `["Q",${place},${bid_size},${bid},${midText(item)},${ask_size},${ask}]`;
  },
});
