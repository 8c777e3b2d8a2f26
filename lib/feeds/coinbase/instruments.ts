/** Coinbase's products, from the public market-data part of the Advanced Trade API. */
import type { InstrumentStatus } from "../../market/instrument_info.ts";
import type { InstrumentsSpec } from "../feed.ts";
import { decimalTextOf, type JsonObject, objects, restObject, textOf } from "../rest_body.ts";

function statusOf(product: JsonObject): InstrumentStatus | undefined {
  if (product.status === "delisted") return "closed";
  if (product.status === "offline" || product.trading_disabled === true || product.is_disabled === true) {
    return "halted";
  }
  return product.status === "online" ? "trading" : undefined;
}

export const instruments: InstrumentsSpec = {
  path: (symbols) =>
    `/api/v3/brokerage/market/products?${
      symbols.map((symbol) => `product_ids=${encodeURIComponent(symbol)}`).join("&")
    }`,
  parse(body, symbols) {
    const message = restObject(body, "products");
    if (typeof message === "string") return message;
    if (!Array.isArray(message.products)) {
      return `products refused: ${String(message.error ?? message.message ?? "no list").slice(0, 200)}`;
    }
    const wanted = new Set(symbols);
    return objects(message.products).filter((one) => wanted.has(String(one.product_id))).map((one) => ({
      venue: "coinbase",
      symbol: String(one.product_id),
      status: statusOf(one),
      base: textOf(one.base_currency_id),
      quote: textOf(one.quote_currency_id),
      price_tick: decimalTextOf(one.price_increment ?? one.quote_increment),
      quantity_step: decimalTextOf(one.base_increment),
      min_quantity: decimalTextOf(one.base_min_size),
      min_notional: decimalTextOf(one.quote_min_size),
    }));
  },
};
