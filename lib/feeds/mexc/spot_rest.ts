/**
 * MEXC spot by REST, which today's and the older socket share: book snapshots and exchange information.
 * Source: MEXC spot v3 documents, "Order Book", "Exchange Information", "Limits".
 */
import type { InstrumentStatus } from "../../market/instrument_info.ts";
import type { InstrumentsSpec, SnapshotSpec } from "../feed.ts";
import { decimalTextOf, objects, restObject, textOf } from "../rest_body.ts";
import { bookParser } from "./rest_book.ts";

const STATUSES: Readonly<Record<string, InstrumentStatus>> = { "1": "trading", "2": "halted", "3": "closed" };
const MAX_DECIMALS = 22;

export function spotSnapshot(venue: string): SnapshotSpec {
  return {
    sizes: [{ depth_limit: 5000, weight: 1 }],
    // Documented are 500 requests in 10 s; others were stopped at 300.
    weight_per_minute: 1800,
    path: (symbol, depth_limit) => `/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=${depth_limit}`,
    parse: bookParser(venue, { version: "lastUpdateId" }),
  };
}

export function spotInstruments(venue: string): InstrumentsSpec {
  return {
    path: (symbols) => `/api/v3/exchangeInfo?symbols=${symbols.map(encodeURIComponent).join(",")}`,
    parse(body, symbols) {
      const message = restObject(body, "exchange information");
      if (typeof message === "string") return message;
      if (!Array.isArray(message.symbols)) {
        return message.code === undefined
          ? "exchange information: no symbols"
          : `exchange information refused: ${String(message.code)} ${String(message.msg).slice(0, 200)}`;
      }
      const wanted = new Set(symbols);
      return objects(message.symbols).filter((one) => wanted.has(String(one.symbol))).map((one) => ({
        venue,
        symbol: String(one.symbol),
        // Older answers write the words, "ENABLED", which say less.
        status: STATUSES[String(one.status)],
        base: textOf(one.baseAsset),
        quote: textOf(one.quoteAsset),
        price_tick: stepOf(one.quotePrecision),
        // The grid is that of the decimals; `baseSizePrecision` is the least size, and 0 for many symbols.
        quantity_step: stepOf(one.baseAssetPrecision),
        min_quantity: decimalTextOf(one.baseSizePrecision),
        min_notional: decimalTextOf(one.quoteAmountPrecision),
      }));
    },
  };
}

/** Decimals to the step they allow: 2 → "0.01". */
function stepOf(decimals: unknown): string | undefined {
  if (!Number.isInteger(decimals) || Number(decimals) < 0 || Number(decimals) > MAX_DECIMALS) {
    return undefined;
  }
  return decimals === 0 ? "1" : `0.${"1".padStart(Number(decimals), "0")}`;
}
