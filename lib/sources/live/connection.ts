/**
 * One WebSocket to a venue: opens, subscribes in batches under the venue's message rate, watches for silence, reports
 * frames. An acknowledgement proves nothing; only data does, so each stream's first event is waited for.
 * It never reconnects itself: its lane decides. Refuses: frames past the bound (the socket is closed with 1009).
 */
// @ts-types="@types/ws"
import WebSocket from "ws";
import type { Clock, Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { knownSecrets } from "../../base/known_secrets.ts";
import type { Log } from "../../base/log.ts";
import type { SubscriptionChange } from "../../market/subscription_change.ts";
import type { SourceTap } from "../../flow/frame_tap.ts";
import type { Feed, FeedLimits, FeedSession, FrameOutcome, Mapper, StreamName } from "../../feeds/feed.ts";

const HANDSHAKE_MS = 10_000;
const ACK_MS = 10_000;
/** Unless the feed says otherwise. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/** What became of a request: the words of SubscriptionChange. */
export type SubscriptionNews = Pick<SubscriptionChange, "action" | "state" | "reason" | "subscription_id">;

export interface ConnectionOwner {
  /** The frame's bytes are valid during the call only. */
  frame(connection: Connection, frame: Uint8Array, received_us: number): void;
  opened(connection: Connection): void;
  /** A request for streams went out, or the venue answered one. */
  subscription(streams: readonly StreamName[], news: SubscriptionNews): void;
  /** Called once, also when it never opened. */
  down(connection: Connection, reason: string): void;
}

export interface ConnectionOptions {
  id: string;
  url: string;
  feed: Feed;
  limits: FeedLimits;
  clock: Clock;
  log: Log;
  compression: boolean;
  /** What the venue wants to see before it serves us. */
  token?: string;
  /** Which of the redundant connections this is, from 0; default 0. */
  leg?: number;
  tap?: SourceTap;
}

type Action = SubscriptionChange["action"];

/** A message that waits for its turn. */
type Message =
  | { kind: "request"; id: number; action: Action; streams: readonly StreamName[] }
  | { kind: "talk"; text: string };
interface Settled {
  action: Action;
  streams: readonly StreamName[];
}
interface PendingAck extends Settled {
  /** Names that no acknowledgement has settled yet. */
  waiting: Set<string>;
  sent_ms: number;
}

export class Connection {
  readonly mapper: Mapper;
  readonly streams = new Map<string, StreamName>();
  readonly opened_ms: number;
  #socket: WebSocket;
  #is_open = false;
  /** It was open at some time. */
  has_opened = false;
  /** By which the tap knows it. */
  tap_number = 0;
  #is_down = false;
  #next_id = 1;
  #last_heard_ms: number;
  #pinged_ms = -Infinity;
  readonly #acks = new Map<number, PendingAck>();
  readonly #outbox: Message[] = [];
  #pacing: Timer | undefined;
  #keep_alive: Timer | undefined;
  #session: FeedSession;

  constructor(
    readonly options: ConnectionOptions,
    streams: Iterable<StreamName>,
    readonly owner: ConnectionOwner,
  ) {
    const { clock, feed, url } = options;
    this.opened_ms = this.#last_heard_ms = clock.monotonic_ms();
    this.#session = { token: options.token };
    for (const stream of streams) this.streams.set(stream.stream, stream);
    const names = [...this.streams.values()];
    this.mapper = feed.createMapper(
      new Set(names.map((one) => one.symbol)),
      new Set(names.map((one) => one.channel)),
    );
    this.#socket = new WebSocket(url, {
      // The scanner checks what it uses; payload strings are compared as bytes.
      skipUTF8Validation: true,
      maxPayload: options.limits.max_frame_bytes ?? MAX_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_MS,
      perMessageDeflate: options.compression,
      followRedirects: false,
    });
    this.#socket.binaryType = "nodebuffer";
    this.#listen();
  }
  get is_open(): boolean {
    return this.#is_open && !this.#is_down;
  }
  /** Every SUBSCRIBE sent and acknowledged. */
  get subscribed(): boolean {
    return this.is_open && this.#outbox.length === 0 && this.#acks.size === 0;
  }
  subscribe(streams: readonly StreamName[]): void {
    for (const stream of streams) {
      this.streams.set(stream.stream, stream);
      this.mapper.addSymbol(stream.symbol);
    }
    this.#tapSymbols({ add: streams.map((one) => one.symbol), remove: [] });
    if (this.#is_open) this.#queue(streams, "subscribe");
  }
  unsubscribe(streams: readonly StreamName[]): void {
    for (const stream of streams) this.streams.delete(stream.stream);
    const kept = new Set([...this.streams.values()].map((one) => one.symbol));
    const gone = streams.map((one) => one.symbol).filter((symbol) => !kept.has(symbol));
    for (const symbol of gone) this.mapper.removeSymbol(symbol);
    this.#tapSymbols({ add: [], remove: gone });
    if (this.#is_open) this.#queue(streams, "unsubscribe");
  }
  /** Asks again for streams that were acknowledged and stay silent. */
  resubscribe(streams: readonly StreamName[]): void {
    if (!this.#is_open) return;
    this.#queue(streams, "unsubscribe");
    this.#queue(streams, "subscribe");
  }
  acknowledged({ id, streams, error: said, session_id }: FrameOutcome & { kind: "ack" }): void {
    const error = said === undefined ? undefined : knownSecrets.mask(said);
    if (session_id !== undefined) this.#session = { ...this.#session, session_id };
    const settled = this.#settle(id, streams);
    const subscription_id = session_id === undefined ? undefined : String(session_id);
    for (const { action, streams } of settled) {
      const state = error === undefined ? "acknowledged" : "refused";
      this.owner.subscription(streams, { action, state, reason: error, subscription_id });
    }
    if (error === undefined || settled.length === 0) return;
    this.options.log.error("subscription refused by the venue", {
      connection: this.options.id,
      error,
      streams: settled.flatMap((one) => one.streams.map((stream) => stream.stream)).slice(0, 5),
    });
  }
  /** The requests, or parts of them, that the acknowledgement speaks of; none when nothing waited for it. */
  #settle(id: number | undefined, names: readonly string[] | undefined): Settled[] {
    const known = id !== undefined && this.#acks.has(id) ? id : undefined;
    if (known === undefined && names !== undefined) return this.#settleStreams(names);
    const [oldest] = this.#acks.keys();
    const settled = known ?? (id === undefined ? oldest : undefined);
    const ack = settled === undefined ? undefined : this.#acks.get(settled);
    if (settled === undefined || ack === undefined) return [];
    this.#acks.delete(settled);
    return [ack];
  }
  #settleStreams(names: readonly string[]): Settled[] {
    const settled: Settled[] = [];
    for (const name of names) {
      for (const [id, ack] of this.#acks) {
        if (!ack.waiting.delete(name)) continue;
        if (ack.waiting.size === 0) this.#acks.delete(id);
        settled.push({ action: ack.action, streams: ack.streams.filter((one) => one.stream === name) });
        break;
      }
    }
    return settled;
  }
  /** Says something that is no subscription. */
  say(text: string): void {
    if (this.#is_open) this.#send({ kind: "talk", text });
  }
  pause(): void {
    if (this.#is_open) this.#socket.pause();
  }
  resume(): void {
    // What was silent was we ourselves.
    this.#last_heard_ms = this.options.clock.monotonic_ms();
    for (const ack of this.#acks.values()) ack.sent_ms = this.#last_heard_ms;
    if (this.#is_open) this.#socket.resume();
  }
  /** Age of the last message; undefined before it opened. */
  get silent_ms(): number | undefined {
    return this.#is_open ? Math.round(this.options.clock.monotonic_ms() - this.#last_heard_ms) : undefined;
  }
  /** Looks at silence and missing acknowledgements; call about every quarter second. Returns why it is dead. */
  check(): string | undefined {
    if (!this.#is_open) return undefined;
    const { clock, limits } = this.options;
    const now_ms = clock.monotonic_ms();
    const silent_ms = now_ms - this.#last_heard_ms;
    if (silent_ms > limits.max_silence_ms) return `nothing received for ${Math.round(silent_ms)} ms`;
    if (silent_ms > limits.max_silence_ms / 2 && now_ms - this.#pinged_ms > limits.max_silence_ms / 2) {
      // A quiet market is no dead line: a pong tells them apart.
      this.#pinged_ms = now_ms;
      this.#socket.ping();
    }
    for (const ack of this.#acks.values()) {
      if (now_ms - ack.sent_ms > ACK_MS) return `subscription not acknowledged within ${ACK_MS} ms`;
    }
    return undefined;
  }
  /** Ends it at once; `down` follows. */
  close(reason: string): void {
    if (this.#is_down) return;
    const was_open = this.#is_open;
    this.#down(reason);
    if (was_open) this.#socket.close(1000);
    // A venue that does not answer the close must not hold us.
    this.#socket.terminate();
  }

  #listen(): void {
    const socket = this.#socket;
    const { clock } = this.options;
    socket.on("open", () => {
      if (this.#is_down) return;
      this.#is_open = this.has_opened = true;
      this.#last_heard_ms = clock.monotonic_ms();
      this.#tapOpened();
      this.owner.opened(this);
      const { feed } = this.options;
      for (const text of feed.greeting?.(this.#session) ?? []) this.say(text);
      this.#queue([...this.streams.values()], "subscribe");
      if (feed.keep_alive) this.#keepAlive(feed.keep_alive);
    });
    socket.on("message", (data: WebSocket.RawData, is_binary: boolean) => {
      if (this.#is_down) return;
      const received_us = clock.now_us();
      this.#last_heard_ms = clock.monotonic_ms();
      // `nodebuffer` without fragments option: always one Buffer.
      this.options.tap?.received(this.tap_number, data as Uint8Array, is_binary, received_us);
      this.owner.frame(this, data as Uint8Array, received_us);
    });
    socket.on("ping", () => this.#last_heard_ms = clock.monotonic_ms());
    socket.on("pong", () => this.#last_heard_ms = clock.monotonic_ms());
    socket.on("error", (error) => this.#down(reasonOf(error)));
    socket.on(
      "close",
      (code, reason) => this.#down(`closed by the venue: ${code} ${reason.toString().slice(0, 100)}`),
    );
  }
  #down(reason: string): void {
    if (this.#is_down) return;
    this.#is_down = true;
    this.#is_open = false;
    this.#pacing?.cancel();
    this.#keep_alive?.cancel();
    this.#outbox.length = 0;
    this.#acks.clear();
    if (this.has_opened) this.options.tap?.closed(this.tap_number, reason, this.options.clock.now_us());
    this.owner.down(this, reason);
  }
  #tapOpened(): void {
    const { tap, clock, id, url, leg = 0 } = this.options;
    if (tap === undefined) return;
    const names = [...this.streams.values()];
    const symbols = [...new Set(names.map((one) => one.symbol))];
    const channels = [...new Set(names.map((one) => one.channel))];
    this.tap_number = tap.opened({ id, url, leg, symbols, channels }, clock.now_us());
  }
  #tapSymbols(change: { add: readonly string[]; remove: readonly string[] }): void {
    const { tap, clock } = this.options;
    if (this.is_open && change.add.length + change.remove.length > 0) {
      tap?.symbolsChanged(this.tap_number, change, clock.now_us());
    }
  }
  #keepAlive({ every_ms, frame }: NonNullable<Feed["keep_alive"]>): void {
    this.#keep_alive = this.options.clock.every(
      every_ms,
      () => this.say(frame(this.#session, [...this.streams.values()])),
    );
  }
  #queue(streams: readonly StreamName[], action: Action): void {
    const { feed, limits } = this.options;
    const groups = Map.groupBy(streams, (stream) => feed.messageKey?.(stream) ?? "");
    for (const group of groups.values()) {
      for (let i = 0; i < group.length; i += limits.max_streams_per_message) {
        const part = group.slice(i, i + limits.max_streams_per_message);
        this.#send({ kind: "request", id: this.#next_id++, action, streams: part });
      }
    }
  }
  #send(message: Message): void {
    this.#outbox.push(message);
    if (!this.#pacing) this.#sendNext();
  }
  #sendNext(): void {
    this.#pacing = undefined;
    const next = this.#outbox.shift();
    if (!next || !this.#is_open) return;
    const { clock, limits } = this.options;
    if (next.kind === "talk") this.#write(next.text);
    else this.#request(next);
    this.#pacing = clock.after(1000 / limits.max_messages_per_second, () => this.#sendNext());
  }
  #besides(streams: readonly StreamName[]): StreamName[] {
    const named = new Set(streams.map((one) => one.stream));
    return [...this.streams.values()].filter((one) => !named.has(one.stream));
  }
  #request({ id, action, streams }: Message & { kind: "request" }): void {
    const { clock, feed } = this.options;
    if (!feed.silent_subscriptions) {
      const waiting = new Set(streams.map((one) => one.stream));
      this.#acks.set(id, { action, streams, waiting, sent_ms: clock.monotonic_ms() });
    }
    const text = action === "subscribe"
      ? feed.subscribe(streams, id, this.#session)
      : feed.unsubscribe(streams, id, this.#session, this.#besides(streams));
    this.#write(text);
    this.owner.subscription(streams, { action, state: "requested" });
  }
  #write(text: string): void {
    this.options.tap?.sent(this.tap_number, text, this.options.clock.now_us());
    this.#socket.send(text);
  }
}
