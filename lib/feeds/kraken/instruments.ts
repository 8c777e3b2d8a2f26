/** Kraken's AssetPairs. REST still writes XBT and XDG where the WebSocket v2 writes BTC and DOGE. */
import type { InstrumentInfo, InstrumentStatus } from "../../market/instrument_info.ts";
import type { InstrumentsSpec } from "../feed.ts";
import { decimalTextOf, isObject, type JsonObject, restObject, textOf } from "../rest_body.ts";

const NEW_NAMES: Readonly<Record<string, string>> = { XBT: "BTC", XDG: "DOGE" };
/** cancel_only, post_only, limit_only and reduce_only still have a book, yet not the whole market. */
const STATUSES: Readonly<Record<string, InstrumentStatus>> = {
  online: "trading",
  post_only: "trading",
  limit_only: "trading",
  reduce_only: "trading",
  cancel_only: "halted",
  maintenance: "halted",
  delisted: "closed",
};

export const instruments: InstrumentsSpec = {
  // All of them: whether `pair` takes the new names is said nowhere.
  path: () => "/0/public/AssetPairs",
  parse(body, symbols) {
    const message = restObject(body, "asset pairs");
    if (typeof message === "string") return message;
    if (Array.isArray(message.error) && message.error.length > 0) {
      return `asset pairs refused: ${String(message.error[0]).slice(0, 200)}`;
    }
    if (!isObject(message.result)) return "asset pairs: no result";
    const wanted = new Set(symbols);
    return Object.values(message.result).filter(isObject).map(instrumentOf)
      .filter((one): one is InstrumentInfo => one !== undefined && wanted.has(one.symbol));
  },
};

/** `{"wsname":"XBT/USD","tick_size":"0.1","lot_decimals":8,"ordermin":"0.00005","costmin":"0.5","status":"online"}` */
function instrumentOf(pair: JsonObject): InstrumentInfo | undefined {
  const names = textOf(pair.wsname)?.split("/").map((name) => NEW_NAMES[name] ?? name);
  if (names?.length !== 2) return undefined;
  const { lot_decimals } = pair;
  return {
    venue: "kraken",
    symbol: names.join("/"),
    status: STATUSES[String(pair.status)],
    base: names[0],
    quote: names[1],
    price_tick: decimalTextOf(pair.tick_size),
    quantity_step: typeof lot_decimals === "number" && lot_decimals >= 0 && lot_decimals <= 22
      ? decimalTextOf(Number(`1e-${lot_decimals}`))
      : undefined,
    min_quantity: decimalTextOf(pair.ordermin),
    min_notional: decimalTextOf(pair.costmin),
  };
}
