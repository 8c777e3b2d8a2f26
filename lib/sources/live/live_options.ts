/** What a live source is told: the resolved form of its config, everything absent filled in. */
import type { Feed, FeedLimits, StreamOptions } from "../../feeds/feed.ts";
import type { CandlePlan } from "../../flow/candles.ts";
import type { CalendarOptions } from "../../market/calendar.ts";
import type { Channel } from "../../market/event.ts";

export interface LiveOptions {
  feed: Feed;
  symbols: readonly string[];
  channels: readonly Channel[];
  stream_options: StreamOptions;
  token?: string;
  ws_url: string;
  rest_url: string;
  reconnect_delay_ms: number;
  max_reconnect_delay_ms: number;
  limits: FeedLimits;
  compression: boolean;
  candles?: CandlePlan;
  /** Redundant connections per stream. */
  legs: number;
  calendar: CalendarOptions;
  /** The operator has the venue's agreement to hand its data on. */
  may_redistribute: boolean;
}
