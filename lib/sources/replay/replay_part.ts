/**
 * One recorded source as a source again: its connections' mappers, its merge of redundant ones, its interruptions, each at
 * the place where the live run had them, so that what comes out is what came out live. The player drives it.
 * Refuses: frames of connections that were never said to be open (counted in `strays`).
 */
import type { Mapper } from "../../feeds/feed.ts";
import { checkpointOf } from "../../flow/book_checkpoint.ts";
import { Books } from "../../flow/books.ts";
import { SnapshotOwner } from "../../flow/snapshot_owner.ts";
import type { Checkpoint, Mark, SourceMark } from "../../formats/recording/mark.ts";
import { decodeAnswer } from "../../formats/recording/record.ts";
import { CHANNEL_OF, CHANNELS, type MarketEvent } from "../../market/event.ts";
import { EventBatch } from "../../market/event_batch.ts";
import type { InstrumentInfo } from "../../market/instrument_info.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import type { ReplayFeed } from "../dataset/dataset_feeds.ts";
import { Overlap } from "../live/overlap.ts";
import type { Source, SourceContext, SourceEvents } from "../source.ts";
import { snapshotOf, wholeOrders } from "./checkpoint_event.ts";
import { PlayedTimes } from "./played_times.ts";
import type { ReplayClock } from "./replay_clock.ts";

type OpenedMark = Mark & { mark: "opened" };

interface RecordedConnection {
  mapper: Mapper;
  leg: number;
}

export interface ReplayPartOptions {
  mark: SourceMark;
  feed: ReplayFeed;
  clock: ReplayClock;
  context: SourceContext;
  /** Only these; empty: all. */
  symbols: ReadonlySet<string>;
  /** Told what a frame said, before redundant connections are merged; `key` names the connection. */
  heard?(batch: EventBatch, from: number, key: number): void;
  /** Told of a mark after it was minded. */
  marked?(mark: Mark, at_us: number, lane: number): void;
  /** At the end it waits to be stopped, so that servers go on with what is there. */
  stays: boolean;
  may_redistribute: boolean;
  /** It plays as fast as it goes: whoever is slower may be waited for. */
  isPatient(): boolean;
  /** The consumer is there, or gone. */
  started(): void;
  stopped(): void;
}

export class ReplayPart implements Source {
  readonly name: string;
  /** Its name when it was recorded. */
  readonly recorded_name: string;
  readonly venue: string;
  readonly sequence;
  readonly learns = true;
  readonly clock: ReplayClock;
  readonly symbols: readonly string[];
  readonly withheld;
  /** What waits for the next `deliver`. */
  readonly filling = new EventBatch();
  /** Batches are told by the recording. */
  readonly told_batches: boolean;
  /** Frames of unknown connections. */
  strays = 0;
  frames = 0;
  malformed = 0;
  #events: SourceEvents | undefined;
  readonly #channels: ReadonlySet<string>;
  /** Some channel or symbol of what comes is not wanted. */
  readonly #wants_some: boolean;
  readonly #connections = new Map<number, RecordedConnection>();
  readonly #overlap: Overlap;
  readonly #owner = new SnapshotOwner();
  readonly #instruments = new Map<string, InstrumentInfo>();
  readonly #known = new Set<string>();
  readonly #played: PlayedTimes;
  /** Somebody asked when frames were played; nobody else pays for it. */
  #wants_times = false;
  /** While a place is being reached: books kept beside, of which nobody hears. */
  #shadow: Books | undefined;
  #handover: (() => void) | undefined;
  #delivered: (() => void) | undefined;
  #is_over = false;
  #failure: unknown;
  #last: RecordedConnection | undefined;
  #last_key = 0;

  constructor(readonly options: ReplayPartOptions) {
    const { mark, feed, context, clock, symbols } = options;
    this.name = context.name;
    this.recorded_name = mark.source;
    this.venue = feed.name;
    this.clock = clock;
    this.#channels = new Set(mark.channels);
    const wants_all = mark.channels.length === 0 || feed.channels?.every((one) => this.#channels.has(one));
    this.#wants_some = !wants_all || symbols.size > 0;
    const has_books = mark.channels.length === 0 || this.#channels.has("book");
    this.sequence = has_books ? feed.sequence : undefined;
    this.withheld = options.may_redistribute ? undefined : feed.redistribution?.forbidden;
    this.symbols = mark.symbols.filter((symbol) => symbols.size === 0 || symbols.has(symbol));
    this.told_batches = mark.batches === true;
    this.#played = new PlayedTimes(clock.host);
    this.#overlap = new Overlap(this.sequence, mark.legs, { ...context, clock });
  }
  notReady(): undefined {
    return undefined;
  }
  playedAt(received_us: number): number | undefined {
    this.#wants_times = true;
    return this.#played.find(received_us);
  }
  get patient(): boolean {
    return this.options.isPatient();
  }
  /** What the live run asked for comes; a capture of another tool knows nothing of our wishes. */
  get can_refresh(): boolean {
    return this.told_batches;
  }
  /** Snapshots come when they came. */
  requestSnapshot(): void {}
  instrument(symbol: string): InstrumentInfo | undefined {
    return this.#instruments.get(symbol);
  }

  async *batches(signal: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch> {
    this.#events = events;
    let wake: (() => void) | undefined;
    this.#handover = () => wake?.();
    const stop = () => wake?.();
    signal.addEventListener("abort", stop);
    this.options.started();
    try {
      while (!signal.aborted) {
        if (this.#delivered === undefined && !this.#is_over) {
          await new Promise<void>((resolve) => wake = resolve);
        }
        wake = undefined;
        if (this.#delivered === undefined) {
          if (this.#failure !== undefined) throw this.#failure;
          if (this.#is_over && !this.options.stays) return;
          if (this.#is_over) await new Promise<void>((resolve) => wake = resolve);
          continue;
        }
        yield this.filling;
        this.filling.clear();
        this.#played.clear();
        const delivered = this.#delivered;
        this.#delivered = undefined;
        delivered();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.options.stopped();
      this.#delivered?.();
    }
  }
  /** What reads its connections' frames, for whoever wants more of it than events. */
  *mappers(): Iterable<Mapper> {
    for (const { mapper } of this.#connections.values()) yield mapper;
  }
  /** Hands on what is there; resolves when it was worked on. */
  deliver(): Promise<void> | undefined {
    if (this.filling.size === 0) return undefined;
    if (this.#shadow) {
      this.#shadow.process(this.filling);
      this.filling.clear();
      this.#played.clear();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#delivered = resolve;
      this.#handover?.();
    });
  }
  /** Nothing more comes; with a failure the consumer hears of it. */
  finish(failure?: unknown): void {
    this.#failure = failure;
    this.#is_over = true;
    this.#handover?.();
  }

  /** `key`: of the connection, over all recordings. */
  frame(key: number, frame: Uint8Array, received_us: number): void {
    this.frames++;
    if (this.#wants_times) this.#played.note(received_us);
    if (key !== this.#last_key) {
      this.#last = this.#connections.get(key);
      this.#last_key = key;
    }
    const connection = this.#last;
    if (connection === undefined) {
      this.strays++;
      return;
    }
    const batch = this.filling;
    const before = batch.size;
    const outcome = connection.mapper.map(frame, received_us, batch);
    if (outcome.kind !== "events") {
      if (outcome.kind === "malformed") this.malformed++;
      return;
    }
    if (this.#wants_some) this.#keepWanted(batch.events, before);
    for (let i = before; i < batch.events.length; i++) this.#owner.note(batch.events[i]);
    this.options.heard?.(batch, before, key);
    this.#overlap.take(batch, before, connection, connection.leg);
  }
  answer(payload: Uint8Array, received_us: number): void {
    const { feed, symbols } = this.options;
    const answer = decodeAnswer(payload);
    if (answer === undefined || !answer.head.used) return;
    const { head, body } = answer;
    if (head.purpose === "instruments") {
      const wanted = [...this.#known];
      const found = feed.instruments?.parse(body, wanted) ?? [];
      if (typeof found !== "string") { for (const one of found) this.#instruments.set(one.symbol, one); }
      return;
    }
    const { size } = this.filling;
    feed.snapshot?.parse(body, head.symbol ?? "", received_us, this.filling, head.depth_limit);
    const event = this.filling.events[size];
    if (event?.kind !== "book_snapshot") return;
    if (head.symbol === undefined) event.symbol = this.#owner.of(event) ?? "";
    if (symbols.size > 0 && !symbols.has(event.symbol)) this.filling.truncate(size);
  }
  /** After a jump: the book as the recorder held it. */
  checkpoint(checkpoint: Checkpoint, at_us: number): void {
    const { symbols } = this.options;
    if (symbols.size > 0 && !symbols.has(checkpoint.symbol)) return;
    this.filling.push(snapshotOf(checkpoint, this.venue, at_us, this.sequence?.in_band_snapshots === true));
  }
  /** `lane`: which of the merged recordings says it. */
  mark(mark: Mark, at_us: number, lane: number): void {
    this.#mind(mark, at_us, lane);
    this.options.marked?.(mark, at_us, lane);
  }
  #mind(mark: Mark, at_us: number, lane: number): void {
    switch (mark.mark) {
      case "source":
        for (const symbol of mark.symbols) this.#known.add(symbol);
        if (!mark.again) this.#restart(at_us, lane);
        return;
      case "opened":
        return this.#open(mark, lane);
      case "closed":
        this.#connections.delete(connectionKey(lane, mark.connection));
        this.#last_key = 0;
        this.#last = undefined;
        return;
      case "symbols":
        return this.#changeSymbols(mark, lane);
      case "interrupted":
        for (const symbol of mark.symbols) this.#overlap.interrupted(symbol);
        return this.#interrupt(this.#wanted(mark.symbols), mark.reason, at_us);
      case "trades_interrupted":
        if (!this.#shadow) this.#events?.tradesInterrupted?.(this.#wanted(mark.symbols));
        return;
      case "damage":
        for (const symbol of this.#wanted(mark.symbols)) {
          this.filling.push({ kind: "damage", venue: this.venue, symbol, received_us: at_us });
        }
        return;
      case "overlap_tick":
        this.#overlap.tick(this.filling, mark.overlaps);
        return;
    }
  }
  /** The place in the recording changes: nothing that was known holds, and until `arrive` nobody hears of anything. */
  depart(at_us: number): void {
    this.filling.clear();
    this.#connections.clear();
    this.#last_key = 0;
    this.#last = undefined;
    const known = [...this.#known];
    for (const symbol of known) this.#overlap.forget(symbol);
    if (this.frames > 0) this.#events?.interrupted(known, "seek", at_us);
    this.#shadow = new Books(this.venue, this.sequence, {
      clock: this.clock,
      log: silentLog,
      metrics: new Metrics(),
      publish() {},
      requestSnapshot() {},
      can_refresh: false,
    }, true);
  }
  /** The place is reached: the books as they stand there are told whole. */
  arrive(at_us: number): void {
    const shadow = this.#shadow;
    if (shadow === undefined) return;
    shadow.process(this.filling);
    this.filling.clear();
    this.#shadow = undefined;
    const in_band = this.sequence?.in_band_snapshots === true;
    for (const state of shadow.instruments.values()) {
      const checkpoint = checkpointOf(this.name, state);
      if (checkpoint === undefined) continue;
      this.filling.push(snapshotOf(checkpoint, this.venue, at_us, in_band));
      if (state.orders) this.filling.push(wholeOrders(state.orders, at_us));
    }
  }

  /** The recorder was started again: what was open is not any more. */
  #restart(at_us: number, lane: number): void {
    const gone = [...this.#connections.keys()].filter((key) => laneOf(key) === lane);
    if (gone.length === 0) return;
    for (const key of gone) this.#connections.delete(key);
    this.#last_key = 0;
    this.#last = undefined;
    if (this.#connections.size === 0) this.#interrupt([...this.#known], "recorder restarted", at_us);
  }
  #interrupt(symbols: readonly string[], reason: string, at_us: number): void {
    if (this.#shadow) this.#shadow.interrupted(symbols, reason, at_us);
    else this.#events?.interrupted(symbols, reason, at_us);
  }
  #open({ connection, symbols, channels, leg, again }: OpenedMark, lane: number): void {
    for (const symbol of symbols) this.#known.add(symbol);
    const key = connectionKey(lane, connection);
    // It goes on in this segment; its mapper knows more than a new one would.
    if (again && this.#connections.has(key)) return;
    const { feed } = this.options;
    const learns = symbols.length === 0;
    const mapper = learns
      ? feed.createMapper()
      : feed.createMapper(new Set(symbols), new Set(CHANNELS.filter((one) => channels.includes(one))));
    this.#connections.set(key, { mapper, leg });
    this.#last_key = 0;
  }
  #changeSymbols({ connection, add, remove }: Mark & { mark: "symbols" }, lane: number): void {
    const mapper = this.#connections.get(connectionKey(lane, connection))?.mapper;
    for (const symbol of add) {
      this.#known.add(symbol);
      mapper?.addSymbol(symbol);
    }
    for (const symbol of remove) mapper?.removeSymbol(symbol);
  }
  #wanted(symbols: readonly string[]): readonly string[] {
    const { symbols: wanted } = this.options;
    return wanted.size === 0 ? symbols : symbols.filter((symbol) => wanted.has(symbol));
  }
  #keepWanted(events: MarketEvent[], from: number): void {
    const channels = this.#channels;
    const { symbols } = this.options;
    let kept = from;
    for (let i = from; i < events.length; i++) {
      const event = events[i];
      const is_channel = channels.size === 0 || event.kind === "damage" ||
        channels.has(CHANNEL_OF[event.kind]);
      if (is_channel && (symbols.size === 0 || symbols.has(event.symbol))) events[kept++] = event;
    }
    events.length = kept;
  }
}

/** A connection's number is one of its recording; merged recordings may give the same. */
export function connectionKey(lane: number, connection: number): number {
  return lane * 65_536 + connection;
}
function laneOf(key: number): number {
  return Math.floor(key / 65_536);
}
