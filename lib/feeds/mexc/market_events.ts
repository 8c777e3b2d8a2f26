/** Events that all of MEXC's forms end in, once a mapper has read the values: books and bars. */
import type { BookDelta, Candle } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import type { LevelList } from "../../market/level_list.ts";
import type { CandleBars } from "../candle_bars.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { malformed, quoted } from "../json/mapper.ts";
import { barCloseMs, INTERVAL_OF_WORD } from "./intervals.ts";

/** Whom an event is of, and when. */
export interface Head {
  venue: string;
  symbol: string;
  received_us: number;
  exchange_ms: number | undefined;
  sent_ms: number | undefined;
}

/** The values of a kline; NaN and undefined: not said. */
export interface Kline {
  word: string;
  /** First second of the bar, and of the next one. */
  start_s: number;
  end_s: number;
  open: number | undefined;
  high: number | undefined;
  low: number | undefined;
  close: number | undefined;
  volume: number | undefined;
  quote_volume: number | undefined;
}

const MAX_TIME_S = 1e11;

/** @param delta of the batch's pool, its levels read */
export function pushDelta(
  head: Head,
  delta: BookDelta,
  first_id: number,
  last_id: number,
  batch: EventBatch,
): FrameOutcome {
  if (!(first_id >= 0 && first_id <= last_id)) return malformed("depth: bad version");
  delta.venue = head.venue;
  delta.symbol = head.symbol;
  delta.received_us = head.received_us;
  delta.exchange_ms = head.exchange_ms;
  delta.sent_ms = head.sent_ms;
  delta.first_id = first_id;
  delta.last_id = last_id;
  delta.previous_id =
    delta.depth_limit =
    delta.checksum =
    delta.precision =
      undefined;
  batch.pushDelta(delta);
  return EVENTS;
}

/** The best 5, 10 or 20 levels: the longer side shows how many. */
export function pushLimitedBook(
  head: Head,
  bids: LevelList,
  asks: LevelList,
  last_id: number,
  batch: EventBatch,
): FrameOutcome {
  if (!(last_id >= 0)) return malformed("depth: bad version");
  const depth_limit = Math.max(bids.size, asks.size);
  batch.push({ kind: "book_snapshot", ...head, last_id, depth_limit, bids, asks });
  return EVENTS;
}

export function pushKline(head: Head, kline: Kline, bars: CandleBars, batch: EventBatch): FrameOutcome {
  const { word, start_s, end_s, open, high, low, close, volume, quote_volume } = kline;
  const interval = INTERVAL_OF_WORD.get(word);
  if (interval === undefined) return { kind: "unknown", what: `interval ${quoted(word)}` };
  if (
    !(start_s > 0 && start_s < MAX_TIME_S) || open === undefined || close === undefined ||
    high === undefined || low === undefined || volume === undefined
  ) return malformed("kline without times, prices or volume");
  const open_time_ms = start_s * 1000;
  const bar: Candle = {
    kind: "candle",
    ...head,
    interval,
    open_time_ms,
    close_time_ms: barCloseMs(interval, open_time_ms, end_s),
    open,
    high,
    low,
    close,
    volume,
    quote_volume,
    closed: false,
  };
  bars.push([bar], batch);
  return EVENTS;
}
