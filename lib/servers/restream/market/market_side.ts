/**
 * The market side of a restream server: the hub's receiver, the makers of every instrument, and the desk where edges ask.
 * Only instruments the hub knows get a place, which bounds the map; it is compared with the hub once a second and whenever
 * an edge misses a symbol, since a symbol may be configured long before its first update.
 */
import type { BookState, Hub, Receiver } from "../../../flow/hub.ts";
import type { HubUpdate } from "../../../market/update.ts";
import type { EdgeInbox, MarketDesk } from "../market_words.ts";
import { formatOfStream, handleOfStream, instrumentOf } from "../stream_key.ts";
import { BinaryEncoding } from "./binary_encoding.ts";
import { InstrumentMaker } from "./instrument_maker.ts";
import { JsonEncoding } from "./json_encoding.ts";
import type { MakerContext } from "./maker.ts";

const REFRESH_MS = 1_000;

export class MarketSide implements Receiver, MarketDesk {
  /** Venue → symbol → maker. */
  readonly #makers = new Map<string, Map<string, InstrumentMaker>>();
  readonly #by_id = new Map<number, InstrumentMaker>();
  readonly #context: MakerContext;
  readonly #started_ms: number;
  #next_id = 1;
  readonly #stops: (() => void)[];

  constructor(readonly name: string, readonly hub: Hub, readonly inbox: EdgeInbox) {
    this.#context = { inbox, encodings: [new JsonEncoding(), new BinaryEncoding()] };
    this.#started_ms = hub.clock.monotonic_ms();
    this.refresh();
    const timer = hub.clock.every(REFRESH_MS, () => this.compare());
    this.#stops = [hub.subscribe(this), () => timer.cancel()];
  }
  stop(): void {
    for (const stop of this.#stops) stop();
    for (const maker of this.#by_id.values()) maker.stop();
  }

  offer(update: HubUpdate): void {
    const { venue, symbol } = update;
    const maker = this.#makers.get(venue)?.get(symbol) ?? this.#meet(venue, symbol);
    if (maker === undefined) return;
    maker.offer(update);
    if (update.kind === "book_status" && !update.in_sync && !this.hub.book(venue, symbol)) {
      this.#remove(maker, update.reason);
    }
  }
  flush(): void {
    this.inbox.flush();
  }

  open(stream: number): void {
    const handle = handleOfStream(stream);
    this.#by_id.get(instrumentOf(handle))?.open(handle, formatOfStream(stream));
  }
  close(stream: number): void {
    const handle = handleOfStream(stream);
    this.#by_id.get(instrumentOf(handle))?.close(handle, formatOfStream(stream));
  }
  tellSnapshot(stream: number): void {
    const handle = handleOfStream(stream);
    this.#by_id.get(instrumentOf(handle))?.tellSnapshot(handle, formatOfStream(stream));
  }
  tellStatus(instrument: number): void {
    this.#by_id.get(instrument)?.tellStatus();
  }
  /** Everything again for an edge that lost its place: instruments and status first, then the streams it names. */
  retell(streams: readonly number[]): void {
    for (const maker of this.#by_id.values()) maker.retellStatus();
    for (const stream of streams) {
      const handle = handleOfStream(stream);
      this.#by_id.get(instrumentOf(handle))?.retell(handle, formatOfStream(stream));
    }
  }
  /** Ids of all instruments. */
  get instruments(): number[] {
    return [...this.#by_id.keys()];
  }
  refresh(): void {
    this.compare();
    this.inbox.refreshed();
  }

  compare(): void {
    for (const state of this.hub.books()) {
      if (!this.#makers.get(state.venue)?.has(state.symbol)) this.#admit(state);
    }
  }
  /** An update of an instrument not seen before. */
  #meet(venue: string, symbol: string): InstrumentMaker | undefined {
    const state = this.hub.book(venue, symbol);
    return state && this.#admit(state);
  }
  #admit({ venue, symbol, withheld }: BookState): InstrumentMaker {
    let symbols = this.#makers.get(venue);
    if (!symbols) this.#makers.set(venue, symbols = new Map());
    const id = this.#next_id++;
    const maker = new InstrumentMaker(id, venue, symbol, this.hub, this.#context, () => this.#firstSeq());
    symbols.set(symbol, maker);
    this.#by_id.set(id, maker);
    this.inbox.instrument(id, venue, symbol, withheld);
    return maker;
  }
  #remove(maker: InstrumentMaker, reason: string): void {
    maker.stop();
    this.#makers.get(maker.venue)?.delete(maker.symbol);
    this.#by_id.delete(maker.id);
    this.inbox.removed(maker.id, reason);
  }
  /**
   * Microseconds since the start: no topic sends a message a microsecond, so a maker that comes again begins above all that
   * the one before it told, and a client can't mistake one for the other.
   */
  #firstSeq(): number {
    return Math.floor((this.hub.clock.monotonic_ms() - this.#started_ms) * 1000);
  }
}
