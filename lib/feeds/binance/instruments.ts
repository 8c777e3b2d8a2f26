/**
 * Binance's exchange information, spot and USDⓈ-M alike. Source: Binance API documents, "Exchange Information" and
 * "Filters" (PRICE_FILTER, LOT_SIZE, NOTIONAL or MIN_NOTIONAL).
 */
import type { InstrumentInfo, InstrumentStatus } from "../../market/instrument_info.ts";

const STATUS: Readonly<Record<string, InstrumentStatus>> = {
  TRADING: "trading",
  HALT: "halted",
  BREAK: "halted",
  AUCTION_MATCH: "halted",
  PENDING_TRADING: "closed",
  PRE_TRADING: "closed",
  POST_TRADING: "closed",
  END_OF_DAY: "closed",
  PRE_DELIVERING: "halted",
  DELIVERING: "halted",
  DELIVERED: "closed",
  CLOSE: "closed",
};

/**
 * `{"symbols":[{"symbol","status","baseAsset","quoteAsset","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01"}]}]}`
 * → those asked for; an error text when the body is none.
 */
export function parseInstruments(
  venue: string,
  body: Uint8Array,
  symbols: readonly string[],
): InstrumentInfo[] | string {
  let message;
  try {
    message = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return "exchange information: not JSON";
  }
  if (!Array.isArray(message?.symbols)) {
    return message?.code === undefined
      ? "exchange information: no symbols"
      : `exchange information refused: ${message.code} ${String(message.msg).slice(0, 200)}`;
  }
  const wanted = new Set(symbols);
  const found: InstrumentInfo[] = [];
  for (const row of message.symbols) {
    if (row === null || typeof row !== "object" || !wanted.has(row.symbol)) continue;
    const filters: unknown[] = Array.isArray(row.filters) ? row.filters : [];
    const of = (type: string, field: string) => {
      const filter = filters.find((one): one is Record<string, unknown> =>
        one !== null && typeof one === "object" && (one as Record<string, unknown>).filterType === type
      );
      return decimalText(filter?.[field]);
    };
    found.push({
      venue,
      symbol: row.symbol,
      status: STATUS[row.status],
      base: text(row.baseAsset),
      quote: text(row.quoteAsset),
      price_tick: of("PRICE_FILTER", "tickSize"),
      quantity_step: of("LOT_SIZE", "stepSize"),
      min_quantity: of("LOT_SIZE", "minQty"),
      min_notional: of("NOTIONAL", "minNotional") ?? of("MIN_NOTIONAL", "notional") ??
        of("MIN_NOTIONAL", "minNotional"),
    });
  }
  return found;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
function decimalText(value: unknown): string | undefined {
  return typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? value : undefined;
}
