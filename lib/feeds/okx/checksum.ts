/**
 * OKX's legacy book checksum: CRC-32 as a signed 32-bit integer over up to 25 levels a side, bid and ask by turns, each
 * `price:size`, all joined by colons; when one side ends the other goes on alone. In production it has been constant 0
 * since 2026-06-23 and 0 is never validated; recordings from before carry real ones.
 */
import { formatDecimal } from "../../base/decimal.ts";
import { crc32 } from "../../formats/crc32.ts";
import type { BookSide } from "../../market/book_side.ts";
import type { BookView } from "../../market/order_book.ts";

const LEVELS = 25;
const encoder = new TextEncoder();

/** Over the shortest texts of the numbers: the mapper hands a checksum on only where the venue writes them so. */
export function okxChecksum({ bids, asks }: BookView): number {
  const parts: string[] = [];
  for (let i = 0; i < LEVELS; i++) {
    for (const side of [bids, asks]) if (i < side.size) parts.push(levelText(side, i));
  }
  return crc32(encoder.encode(parts.join(":"))) | 0;
}

function levelText(side: BookSide, i: number): string {
  return `${formatDecimal(side.price(i))}:${side.exactQuantity(i) ?? formatDecimal(side.quantity(i))}`;
}
