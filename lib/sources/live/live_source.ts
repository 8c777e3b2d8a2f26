/**
 * A venue live: its feed's streams over as many connections as its routes and limits ask for, its snapshots by REST.
 * Frames are mapped where they arrive and gathered into a batch; the consumer takes whole batches, one promise each.
 * When the consumer lags, reading stops and TCP holds the venue back.
 */
import { knownSecrets } from "../../base/known_secrets.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { MetricFamily, MetricValue } from "../../base/metrics.ts";
import { Random } from "../../base/random.ts";
import type { TappedSource } from "../../flow/frame_tap.ts";
import { type PipelineMetrics, pipelineMetrics } from "../../flow/pipeline_metrics.ts";
import type { SnapshotSpec, StreamName } from "../../feeds/feed.ts";
import { type Channel, CHANNEL_OF, type MarketEvent } from "../../market/event.ts";
import type { CandlePlan } from "../../flow/candles.ts";
import { EventBatch } from "../../market/event_batch.ts";
import type { InstrumentInfo } from "../../market/instrument_info.ts";
import type { SourceConnection } from "../../flow/session_registry.ts";
import { REFRESH } from "../../flow/book_replica.ts";
import type { Source, SourceContext, SourceEvents } from "../source.ts";
import type { Connection, SubscriptionNews } from "./connection.ts";
import { ConnectionCounts } from "./connection_counts.ts";
import { BookRenewals } from "./book_renewals.ts";
import { InstrumentList } from "./instrument_list.ts";
import { QuietBooks } from "./quiet_books.ts";
import { Lane, type LaneOwner } from "./lane.ts";
import type { LiveOptions } from "./live_options.ts";
import { LiveTap } from "./live_tap.ts";
import { MarketHours } from "./market_hours.ts";
import { Overlap } from "./overlap.ts";
import { SnapshotQueue } from "./snapshot_queue.ts";

const TICK_MS = 100;
/** Frames wait in at most this many events before the sockets are paused. */
const MAX_BATCH_EVENTS = 50_000;
/** A book stream acknowledged this long ago may have a snapshot even if it is quiet. */
const QUIET_STREAM_MS = 2_000;
const TICKS_PER_QUIET_CHECK = 5;

export class LiveSource implements Source, LaneOwner, TappedSource {
  readonly name: string;
  readonly venue: string;
  readonly sequence;
  readonly withheld: string | undefined;
  #symbols: string[];
  readonly #lanes: Lane[] = [];
  readonly #random: Random;
  readonly #log: Log;
  readonly #noisy: RateLimitedLog;
  readonly #frames: MetricFamily<MetricValue>;
  readonly #event_frames: MetricValue;
  readonly #connections: ConnectionCounts;
  readonly #contract: PipelineMetrics;
  #filling = new EventBatch();
  #draining = new EventBatch();
  #wake: (() => void) | undefined;
  #paused = false;
  /** Told to wait, however little is gathered. */
  #held = false;
  #events: SourceEvents | undefined;
  /** By REST; venues that send snapshots in-band are asked by a new subscription instead. */
  #snapshots: SnapshotQueue | undefined;
  #instruments: InstrumentList | undefined;
  readonly #renewals: BookRenewals;
  readonly #overlap: Overlap;
  readonly #hours: MarketHours;
  #lane_count = 0;
  #ticks = 0;
  readonly #quiet: QuietBooks;
  readonly #quiet_ms: number;
  readonly #tap: LiveTap;

  constructor(readonly options: LiveOptions, readonly context: SourceContext) {
    this.name = context.name;
    this.venue = options.feed.name;
    this.sequence = options.channels.includes("book") ? options.feed.sequence : undefined;
    this.withheld = options.may_redistribute ? undefined : options.feed.redistribution?.forbidden;
    this.#symbols = [...options.symbols];
    this.#hours = new MarketHours(options.feed, options.calendar, context.clock);
    this.#quiet_ms = Math.min(QUIET_STREAM_MS, options.limits.first_data_ms / 2);
    this.#quiet = new QuietBooks(
      context.clock,
      this.#quiet_ms,
      (symbol) => this.requestSnapshot(symbol, "quiet"),
    );
    this.#random = new Random(`${context.seed}:${context.name}`);
    this.#log = context.log.with({ source: context.name });
    this.#noisy = new RateLimitedLog(this.#log, context.clock);
    this.#contract = pipelineMetrics(context.metrics);
    const renew = (symbol: string) => {
      for (const lane of this.#lanes) lane.renewBook(symbol);
    };
    this.#renewals = new BookRenewals(
      context.clock,
      this.#random.fork("renewals"),
      options.limits.first_data_ms,
      renew,
    );

    this.#overlap = new Overlap(this.sequence, options.legs, { ...context, log: this.#log });
    this.#frames = context.metrics.counter("feed_frames_total", "Frames received, by what became of them", [
      "venue",
      "outcome",
    ]);
    this.#event_frames = this.#frames.with(this.venue, "events");
    this.#connections = new ConnectionCounts(context.metrics, this.name, this.venue, this.#lanes);
    this.#tap = new LiveTap(context, this);
  }
  get channels(): readonly Channel[] {
    return this.options.channels;
  }
  get legs(): number {
    return this.options.legs;
  }
  get candles(): CandlePlan | undefined {
    return this.options.candles;
  }
  get symbols(): readonly string[] {
    return this.#symbols;
  }

  async *batches(signal: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch> {
    const { clock, metrics } = this.context;
    const { answered } = this.#tap;
    this.#events = events;
    if (this.withheld !== undefined) {
      this.#log.info("servers refuse this venue to their clients", { why: this.withheld });
    }
    const { snapshot } = this.options.feed;
    this.#snapshots = this.sequence && snapshot && new SnapshotQueue({
      rest_url: this.options.rest_url,
      spec: snapshot,
      clock,
      log: this.#log,
      random: this.#random.fork("snapshots"),
      results: metrics.counter("snapshot_requests_total", "REST snapshots, by result", ["venue", "result"]),
      venue: this.venue,
      signal,
      ready: (symbol) => this.#bookFlows(symbol),
      arrived: (...arrival) => this.#snapshotArrived(snapshot, ...arrival),
      answered,
    });
    const { instruments } = this.options.feed;
    this.#instruments = instruments && new InstrumentList({
      spec: instruments,
      rest_url: this.options.rest_url,
      clock,
      log: this.#log,
      random: this.#random.fork("instruments"),
      signal,
      symbols: () => this.#symbols,
      answered,
    });
    void this.#instruments?.refresh();
    this.#open(this.#symbols);
    for (const symbol of this.#symbols) this.requestSnapshot(symbol, "start");
    const ticking = clock.every(TICK_MS, () => this.#tick());
    const stop = () => this.#wake?.();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        if (this.#filling.size === 0) await new Promise<void>((resolve) => this.#wake = resolve);
        this.#wake = undefined;
        if (this.#filling.size === 0) continue;
        [this.#filling, this.#draining] = [this.#draining, this.#filling];
        if (this.#paused && !this.#held) this.#setPaused(false);
        this.#tap.taken();
        yield this.#draining;
        this.#draining.clear();
        if (this.#filling.size === 0) this.#tap.settled();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      ticking.cancel();
      for (const lane of this.#lanes) lane.close();
      this.#overlap.close();
      this.#connections.close();
    }
  }
  pause(): void {
    this.#held = true;
    if (!this.#paused) this.#setPaused(true);
  }
  resume(): void {
    this.#held = false;
    if (this.#paused && this.#filling.size < MAX_BATCH_EVENTS) this.#setPaused(false);
  }
  connections(): SourceConnection[] {
    return this.#lanes.map((lane) => lane.describe());
  }
  silence(symbol: string): string | undefined {
    return this.#hours.silence(symbol);
  }
  instrument(symbol: string): InstrumentInfo | undefined {
    return this.#instruments?.get(symbol);
  }
  requestSnapshot(symbol: string, reason: string): void {
    if (this.#snapshots) return this.#snapshots.request(symbol, reason !== REFRESH);
    if (this.sequence?.in_band_snapshots) this.#renewals.request(symbol);
  }
  setSymbols(symbols: readonly string[]): void {
    const added = symbols.filter((symbol) => !this.#symbols.includes(symbol));
    const removed = this.#symbols.filter((symbol) => !symbols.includes(symbol));
    this.#symbols = [...symbols];
    for (const symbol of removed) {
      for (const lane of this.#lanes) lane.remove(symbol);
      this.#snapshots?.forget(symbol);
      this.#renewals.forget(symbol);
      this.#overlap.forget(symbol);
      this.#hours.forget(symbol);
      this.#instruments?.forget(symbol);
      this.#contract.websocket_connected.with(symbol).value = 0;
    }
    for (const lane of this.#lanes.filter((lane) => lane.streams.size === 0)) {
      lane.close();
      this.#lanes.splice(this.#lanes.indexOf(lane), 1);
    }
    if (added.length > 0) void this.#instruments?.refresh();
    this.#open(added);
    for (const symbol of added) this.requestSnapshot(symbol, "added");
  }
  notReady(): string | undefined {
    const refused = this.#lanes.find((lane) => lane.refused !== undefined);
    if (refused) return `refused by the venue: ${refused.refused}`;
    const down = this.#lanes.filter((lane) => !lane.connected);
    // Redundant connections: what one leg carries is there. Lanes of two legs may hold different symbols, so each is asked.
    const missing = down.filter((lane) =>
      lane.symbols.some((symbol) => !this.#isCarriedBesides(lane, symbol))
    );
    return missing.length > 0
      ? `not connected: ${missing.map((lane) => lane.options.id).join(", ")}`
      : undefined;
  }

  frame(lane: Lane, connection: Connection, frame: Uint8Array, received_us: number): void {
    const batch = this.#filling;
    const before = batch.size;
    const outcome = connection.mapper.map(frame, received_us, batch);
    if (outcome.kind === "events") {
      this.#event_frames.value++;
      this.#keepWanted(batch, before);
      for (let i = before; i < batch.events.length; i++) this.#heard(lane, batch.events[i]);
      this.#tap.frames?.mapped(connection.tap_number, batch, before);
      this.#overlap.take(batch, before, connection, lane.options.leg);
      if (batch.size === 0) return;
      if (batch.size >= MAX_BATCH_EVENTS && !this.#paused) this.#setPaused(true);
      this.#wake?.();
      return;
    }
    this.#frames.with(this.venue, outcome.kind).value++;
    const at = { connection: connection.options.id };
    switch (outcome.kind) {
      case "ack":
        return connection.acknowledged(outcome);
      case "reply":
        return connection.say(outcome.text);
      case "lost":
        return connection.close(`frames are missing: ${outcome.why}`);
      case "refused": {
        // It is shown on the health pages too, which nothing masks.
        const message = knownSecrets.mask(outcome.message);
        this.#log.error("the venue refuses this connection", { ...at, reason: message });
        return lane.giveUp(connection, message);
      }
      case "shutdown":
        return lane.rotate("the venue announced a shutdown");
      case "error":
        return this.#noisy.warn("error", "the venue reports an error", {
          ...at,
          reason: knownSecrets.mask(outcome.message),
        });
      case "unknown":
        return this.#noisy.warn(`unknown ${outcome.what}`, "unknown frame ignored", {
          ...at,
          what: outcome.what,
        });
      case "malformed": {
        const [only] = lane.symbols;
        this.#tap.noticed({ mark: "damage", symbols: lane.symbols }, received_us);
        for (const symbol of lane.symbols) {
          batch.push({ kind: "damage", venue: this.venue, symbol, received_us });
        }
        this.#wake?.();
        this.#contract.messages_error_total.with(lane.symbols.length === 1 ? only : "").value++;
        this.#noisy.warn("malformed", "malformed frame dropped", {
          ...at,
          why: outcome.why,
          bytes: frame.length,
        });
      }
    }
  }
  interrupted(lane: Lane, reason: string): void {
    this.#connections.lost.value++;
    for (const symbol of lane.symbols) {
      this.#showConnected(symbol);
      this.#contract.websocket_disconnects_total.with(symbol).value++;
    }
    const without_trades = lane.symbols.filter((symbol) =>
      lane.carriesChannel(symbol, "trades") && !this.#isCarriedBesides(lane, symbol, "trades")
    );
    if (without_trades.length > 0) this.#tradesInterrupted(without_trades);
    const carries_books = [...lane.streams.values()].some((watch) => watch.name.channel === "book");
    if (carries_books || !this.sequence) {
      const alone = lane.symbols.filter((symbol) => !this.#isCarriedBesides(lane, symbol));
      for (const symbol of alone) this.#overlap.interrupted(symbol);
      if (alone.length > 0) {
        const at_us = this.#tap.noticed({ mark: "interrupted", symbols: alone, reason: "disconnected" });
        this.#events?.interrupted(alone, "disconnected", at_us);
      }
    }
    this.#log.debug("streams interrupted", { lane: lane.options.id, reason });
  }
  restored(lane: Lane): void {
    for (const symbol of lane.symbols) this.#showConnected(symbol);
    if (this.#paused) lane.pause();
    this.#log.info("connected", { lane: lane.options.id, streams: lane.streams.size });
  }
  rotated(lane: Lane): void {
    this.context.metrics.counter("feed_rotations_total", "Connections replaced without a pause", ["venue"])
      .with(this.venue).value++;
    this.#log.info("connection replaced by its successor", { lane: lane.options.id });
  }
  subscription(streams: readonly StreamName[], news: SubscriptionNews): void {
    const at_us = this.context.clock.now_us();
    for (const { symbol, channel } of streams) {
      this.#events?.subscription?.({ venue: this.venue, symbol, channel, ...news, at_us });
    }
  }
  silent(lane: Lane, streams: readonly StreamName[]): void {
    this.context.metrics.counter("feed_silent_streams_total", "Acknowledged streams found without data", [
      "venue",
    ])
      .with(this.venue).value += streams.length;
    // Between the old subscription and the new one a trade may pass unseen.
    const trades = streams.filter((one) => one.channel === "trades").map((one) => one.symbol);
    if (trades.length > 0) this.#tradesInterrupted(trades);
    this.#noisy.warn("silent", "acknowledged streams bring no data: subscribing again", {
      lane: lane.options.id,
      streams: streams.slice(0, 5).map((one) => one.stream),
      count: streams.length,
    });
  }

  #tradesInterrupted(symbols: readonly string[]): void {
    this.#tap.noticed({ mark: "trades_interrupted", symbols });
    this.#events?.tradesInterrupted?.(symbols);
  }
  /** A frame may tell more than its stream was asked for: a ticker that is also the quote. */
  #keepWanted({ events }: EventBatch, from: number): void {
    const { channels } = this.options;
    let kept = from;
    for (let i = from; i < events.length; i++) {
      const event = events[i];
      if (event.kind === "damage" || channels.includes(CHANNEL_OF[event.kind])) events[kept++] = event;
    }
    events.length = kept;
  }
  /** Another leg brings the same streams, with data: this one's end is no loss. */
  #isCarriedBesides(
    lane: Lane,
    symbol: string,
    channel: Channel | undefined = lane.carriesChannel(symbol, "book") ? "book" : undefined,
  ): boolean {
    return this.#lanes.some((other) =>
      other.options.leg !== lane.options.leg && other.options.route === lane.options.route &&
      other.flows(symbol, channel)
    );
  }
  /** Connected means that of each route that the symbol needs some leg's connection is open. */
  #showConnected(symbol: string): void {
    const lanes = this.#lanes.filter((lane) => lane.carries(symbol));
    const routes = Map.groupBy(lanes, (lane) => lane.options.route);
    const connected = [...routes.values()].every((legs) => legs.some((lane) => lane.connected));
    this.#contract.websocket_connected.with(symbol).value = connected ? 1 : 0;
  }
  #heard(lane: Lane, event: MarketEvent): void {
    if (event.kind === "damage") return;
    if (event.kind === "book_snapshot") this.#renewals.arrived(event.symbol);
    const first = lane.heard(event.symbol, CHANNEL_OF[event.kind], this.context.clock.monotonic_ms());
    if (first && event.kind === "book_delta") this.#snapshots?.pump();
  }
  #snapshotArrived(
    spec: SnapshotSpec,
    symbol: string,
    body: Uint8Array,
    received_us: number,
    depth_limit: number,
  ): void {
    if (!this.#symbols.includes(symbol)) return;
    const refused = spec.parse(body, symbol, received_us, this.#filling, depth_limit);
    const snapshot = this.#filling.events.at(-1);
    if (refused === undefined && snapshot?.kind === "book_snapshot") {
      if (this.#quiet.isProven(symbol, snapshot.last_id)) {
        for (const lane of this.#lanes) lane.provenQuiet(symbol);
      }
    }
    if (refused !== undefined) {
      this.#log.warn("snapshot refused", { symbol, why: refused });
      this.requestSnapshot(symbol, "unusable");
    }
    this.#wake?.();
  }
  #bookFlows(symbol: string): boolean {
    return this.#lanes.some((lane) =>
      lane.bookFlows(symbol) || lane.subscribedFor_ms(symbol) > this.#quiet_ms
    );
  }
  /** Puts the streams of new symbols on lanes with room, one set of lanes per route. */
  #open(symbols: readonly string[]): void {
    const { feed, channels, stream_options, limits } = this.options;
    // Absent is not zero: an alert on an increase needs the value before it.
    for (const symbol of symbols) {
      this.#contract.websocket_disconnects_total.with(symbol);
      this.#contract.messages_error_total.with(symbol);
    }
    const by_route = Map.groupBy(
      symbols.flatMap((symbol) =>
        channels.flatMap((channel) => feed.streams(symbol, channel, stream_options))
      ),
      (stream) => stream.route,
    );
    for (const [route, streams] of by_route) {
      for (let leg = 0; leg < this.options.legs; leg++) {
        let rest = streams;
        for (const lane of this.#lanes) {
          const room = limits.max_streams_per_connection - lane.streams.size;
          const { route: of_route, leg: of_leg } = lane.options;
          if (of_route !== route || of_leg !== leg || room <= 0 || rest.length === 0) continue;
          lane.add(rest.slice(0, room));
          rest = rest.slice(room);
        }
        for (let i = 0; i < rest.length; i += limits.max_streams_per_connection) {
          this.#openLane(route, leg, rest.slice(i, i + limits.max_streams_per_connection));
        }
      }
    }
    for (const symbol of symbols) this.#showConnected(symbol);
  }
  #openLane(route: string, leg: number, streams: readonly StreamName[]): void {
    const { feed, ws_url, reconnect_delay_ms, max_reconnect_delay_ms, limits, compression, token } =
      this.options;
    const id = `${this.name}/${route}/${++this.#lane_count}`;
    const lane = new Lane({
      id,
      route,
      leg,
      connection: {
        url: ws_url + feed.routes[route],
        feed,
        limits,
        clock: this.context.clock,
        log: this.#log,
        compression,
        token,
        leg,
        tap: this.#tap.frames,
      },
      reconnect_delay_ms,
      max_reconnect_delay_ms,
      random: this.#random.fork(id),
      silence: (symbol) => this.#hours.silence(symbol),
    }, this);
    lane.add(streams);
    this.#lanes.push(lane);
    lane.start();
  }
  #tick(): void {
    // Nothing is read, so nobody is late, and a snapshot would only be in the way.
    if (this.#held) return;
    for (const lane of [...this.#lanes]) lane.check();
    const overlaps = this.#lanes.some((lane) => lane.overlaps);
    this.#tap.overlapTick(overlaps);
    if (this.#overlap.tick(this.#filling, overlaps)) this.#wake?.();
    this.#snapshots?.pump();
    this.#renewals.pump();
    if (this.#snapshots && ++this.#ticks % TICKS_PER_QUIET_CHECK === 0) {
      this.#quiet.look(new Set(this.#lanes.flatMap((lane) => [...lane.quietBooks()])));
    }
  }
  #setPaused(paused: boolean): void {
    this.#paused = paused;
    for (const lane of this.#lanes) {
      if (paused) lane.pause();
      else lane.resume();
    }
  }
}
