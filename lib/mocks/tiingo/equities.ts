/** A mock of Tiingo's IEX socket: rows of 16 at levels 0 and 5, the reference price at level 6; New York's winter time. */
import { isoMicroseconds } from "../../wire/iso_time.ts";
import type { Happening } from "../stage/happening.ts";
import { midText, numberText, tiingoMock } from "./endpoint.ts";

const BEHIND_US = 5 * 3_600_000_000;
const FULL: readonly Happening["kind"][] = ["trade", "quote"];

function newYorkText(at_us: number): string {
  return isoMicroseconds(at_us - BEHIND_US).replace("Z", "000-05:00");
}

export const tiingoEquities = tiingoMock({
  name: "tiingo-equities",
  summary: "Tiingo US equities (IEX): trades, quotes and reference prices by position",
  path: "/iex",
  service: "iex",
  channels: ["trades", "quote", "ticker"],
  default_symbols: ["aapl", "msft"],
  levels: { 0: FULL, 5: FULL, 6: ["ticker"] },
  row(item) {
    const date = `"${newYorkText(item.at_us)}"`;
    if (item.kind === "ticker") {
      return item.last && `[${date},"${item.symbol}",${numberText(item.last[0])}]`;
    }
    const nanoseconds = BigInt(Math.floor(item.at_us)) * 1000n;
    const head = `${date},${nanoseconds},"${item.symbol}"`;
    if (item.kind === "trade") {
      const [price, size] = [item.price, item.quantity].map(numberText);
      return `["T",${head},null,null,null,null,null,${price},${size},null,0,0,0,0]`;
    }
    if (item.kind !== "quote") return undefined;
    const [bid, bid_size] = item.bid.map(numberText);
    const [ask, ask_size] = item.ask.map(numberText);
    const sides = `${bid_size},${bid},${midText(item)},${ask},${ask_size}`;
    return `["Q",${head},${sides},null,null,0,0,null,null,null]`;
  },
});
