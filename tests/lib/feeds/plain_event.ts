/** A market event as plain data with decimal texts: comparable, printable, and independent of pooled arrays. */
import { formatDecimal } from "../../../lib/base/decimal.ts";
import type { MarketEvent } from "../../../lib/market/event.ts";
import type { LevelList } from "../../../lib/market/level_list.ts";

export function plainLevels(list: LevelList): [string, string][] {
  return Array.from({ length: list.size }, (_, i) => [
    formatDecimal(list.prices[i]),
    list.exact_quantities?.get(i) ?? formatDecimal(list.quantities[i]),
  ]);
}

/** Absent fields are left out. */
export function plainEvent(event: MarketEvent): Record<string, unknown> {
  const plain: Record<string, unknown> = { ...event };
  if (event.kind === "book_delta" || event.kind === "book_snapshot") {
    plain.bids = plainLevels(event.bids);
    plain.asks = plainLevels(event.asks);
  }
  for (const key of Object.keys(plain)) if (plain[key] === undefined) delete plain[key];
  return plain;
}
