/**
 * The contract of a source: something that yields batches of market events until its signal aborts. Control goes the
 * other way in two words only: which symbols, and a fresh snapshot please.
 */
import type { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import type { CandlePlan } from "../flow/candles.ts";
import type { Feed } from "../feeds/feed.ts";
import type { SourceConnection } from "../flow/session_registry.ts";
import type { FrameTap } from "../flow/frame_tap.ts";
import type { EventBatch } from "../market/event_batch.ts";
import type { SubscriptionChange } from "../market/subscription_change.ts";
import type { InstrumentInfo } from "../market/instrument_info.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";

/** What the consumer of a source is told beside events. */
export interface SourceEvents {
  /** The streams of these symbols stopped; their books can't be trusted to be current. `at_us`: default now. */
  interrupted(symbols: readonly string[], reason: string, at_us?: number): void;
  /** The trades of these symbols stopped; some may be missing. */
  tradesInterrupted?(symbols: readonly string[]): void;
  /** A subscription at the venue was asked for, acknowledged or refused. */
  subscription?(change: SubscriptionChange): void;
}

export interface Source {
  readonly name: string;
  /** The `venue` of its events. */
  readonly venue: string;
  /** Undefined: it brings no books. */
  readonly sequence: SequenceRule | undefined;
  readonly symbols: readonly string[];
  /** Its symbols are not known beforehand: any that comes is taken. */
  readonly learns?: boolean;
  /** It can wait for slow sinks, and nothing is lost by that (a replay as fast as it goes). */
  readonly patient?: boolean;
  /** False: no snapshot can be asked for (a capture holds those that it holds). Default: it can. */
  readonly can_refresh?: boolean;
  /** The time that its events are of, where that is not now (a replay). */
  readonly clock?: Clock;
  /** Where frames are played from a recording: when the one received then was, by the host's clock (epoch µs). */
  playedAt?(received_us: number): number | undefined;
  /** Candles to be built from its trades. */
  readonly candles?: CandlePlan;
  /**
   * Batches in order. A batch and all in it are the source's again when the next is asked for. Ends when `signal` aborts
   * (or when a finite source is done); everything it opened is closed by then.
   */
  batches(signal: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch>;
  /** Why its data is not for clients of servers; absent: it is. */
  readonly withheld?: string;
  /** Why no data of the symbol is to be expected now ("market closed: weekend"); undefined: it is. */
  silence?(symbol: string): string | undefined;
  /** What the venue says of the instrument; undefined while unknown. */
  instrument?(symbol: string): InstrumentInfo | undefined;
  /** The consumer's book of this symbol needs a snapshot. Single flight per symbol; comes as an event. */
  requestSnapshot(symbol: string, reason: string): void;
  /** Adds and removes symbols while running; the others do not notice. */
  setSymbols?(symbols: readonly string[]): void;
  /** Undefined when connected, else why not. */
  notReady(): string | undefined;
  /** Its connections, for the operator; absent: it is one, in the state that `notReady` tells. */
  connections?(): SourceConnection[];
  /**
   * Stops reading at once, so that it fills no more memory: the other side waits or drops, and whatever is lost so is
   * told by `interrupted` or made good by a snapshot. No batch is asked for until `resume`. Absent: it can't wait.
   */
  pause?(): void;
  resume?(): void;
}

export interface SourceContext {
  readonly name: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly seed: string;
  /** The venues, by registry name. */
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Who listens to live frames; absent: nobody. */
  readonly tap?: FrameTap;
}

/** What a source file exports under its registry name. */
export interface SourceKind<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly schema: Schema;
  /** The schema where only these venues are taken, so that a config is refused before anything starts. */
  schemaFor?(venues: readonly string[]): z.ZodObject;
  create(config: z.output<Schema>, context: SourceContext): Source;
  /** Instead of `create`, where one section stands for as many sources as are found by looking (recordings). */
  createAll?(config: z.output<Schema>, context: SourceContext): Promise<readonly Source[]>;
}

export function defineSource<Schema extends z.ZodObject>(kind: SourceKind<Schema>): SourceKind<Schema> {
  return kind;
}
