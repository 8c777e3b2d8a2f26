/**
 * The client side of a restream server: everyone connected to this thread, the streams they want, the cohorts they stand
 * in. Hears from the market side through `EdgeInbox`, asks through `MarketDesk`. A stream stays open for a while after its
 * last subscriber left, so that one who comes back finds what it missed.
 */
import { type Clock, withDeadline } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { Random } from "../../../base/random.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { EdgeLimits } from "../config.ts";
import { jsonFrame } from "../json_frame.ts";
import type { EdgeInbox, MarketDesk } from "../market_words.ts";
import type { ServerMetrics } from "../server_metrics.ts";
import { type Format, handleOf, streamOf, type Variant } from "../stream_key.ts";
import { BookRelay } from "./book_relay.ts";
import { Client, type ClientContext } from "./client.ts";
import type { CloseReason } from "./close_reason.ts";
import { Cohort } from "./cohort.ts";
import { Flusher } from "./flusher.ts";
import { FrameHistory } from "./frame_history.ts";
import { Instruments } from "./instruments.ts";
import type { Relay, RelayContext } from "./relay.ts";
import { RequestDesk } from "./request_desk.ts";
import { Subscription } from "./subscription.ts";
import { KeptRelay, LatestRelay } from "./value_relays.ts";

/** How often lags are looked at, and streams without subscribers. */
const WATCH_MS = 250;
/** How long a client may take to answer a close, and the server to end. */
export const CLOSE_TIMEOUT_MS = 1_000;

/** At shutdown: what waits may go out for so long, and clients are asked to come back within this span. */
const DRAIN_MS = 2_000;
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 5_000;

export interface EdgeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: ServerMetrics;
  readonly limits: EdgeLimits;
  readonly epoch: string;
  noteAdmitted?(bytes: number): void;
  onClosed?(client: Client, reason: CloseReason, code: number): void;
}

export class Edge implements EdgeInbox {
  readonly clients = new Set<Client>();
  readonly instruments = new Instruments();
  readonly requests: RequestDesk;
  readonly #relays = new Map<number, Relay>();
  /** Relay → since when nobody wants it. */
  readonly #idle = new Map<Relay, number>();
  readonly #cohorts = new Map<string, Cohort>();
  readonly #flusher: Flusher;
  readonly history: FrameHistory;
  readonly #relay_context: RelayContext;
  readonly client_context: ClientContext;
  readonly #timers: { cancel(): void }[];
  #desk!: MarketDesk;
  #watched_ms: number;
  #refuse_newcomers = false;
  #conflate_all = false;
  #emptied: (() => void) | undefined;

  constructor(readonly options: EdgeOptions) {
    const { clock, limits, metrics, epoch } = options;
    this.#flusher = new Flusher(clock);
    this.history = new FrameHistory(limits.resume_bytes, limits.resume_ms);
    this.requests = new RequestDesk(this);
    this.#relay_context = {
      epoch,
      history: this.history,
      tellSnapshot: (stream) => this.#desk.tellSnapshot(stream),
    };
    const isConflatingAll = () => this.#conflate_all;
    this.client_context = {
      clock,
      limits: limits.queue,
      max_lag_ms: limits.max_lag_ms,
      flusher: this.#flusher,
      metrics,
      noteAdmitted: options.noteAdmitted ?? (() => {}),
      get conflate_all() {
        return isConflatingAll();
      },
      onMessage: (client, text) => this.requests.onMessage(client, text),
      onDrop: (subscription) => this.#drop(subscription),
      onClose: (client, reason, code) => this.#onClose(client, reason, code),
      settle: (client) => this.#settle(client),
      abandoned: (cohort) => this.#abandon(cohort),
    };
    this.#watched_ms = clock.monotonic_ms();
    this.#timers = [
      clock.every(limits.heartbeat_ms, () => this.#beat()),
      clock.every(WATCH_MS, () => this.#watch()),
    ];
  }
  /** Before anything else: where to ask. */
  connect(desk: MarketDesk): void {
    this.#desk = desk;
  }
  get desk(): MarketDesk {
    return this.#desk;
  }
  get refuse_newcomers(): boolean {
    return this.#refuse_newcomers;
  }
  setPressure(refuse_newcomers: boolean, conflate_all: boolean): void {
    this.#refuse_newcomers = refuse_newcomers;
    this.#conflate_all = conflate_all;
  }

  instrument(id: number, venue: string, symbol: string, withheld: string | undefined): void {
    if (this.instruments.get(id) !== undefined) return;
    const instrument = this.instruments.add(id, venue, symbol, withheld);
    this.requests.onInstrument(instrument);
  }
  removed(id: number, reason: string): void {
    const instrument = this.instruments.remove(id);
    if (instrument === undefined) return;
    for (const relay of [...instrument.relays, instrument.status]) {
      for (const subscription of [...relay.subscriptions]) {
        const client = subscription.recipient as Client;
        client.drop(subscription);
        client.sayEnded(subscription, reason);
      }
      // The market side has forgotten them by itself.
      this.#forget(relay);
    }
  }
  status(id: number, in_sync: boolean, frame: Frame): void {
    const instrument = this.instruments.get(id);
    if (instrument === undefined) return;
    instrument.in_sync = in_sync;
    instrument.status.tell(frame);
    for (const relay of instrument.relays) if (relay instanceof BookRelay) relay.tell(frame);
  }
  statusNow(id: number, in_sync: boolean, frame: Frame): void {
    const instrument = this.instruments.get(id);
    if (instrument === undefined) return;
    instrument.in_sync = in_sync;
    for (const subscription of instrument.takeCurious()) {
      const is_book = subscription.relay instanceof BookRelay;
      if (!(is_book && in_sync) && subscription.relay.subscriptions.has(subscription)) {
        subscription.recipient.send(frame);
      }
    }
  }
  opened(stream: number, seq: number): void {
    this.#relays.get(stream)?.onOpened(seq);
  }
  frame(stream: number, seq: number, flags: number, frame: Frame): void {
    this.#relays.get(stream)?.onFrame(seq, flags, frame);
  }
  snapshot(stream: number, seq: number, frame: Frame): void {
    this.#relays.get(stream)?.onSnapshot(seq, frame);
  }
  hold(stream: number): void {
    this.#relays.get(stream)?.onHold();
  }
  refreshed(): void {
    this.requests.onRefreshed();
  }
  flush(): void {
    this.#flusher.batchEnded();
  }

  /** All will be told anew: nobody shares batches until it has caught up, and books wait for a snapshot. */
  beginAnew(known: readonly number[]): void {
    for (const client of this.clients) client.leaveCohort();
    const gone = [...this.instruments.all()].filter(({ id }) => !known.includes(id));
    for (const { id } of gone) this.removed(id, "removed");
    for (const relay of this.#relays.values()) {
      relay.onHold();
      for (const subscription of relay.subscriptions) subscription.live = false;
    }
  }
  /** A frame of this stream was too large to be passed on: what it carries can't be served. */
  hole(stream: number): void {
    const relay = this.#relays.get(stream);
    for (const subscription of [...relay?.subscriptions ?? []]) {
      const message = `send ${relay!.topic.channel} of "${
        relay!.topic.symbol
      }": larger than edge.ring_bytes takes`;
      subscription.recipient.refuse(subscription, "too_large", message);
    }
  }
  /** Streams that are open here. */
  get streams(): number[] {
    return [...this.#relays.keys()];
  }

  /** A client begins what it asked for; it must be entitled to it. */
  subscribe(
    client: Client,
    id: number,
    variant: Variant,
    format: Format,
    resume?: Subscription["resume"],
  ): void {
    const instrument = this.instruments.get(id);
    if (instrument === undefined || !client.open) return;
    const relay = variant.channel === "status" ? instrument.status : this.#relay(id, variant, format);
    const before = client.by_target.get(relay.topic.target);
    if (before) client.drop(before);
    const subscription = new Subscription(client, relay, resume);
    client.take(subscription);
    this.#idle.delete(relay);
    relay.add(subscription);
    if (variant.channel === "status" || (relay instanceof BookRelay && !instrument.in_sync)) {
      instrument.curious.add(subscription);
      this.#desk.tellStatus(id);
    }
  }
  /** A client came in. */
  enter(client: Client): void {
    this.clients.add(client);
  }
  /**
   * Tells everyone when to come back, each at another time, lets those who keep up have all that waits for them, closes, and
   * ends what is left after a bounded time.
   */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#flusher.flush();
    this.#flusher.stop();
    if (this.clients.size === 0) return;
    const { clock, log, random } = this.options;
    for (const client of this.clients) {
      const retry_after_ms = random.integer(MIN_RETRY_MS, MAX_RETRY_MS);
      client.say({
        type: "notice",
        code: "shutdown",
        message: "server shuts down: come back later",
        retry_after_ms,
      });
      client.flush();
    }
    const drained = Promise.all([...this.clients].map((client) => client.drained()));
    await withDeadline(clock, DRAIN_MS, "drain", drained).catch(() => {});
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    if (this.clients.size === 0) return;
    for (const client of this.clients) client.close("shutdown");
    await withDeadline(clock, CLOSE_TIMEOUT_MS + 500, "close clients", emptied).catch(() => {
      log.warn("clients did not close in time", { clients: this.clients.size });
    });
    for (const client of this.clients) client.terminate();
  }

  #relay(id: number, variant: Variant, format: Format): Relay {
    const stream = streamOf(handleOf(id, variant), format);
    const found = this.#relays.get(stream);
    if (found) return found;
    const instrument = this.instruments.get(id)!;
    const { venue, symbol } = instrument;
    const { channel, interval } = variant;
    const topic = { ...variant, stream, target: handleOf(id, { channel, interval }), venue, symbol };
    const Kind = channel === "book" || channel === "orders"
      ? BookRelay
      : channel === "bbo" || channel === "ticker"
      ? LatestRelay
      : KeptRelay;
    const relay = new Kind(topic, this.#relay_context);
    this.#relays.set(stream, relay);
    instrument.relays.add(relay);
    this.#desk.open(stream);
    return relay;
  }
  #drop(subscription: Subscription): void {
    const { relay } = subscription;
    relay.remove(subscription);
    if (relay.subscriptions.size === 0 && this.#relays.has(relay.topic.stream)) {
      this.#idle.set(relay, this.options.clock.monotonic_ms());
    }
  }
  #forget(relay: Relay): void {
    this.#relays.delete(relay.topic.stream);
    this.#idle.delete(relay);
    this.history.forget(relay);
  }
  #settle(client: Client): void {
    const key = client.cohort_key;
    // Its batch goes out before anybody joins; that may be too much for its last member, and then it is no more.
    this.#cohorts.get(key)?.flush();
    let cohort = this.#cohorts.get(key);
    if (cohort === undefined) {
      const relays = [...client.by_stream.values()].map(({ relay }) => relay);
      cohort = new Cohort(
        key,
        relays,
        (one) => this.#flusher.addCohort(one),
        (one) => this.#abandon(one),
      );
      this.#cohorts.set(key, cohort);
    } else if (!cohort.suits(client.by_stream)) return;
    cohort.join(client);
  }
  #abandon(cohort: Cohort): void {
    cohort.dissolve();
    this.#cohorts.delete(cohort.key);
  }
  #onClose(client: Client, reason: CloseReason, code: number): void {
    this.requests.onClose(client);
    this.clients.delete(client);
    this.options.onClosed?.(client, reason, code);
    this.options.log.debug("websocket client gone", { reason, clients: this.clients.size });
    if (this.clients.size === 0) this.#emptied?.();
  }
  #beat(): void {
    const heartbeat = jsonFrame({ type: "heartbeat", timestamp: this.options.clock.now_ms() });
    for (const client of this.clients) {
      client.beat(heartbeat);
      this.#shed(client);
    }
    this.#flusher.flush();
  }
  /** Over the step at which trades are dropped for too long: its heaviest subscription goes. */
  #shed(client: Client): void {
    const { limits: { queue, shed_after_ms }, clock, metrics } = this.options;
    const now_ms = clock.monotonic_ms();
    if (client.queued_bytes <= queue.trade_bytes) {
      client.over_since_ms = undefined;
      return;
    }
    client.over_since_ms ??= now_ms;
    if (now_ms - client.over_since_ms < shed_after_ms || client.by_stream.size === 0) return;
    client.over_since_ms = now_ms;
    const heaviest = [...client.by_stream.values()].reduce((one, other) =>
      other.relay.recent_bytes > one.relay.recent_bytes ? other : one
    );
    metrics.shed.with(heaviest.relay.topic.channel).value++;
    client.drop(heaviest);
    client.sayEnded(heaviest, "back_pressure");
  }
  #watch(): void {
    const { clock, limits } = this.options;
    const now_ms = clock.monotonic_ms();
    // After a stall of our own the answers wait in our own sockets: nobody is judged.
    const stalled = now_ms - this.#watched_ms > 2 * WATCH_MS;
    this.#watched_ms = now_ms;
    this.history.tick(now_ms);
    for (const client of this.clients) {
      if (!stalled && client.window.waiting_ms > limits.max_lag_ms) client.markLate();
    }
    for (const [relay, since_ms] of this.#idle) {
      if (now_ms - since_ms < limits.resume_ms) continue;
      this.instruments.forgetRelay(relay);
      this.#desk.close(relay.topic.stream);
      this.#forget(relay);
    }
    for (const relay of this.#relays.values()) relay.recent_bytes *= 0.9;
  }
}
