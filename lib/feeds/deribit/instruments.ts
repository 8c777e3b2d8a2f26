/** Deribit's instruments: one by name, else all that are listed. */
import type { InstrumentInfo, InstrumentStatus } from "../../market/instrument_info.ts";
import type { InstrumentsSpec } from "../feed.ts";
import { decimalTextOf, isObject, type JsonObject, objects, restObject, textOf } from "../rest_body.ts";

const STATUSES: Readonly<Record<string, InstrumentStatus>> = {
  open: "trading",
  locked: "halted",
  halted: "halted",
  preopen: "halted",
  closed: "closed",
  settled: "closed",
  deactivated: "closed",
  terminated: "closed",
  archivized: "closed",
};

export const instruments: InstrumentsSpec = {
  path: (symbols) =>
    symbols.length === 1
      ? `/api/v2/public/get_instrument?instrument_name=${encodeURIComponent(symbols[0])}`
      : "/api/v2/public/get_instruments?currency=any",
  parse(body, symbols) {
    const message = restObject(body, "instruments");
    if (typeof message === "string") return message;
    if (isObject(message.error)) {
      return `instruments refused: ${String(message.error.code)} ${
        String(message.error.message).slice(0, 200)
      }`;
    }
    const wanted = new Set(symbols);
    const list = isObject(message.result) ? [message.result] : objects(message.result);
    return list.map(instrumentOf).filter((one) => wanted.has(one.symbol));
  },
};

/** `{"instrument_name":"BTC-PERPETUAL","base_currency":"BTC","quote_currency":"USD","tick_size":0.5,"min_trade_amount":10,…}` */
function instrumentOf(one: JsonObject): InstrumentInfo {
  return {
    venue: "deribit",
    symbol: String(one.instrument_name),
    // Older answers know only active or not.
    status: STATUSES[String(one.state)] ?? (one.is_active === true ? "trading" : undefined),
    base: textOf(one.base_currency),
    quote: textOf(one.quote_currency),
    price_tick: decimalTextOf(one.tick_size),
    // Amounts are multiples of the contract.
    quantity_step: decimalTextOf(one.contract_size),
    min_quantity: decimalTextOf(one.min_trade_amount),
  };
}
