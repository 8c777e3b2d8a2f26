/** Bybit's instruments, spot and linear. One page holds a thousand; a longer list is told by its first page only. */
import type { InstrumentStatus } from "../../market/instrument_info.ts";
import type { InstrumentsSpec } from "../feed.ts";
import { decimalTextOf, isObject, type JsonObject, objects, restObject, textOf } from "../rest_body.ts";

const STATUSES: Readonly<Record<string, InstrumentStatus>> = {
  Trading: "trading",
  PreLaunch: "halted",
  Delivering: "halted",
  Closed: "closed",
};

export function bybitInstruments(venue: string, category: string): InstrumentsSpec {
  return {
    path: (symbols) =>
      `/v5/market/instruments-info?category=${category}&` +
      (symbols.length === 1 ? `symbol=${encodeURIComponent(symbols[0])}` : "limit=1000"),
    parse(body, symbols) {
      const message = restObject(body, "instruments");
      if (typeof message === "string") return message;
      if (message.retCode !== 0) {
        return `instruments refused: ${String(message.retCode)} ${String(message.retMsg).slice(0, 200)}`;
      }
      const wanted = new Set(symbols);
      const list = isObject(message.result) ? objects(message.result.list) : [];
      return list.filter((one) => wanted.has(String(one.symbol))).map((one) => {
        const part = (name: string): JsonObject => isObject(one[name]) ? one[name] : {};
        const lot = part("lotSizeFilter");
        return {
          venue,
          symbol: String(one.symbol),
          status: STATUSES[String(one.status)],
          base: textOf(one.baseCoin),
          quote: textOf(one.quoteCoin),
          price_tick: decimalTextOf(part("priceFilter").tickSize),
          // Spot says basePrecision and minOrderAmt, linear qtyStep and minNotionalValue.
          quantity_step: decimalTextOf(lot.qtyStep ?? lot.basePrecision),
          min_quantity: decimalTextOf(lot.minOrderQty),
          min_notional: decimalTextOf(lot.minNotionalValue ?? lot.minOrderAmt),
        };
      });
    },
  };
}
