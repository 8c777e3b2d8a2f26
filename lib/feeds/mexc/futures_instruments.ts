/** MEXC's contracts. One request tells of all; steps and minima are in contracts. Source: contract v1, "Contract Details". */
import type { InstrumentStatus } from "../../market/instrument_info.ts";
import type { InstrumentsSpec } from "../feed.ts";
import { decimalTextOf, objects, restObject, textOf } from "../rest_body.ts";

/** 0 enabled, 1 delivery, 2 delivered, 3 offline, 4 paused. */
const STATUSES: readonly InstrumentStatus[] = ["trading", "halted", "closed", "closed", "halted"];

export function futuresInstruments(venue: string): InstrumentsSpec {
  return {
    path: (symbols) =>
      "/api/v1/contract/detail" + (symbols.length === 1 ? `?symbol=${encodeURIComponent(symbols[0])}` : ""),
    parse(body, symbols) {
      const message = restObject(body, "contract details");
      if (typeof message === "string") return message;
      if (message.success !== true) {
        return `contract details refused: ${String(message.code)} ${String(message.message).slice(0, 200)}`;
      }
      const wanted = new Set(symbols);
      // Asked for one, some versions answer with the object itself.
      const list = Array.isArray(message.data) ? message.data : [message.data];
      return objects(list).filter((one) => wanted.has(String(one.symbol))).map((one) => ({
        venue,
        symbol: String(one.symbol),
        status: STATUSES[Number(one.state)],
        base: textOf(one.baseCoin),
        quote: textOf(one.quoteCoin),
        price_tick: decimalTextOf(one.priceUnit),
        quantity_step: decimalTextOf(one.volUnit),
        min_quantity: decimalTextOf(one.minVol),
      }));
    },
  };
}
