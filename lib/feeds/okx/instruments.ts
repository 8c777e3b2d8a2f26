/** OKX's instruments. The venue answers by kind, which the form of a symbol tells: BTC-USDT, BTC-USDT-SWAP, BTC-USD-261225. */
import type { InstrumentStatus } from "../../market/instrument_info.ts";
import type { InstrumentsSpec } from "../feed.ts";
import { decimalTextOf, objects, restObject, textOf } from "../rest_body.ts";

const STATUSES: Readonly<Record<string, InstrumentStatus>> = {
  live: "trading",
  post_only: "trading",
  suspend: "halted",
  rebase: "halted",
  preopen: "halted",
  test: "halted",
  expired: "closed",
};

function kindOf(symbol: string): string {
  const parts = symbol.split("-");
  if (parts.length < 3) return "SPOT";
  if (parts[2] === "SWAP") return "SWAP";
  return parts.length === 3 ? "FUTURES" : "OPTION";
}

export const instruments: InstrumentsSpec = {
  // One request is about one kind: ask with symbols of one.
  path: (symbols) =>
    `/api/v5/public/instruments?instType=${kindOf(symbols[0] ?? "")}` +
    (symbols.length === 1 ? `&instId=${encodeURIComponent(symbols[0])}` : ""),
  parse(body, symbols) {
    const message = restObject(body, "instruments");
    if (typeof message === "string") return message;
    if (message.code !== "0") {
      return `instruments refused: ${String(message.code)} ${String(message.msg).slice(0, 200)}`;
    }
    const wanted = new Set(symbols);
    return objects(message.data).filter((one) => wanted.has(String(one.instId))).map((one) => ({
      venue: "okx",
      symbol: String(one.instId),
      status: STATUSES[String(one.state)],
      // Derivatives name their currencies in `uly` ("BTC-USD") instead.
      base: textOf(one.baseCcy) ?? textOf(one.uly)?.split("-")[0],
      quote: textOf(one.quoteCcy) ?? textOf(one.uly)?.split("-")[1],
      price_tick: decimalTextOf(one.tickSz),
      quantity_step: decimalTextOf(one.lotSz),
      min_quantity: decimalTextOf(one.minSz),
    }));
  },
};
