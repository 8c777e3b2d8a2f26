/**
 * The source `live`: a venue's own streams, for any feed in the registry.
 */
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import { knownSecrets } from "../../base/known_secrets.ts";
import type { Feed } from "../../feeds/feed.ts";
import type { CandlePlan } from "../../flow/candles.ts";
import { EQUITY_HOURS } from "../../market/calendar.ts";
import { type Channel, CHANNELS } from "../../market/event.ts";
import { type Interval, INTERVALS } from "../../market/interval.ts";
import { defineSource } from "../source.ts";
import { secret } from "../../config/secret.ts";
import { LiveSource } from "./live_source.ts";

const VENUE_DOC = "the venue whose streams these are";
const schema = z.strictObject({
  venue: z.string().describe(VENUE_DOC),
  symbols: z.array(z.string().min(1).max(64)).min(1).max(5_000).describe("as the venue writes them"),
  channels: z.array(z.enum(CHANNELS as [string, ...string[]])).min(1).optional().describe(
    "what to subscribe to; default book, trades and quote as far as the venue has them; quote also feeds the audit of the book",
  ),
  speed: z.string().regex(/^\w{1,16}$/).optional().describe(
    "how often the venue tells, in its own word: an interval such as 100ms, a threshold level such as 5",
  ),
  depth: z.int().min(1).max(5_000).optional().describe(
    "levels a side of the book stream, where the venue offers a choice",
  ),
  candle_intervals: z.array(z.enum(INTERVALS)).min(1).optional().describe(
    "candles to subscribe to; default 1m",
  ),
  token: secret("what the venue wants to see before it serves; only for venues that want one").optional(),
  ws_url: z.url({ protocol: /^wss?$/ }).optional().describe("overrides the venue's stream endpoint"),
  rest_url: z.url({ protocol: /^https?$/ }).optional().describe("overrides the venue's REST endpoint"),
  reconnect_delay_ms: z.int().min(1).max(600_000).default(1_000).describe("first delay, doubled with jitter"),
  max_reconnect_delay_ms: z.int().min(1).max(3_600_000).default(60_000).describe("bound of the delay"),
  max_silence_ms: z.int().min(100).optional().describe("a connection silent for this long is dead"),
  first_data_ms: z.int().min(100).optional().describe("an acknowledged stream must bring data within this"),
  lifetime_ms: z.int().min(1_000).optional().describe(
    "connections are replaced, with overlap, before this age",
  ),
  connections: z.int().min(1).max(4).default(1).describe(
    "independent connections that carry the same streams, merged: one may die without a loss",
  ),
  overnight_start: z.string().regex(/^2[0-3]:[0-5]\d$/, "must be HH:MM from 20:00 to 23:59, in New York")
    .optional()
    .describe("US equities also trade in a night session that begins at this time; default: there is none"),
  closures: z.record(z.iso.date(), z.string().min(1).max(100)).optional().describe(
    "days on which US equities stay closed beside the known holidays: date → why",
  ),
  redistribution: z.literal("allowed").optional().describe(
    "the venue agreed that its data is handed to clients of servers; without it venues whose terms forbid that are refused there",
  ),
  compression: z.boolean().default(false).describe("offer permessage-deflate to the venue"),
  order_book_depth: z.int().min(1).max(5_000).optional().describe(
    "accepted for old configs; sinks say their own depth",
  ),
});

const USUAL_CHANNELS: readonly Channel[] = ["book", "trades", "quote"];
/** Delays to a loopback address need no politeness: a local stand-in comes back at once. */
const LOOPBACK_MAX_DELAY_MS = 1_000;

export const live = defineSource({
  name: "live",
  summary: "A venue's own streams",
  schema,
  schemaFor: (venues) => schema.extend({ venue: z.enum([...venues]).describe(VENUE_DOC) }),
  create(config, context) {
    const feed = Object.hasOwn(context.feeds, config.venue) ? context.feeds[config.venue] : undefined;
    if (!feed) {
      throw new UserError(
        `open source "${context.name}": venue ${JSON.stringify(config.venue)} is unknown, want one of ${
          Object.keys(context.feeds).join(", ")
        }`,
        { code: 2 },
      );
    }
    if (feed.token_doc !== undefined && config.token === undefined) {
      throw new UserError(
        `open source ${JSON.stringify(context.name)}: no token, want one in its "token": ${feed.token_doc}`,
        { code: 2 },
      );
    }
    requireHours(config, feed, context.name);
    // A venue may repeat in its refusal what it was sent.
    if (config.token !== undefined) knownSecrets.add(config.token);
    const wanted = wantedChannels(config.channels, feed, context.name);
    const ws_url = (config.ws_url ?? feed.endpoints.ws_url).replace(/\/+$/, "");
    const rest_url = (config.rest_url ?? restUrlOf(ws_url, feed)).replace(/\/+$/, "");
    const max_delay_ms = isLoopback(ws_url) ? LOOPBACK_MAX_DELAY_MS : Infinity;
    return new LiveSource({
      feed,
      symbols: [...new Set(config.symbols.map((symbol) => feed.symbol(symbol)))],
      channels: channelsOf(wanted, feed),
      candles: candlesOf(wanted, config.candle_intervals ?? ["1m"], feed),
      stream_options: { speed: config.speed, depth: config.depth, intervals: config.candle_intervals },
      token: config.token,
      ws_url,
      rest_url,
      reconnect_delay_ms: Math.min(config.reconnect_delay_ms, max_delay_ms),
      max_reconnect_delay_ms: Math.min(config.max_reconnect_delay_ms, max_delay_ms),
      limits: {
        ...feed.limits,
        max_silence_ms: config.max_silence_ms ?? feed.limits.max_silence_ms,
        first_data_ms: config.first_data_ms ?? feed.limits.first_data_ms,
        lifetime_ms: config.lifetime_ms ?? feed.limits.lifetime_ms,
      },
      compression: config.compression,
      legs: config.connections,
      calendar: {
        hours: { ...EQUITY_HOURS, overnight_start: config.overnight_start },
        closures: config.closures,
      },
      may_redistribute: config.redistribution === "allowed",
    }, context);
  },
});

/** @throws UserError for hours of a venue that has none: whoever set them would rely on what never happens */
function requireHours(config: z.output<typeof schema>, feed: Feed, source: string): void {
  const key = (["overnight_start", "closures"] as const).find((key) => config[key] !== undefined);
  if (key === undefined || feed.market !== undefined) return;
  throw new UserError(
    `open source ${JSON.stringify(source)}: ${JSON.stringify(key)} is set, want it only where a venue has ` +
      `market hours: ${feed.name} always trades`,
    { code: 2 },
  );
}

/** What the config asks for, or what most want of this venue. @throws UserError for a channel that it does not have */
function wantedChannels(named: readonly string[] | undefined, feed: Feed, source: string): readonly string[] {
  if (named === undefined) {
    const usual = USUAL_CHANNELS.filter((channel) => feed.channels.includes(channel));
    return usual.length > 0 ? usual : feed.channels;
  }
  const missing = named.find((channel) =>
    !feed.channels.some((one) => one === channel) && !candlesOf(channel === "candles" ? named : [], [], feed)
  );
  if (missing === undefined) return named;
  throw new UserError(
    `open source ${JSON.stringify(source)}: ${feed.name} has no channel ${
      JSON.stringify(missing)
    }, want some of ${feed.channels.join(", ")}`,
    { code: 2 },
  );
}

/** What is subscribed to: candles that the venue does not send are built from its trades. */
function channelsOf(wanted: readonly string[], feed: Feed): Channel[] {
  const builds = candlesOf(wanted, [], feed)?.publish;
  return CHANNELS.filter((channel) =>
    feed.channels.includes(channel) && (wanted.includes(channel) || (channel === "trades" && builds))
  );
}

/** Ours are published where the venue has none, and check the venue's where both come. */
function candlesOf(
  wanted: readonly string[],
  intervals: readonly Interval[],
  feed: Feed,
): CandlePlan | undefined {
  if (!wanted.includes("candles") || !feed.channels.includes("trades")) return undefined;
  if (!feed.channels.includes("candles")) return { intervals, publish: true };
  return wanted.includes("trades") ? { intervals, publish: false } : undefined;
}

/** The REST base that belongs to a stream endpoint: the venue's own pairs, else the same host (stand-ins serve both). */
function restUrlOf(ws_url: string, { endpoints }: Feed): string {
  const url = new URL(ws_url);
  if (url.hostname === new URL(endpoints.ws_url).hostname) return endpoints.rest_url;
  return endpoints.rest_of_host?.[url.hostname] ??
    `${url.protocol === "wss:" ? "https" : "http"}://${url.host}`;
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
