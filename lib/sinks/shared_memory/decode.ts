/**
 * Slots into plain objects, for people and for JSON. A double that is NaN is absent, so its field is as well.
 */
import {
  BOOK,
  BOOK_HEAD_BYTES,
  BOOK_STATE,
  CANDLE_FIELDS,
  EVENT,
  FLAG,
  FLAG_INEXACT,
  INTERVAL_BYTES,
  KIND,
  KIND_NAMES,
  NAME_BYTES,
  REASON_BYTES,
  TICKER_FIELDS,
  VENUE_ID_BYTES,
} from "./layout.ts";

const BOOK_STATE_NAMES = Object.fromEntries(
  Object.entries(BOOK_STATE).map(([name, code]) => [code, name]),
);

export interface SharedBook {
  venue: string;
  symbol: string;
  state: string;
  reason?: string;
  /** Sequence of the event that told this book: events of the instrument up to it are inside. */
  event_sequence: number;
  bids: [price: number, quantity: number][];
  asks: [price: number, quantity: number][];
  [time_or_id: string]: unknown;
}

/** A confirmed copy of a book slot (SegmentReader.book). */
export function decodeBook(view: DataView, book_depth: number): SharedBook {
  const u32 = (offset: number) => view.getUint32(offset, true);
  const reason = text(view, BOOK.reason, REASON_BYTES);
  return {
    venue: text(view, BOOK.venue, NAME_BYTES),
    symbol: text(view, BOOK.symbol, NAME_BYTES),
    state: BOOK_STATE_NAMES[u32(BOOK.state)] ?? "unknown",
    ...reason === "" ? {} : { reason },
    event_sequence: view.getFloat64(BOOK.event_sequence, true),
    ...present(view, BOOK.book_sequence, [
      "book_sequence",
      "last_update_id",
      "exchange_ms",
      "sent_ms",
      "received_us",
      "published_us",
    ]),
    ...u32(BOOK.flags) & FLAG_INEXACT ? { inexact: true } : {},
    bids: levels(view, BOOK_HEAD_BYTES, u32(BOOK.bid_count)),
    asks: levels(view, BOOK_HEAD_BYTES + 16 * book_depth, u32(BOOK.ask_count)),
  };
}

export interface SharedEvent {
  sequence: number;
  instrument: number;
  kind: string;
  [field: string]: unknown;
}

/** A confirmed copy of an event slot (SegmentReader.next). */
export function decodeEvent(view: DataView): SharedEvent {
  const shape = view.getUint32(EVENT.shape, true);
  const kind = shape & 0xff;
  const flags = (shape >>> 8) & 0xff;
  return {
    sequence: view.getFloat64(EVENT.sequence, true),
    instrument: view.getUint32(EVENT.instrument, true),
    kind: KIND_NAMES[kind] ?? `kind ${kind}`,
    ...present(view, EVENT.exchange_ms, ["exchange_ms", "received_us", "published_us"]),
    ...decodePayload(view, kind, flags, shape >>> 16),
    ...flags & FLAG_INEXACT ? { inexact: true } : {},
  };
}

function decodePayload(view: DataView, kind: number, flags: number, length: number): Record<string, unknown> {
  const at = EVENT.payload;
  switch (kind) {
    case KIND.trade:
      return {
        ...present(view, at, ["price", "quantity", "trade_id", "first_fill_id", "last_fill_id"]),
        ...flags & (FLAG.buy | FLAG.sell) ? { aggressor: flags & FLAG.buy ? "buy" : "sell" } : {},
        ...length > at + 40 ? { venue_trade_id: text(view, at + 40, VENUE_ID_BYTES) } : {},
      };
    case KIND.quote:
      return present(view, at, ["bid", "bid_quantity", "ask", "ask_quantity", "update_id"]);
    case KIND.book:
      return {
        ...present(view, at, [
          "bid",
          "bid_quantity",
          "ask",
          "ask_quantity",
          "book_sequence",
          "last_update_id",
          "sent_ms",
        ]),
        ...flags & FLAG.whole ? { whole: true } : {},
      };
    case KIND.levels:
      return {
        book_sequence: view.getFloat64(at, true),
        side: flags & FLAG.ask_side ? "ask" : "bid",
        ...flags & FLAG.last ? { last: true } : {},
        levels: levels(view, at + 8, (length - at - 8) / 16),
      };
    case KIND.book_status:
      return {
        in_sync: (flags & FLAG.in_sync) !== 0,
        ...present(view, at, ["missing_from_id", "missing_to_id", "out_of_sync_ms"]),
        reason: text(view, at + 24, REASON_BYTES),
      };
    case KIND.ticker:
      return present(view, at, TICKER_FIELDS);
    case KIND.candle:
      return {
        ...present(view, at, CANDLE_FIELDS),
        interval: text(view, at + 8 * CANDLE_FIELDS.length, INTERVAL_BYTES),
        closed: (flags & FLAG.closed) !== 0,
      };
    case KIND.instrument:
      return { venue: text(view, at, NAME_BYTES), symbol: text(view, at + NAME_BYTES, NAME_BYTES) };
  }
  return {};
}

/** Consecutive doubles by name, those that are there. */
function present(view: DataView, offset: number, names: readonly string[]): Record<string, number> {
  const fields: Record<string, number> = {};
  names.forEach((name, i) => {
    const value = view.getFloat64(offset + 8 * i, true);
    if (!Number.isNaN(value)) fields[name] = value;
  });
  return fields;
}

function levels(view: DataView, offset: number, count: number): [number, number][] {
  return Array.from({ length: count }, (_, i) => {
    const at = offset + 16 * i;
    return [view.getFloat64(at, true), view.getFloat64(at + 8, true)];
  });
}

function text(view: DataView, offset: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
