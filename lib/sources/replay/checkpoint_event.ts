/** A recorded checkpoint, or a book that was kept up beside, as the event from which any book can be taken up. */
import { readDecimal } from "../../base/decimal.ts";
import type { Checkpoint } from "../../formats/recording/mark.ts";
import type { BookSnapshot, OrderEvents } from "../../market/event.ts";
import { LevelList } from "../../market/level_list.ts";
import type { OrdersUpdate } from "../../market/update.ts";

/** @param resets the venue's snapshots come inside the stream: this one stands for such */
export function snapshotOf(
  { symbol, last_id, exchange_ms, sent_ms, whole, bids, asks }: Checkpoint,
  venue: string,
  received_us: number,
  resets: boolean,
): BookSnapshot {
  return {
    kind: "book_snapshot",
    venue,
    symbol,
    received_us,
    exchange_ms,
    sent_ms,
    last_id,
    // Sides end at their last level: what lies beyond is unknown.
    ...(whole ? {} : { depth_limit: 1 }),
    ...(resets ? { resets: true as const } : {}),
    bids: listOf(bids),
    asks: listOf(asks),
  };
}

/** The orders of a book that was kept up beside, to follow its `snapshotOf`. */
export function wholeOrders(update: OrdersUpdate, received_us: number): OrderEvents {
  const { venue, symbol, exchange_ms, sent_ms, last_update_id: last_id, orders } = update;
  const all = [...orders.orders("bid"), ...orders.orders("ask")];
  const changes = all.map((order) => ({ ...order, action: "add" as const }));
  return { kind: "orders", venue, symbol, exchange_ms, sent_ms, received_us, last_id, whole: true, changes };
}

function listOf(levels: readonly [string, string][]): LevelList {
  const list = new LevelList(Math.max(1, levels.length));
  for (const [price_text, quantity_text] of levels) {
    const price = readDecimal(price_text);
    const quantity = readDecimal(quantity_text);
    if (price === undefined || quantity === undefined) continue;
    if (quantity.text !== undefined) (list.exact_quantities ??= new Map()).set(list.size, quantity.text);
    list.push(price.value, quantity.value);
    list.noteDecimals(price.decimals, quantity.decimals);
  }
  return list;
}
