/**
 * The contract of a venue. A feed is pure: frames in, events out; no socket, no clock, no timer. Everything a connection
 * must know to talk to the venue is stated here as data, so sources/live serves every venue alike.
 */
import type { MarketName, SessionName } from "../market/calendar.ts";
import type { Channel } from "../market/event.ts";
import type { EventBatch } from "../market/event_batch.ts";
import type { InstrumentInfo } from "../market/instrument_info.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";

/**
 * What became of one frame. `events`: they are in the batch. Everything else is counted by kind and logged.
 * - `ack` settles the request with this id, else the requests for these streams, else the oldest one.
 * - `refused`: the venue will not serve us as we are (bad token, no right): no new attempt before a long pause.
 * - `lost`: the frame proves that frames before it are missing on this connection; it is closed and opened anew.
 * - `reply`: the venue wants this text back.
 */
export type FrameOutcome =
  | { kind: "events" }
  | { kind: "ack"; id?: number; streams?: readonly string[]; error?: string; session_id?: number }
  | { kind: "error"; message: string }
  | { kind: "refused"; message: string }
  | { kind: "lost"; why: string }
  | { kind: "reply"; text: string }
  | { kind: "pong" }
  | { kind: "shutdown" }
  | { kind: "unknown"; what: string }
  | { kind: "malformed"; why: string };

/** Shared outcome of the frequent case, so the hot path allocates none. */
export const EVENTS: FrameOutcome = { kind: "events" };

/** Reads the frames of one connection. State lives only here; a new connection gets a new mapper. */
export interface Mapper {
  /** Appends what the frame says to `batch`; all or nothing per frame. Never throws on bad input. */
  map(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome;
  /** Accepts a symbol from now on, or no longer. Only for mappers made with a list of symbols. */
  addSymbol(symbol: string): void;
  removeSymbol(symbol: string): void;
}

/** One stream of a venue: where it is served, what it is called there, what it carries. */
export interface StreamName {
  route: string;
  stream: string;
  symbol: string;
  channel: Channel;
}

/** How a channel is wanted, where the venue offers a choice; what it does not offer is passed over. */
export interface StreamOptions {
  /** The venue's word for how often it tells: an interval ("100ms") or a level ("5"). */
  speed?: string;
  /** Levels a side of the book stream. */
  depth?: number;
  /** Candle intervals ("1m", "1h"). */
  intervals?: readonly string[];
}

/** What a connection knows when it writes to the venue. */
export interface FeedSession {
  /** From the config, where the feed needs one. */
  readonly token?: string;
  /** From the venue's own acknowledgement. */
  readonly session_id?: number;
}

export interface FeedLimits {
  max_streams_per_connection: number;
  /** Client messages a second that the venue allows, with room for pongs. */
  max_messages_per_second: number;
  /** Streams in one SUBSCRIBE frame. */
  max_streams_per_message: number;
  /** The venue cuts a connection after this. We rotate before. */
  lifetime_ms: number;
  /** Nothing at all received for this long: the connection is dead. */
  max_silence_ms: number;
  /** An acknowledged stream without its first event for this long raises an alarm and a new subscription. */
  first_data_ms: number;
  /** Largest frame that the venue may send; default 4 MiB. */
  max_frame_bytes?: number;
}

/** One size of REST snapshot that a venue offers. */
export interface SnapshotSize {
  /** Levels a side. */
  depth_limit: number;
  /** Request weight that it costs. */
  weight: number;
}

export interface SnapshotSpec {
  /** Deepest first. With many symbols waiting, smaller ones get all in sync sooner; refreshes deepen them later. */
  sizes: readonly SnapshotSize[];
  /** Request weight a minute that the venue grants one address. */
  weight_per_minute: number;
  /** Path and query below the REST base. */
  path(symbol: string, depth_limit: number): string;
  /**
   * Appends one book_snapshot; an error text when the body is none. `depth_limit` is what was asked for; absent
   * (recordings): the longer side shows it.
   */
  parse(
    body: Uint8Array,
    symbol: string,
    received_us: number,
    batch: EventBatch,
    depth_limit?: number,
  ): string | undefined;
}

/** What the venue says of its instruments, by REST. */
export interface InstrumentsSpec {
  /** Path and query below the REST base. */
  path(symbols: readonly string[]): string;
  /** Those of `symbols` that the body tells of; an error text when it is none. */
  parse(body: Uint8Array, symbols: readonly string[]): InstrumentInfo[] | string;
}

/** The market that a symbol trades in; with a session: it moves in this one only (an index). */
export type Trading = MarketName | { readonly market: MarketName; readonly session?: SessionName };

export interface Feed {
  /** The registry name and the `venue` of every event. */
  readonly name: string;
  readonly summary: string;
  readonly endpoints: {
    readonly ws_url: string;
    readonly rest_url: string;
    /** The venue's other sites: stream host → REST base that belongs to it. */
    readonly rest_of_host?: Readonly<Record<string, string>>;
  };
  /** Route name → path below `ws_url`. */
  readonly routes: Readonly<Record<string, string>>;
  readonly channels: readonly Channel[];
  readonly limits: FeedLimits;
  /** Present exactly where `channels` has "book". */
  readonly sequence?: SequenceRule;
  /** Absent where snapshots come in-band, or there are no books. */
  readonly snapshot?: SnapshotSpec;
  readonly instruments?: InstrumentsSpec;
  /** The venue serves nobody without a token; in words, where one is had. */
  readonly token_doc?: string;
  /** The venue's terms keep its data from third parties; why, in words. Operators with an agreement say so. */
  readonly redistribution?: { readonly forbidden: string };
  /** The venue acknowledges no subscription. */
  readonly silent_subscriptions?: true;
  /** The venue's spelling of a symbol as users may write it ("btcusdt" → "BTCUSDT"). */
  symbol(text: string): string;
  /** Where the symbol trades, so that silence outside its hours is no fault; undefined: always, or nobody knows. */
  market?(symbol: string): Trading | undefined;
  /** The streams that carry a channel of a symbol. */
  streams(symbol: string, channel: Channel, options?: StreamOptions): StreamName[];
  /** Streams with different keys never share a message ("one channel per request"). */
  messageKey?(stream: StreamName): string;
  subscribe(streams: readonly StreamName[], id: number, session: FeedSession): string;
  /** `kept`: what the connection goes on to carry, for venues where streams share a subscription. */
  unsubscribe(
    streams: readonly StreamName[],
    id: number,
    session: FeedSession,
    kept?: readonly StreamName[],
  ): string;
  /** What a new connection says before it subscribes. */
  greeting?(session: FeedSession): string[];
  /** What it says in between, so that the venue keeps it. */
  readonly keep_alive?: {
    readonly every_ms: number;
    frame(session: FeedSession, streams: readonly StreamName[]): string;
  };
  /**
   * `symbols`: the only ones to accept; absent: learn from the traffic (captures). `channels`: the only ones to tell of,
   * for venues whose streams carry more than one; absent: all.
   */
  createMapper(symbols?: Iterable<string>, channels?: ReadonlySet<Channel>): Mapper;
}

/** A feed whose books are spliced together from its stream and REST snapshots. */
export interface SplicedFeed extends Feed {
  readonly sequence: SequenceRule;
  readonly snapshot: SnapshotSpec;
}
