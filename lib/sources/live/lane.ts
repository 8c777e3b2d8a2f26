/**
 * A group of streams that share a connection, kept alive: reconnect with backoff, rotation before the venue's cut with
 * the new socket live before the old one goes, renewed subscription of streams that were acknowledged and stay silent.
 * While two sockets overlap both deliver; the books let each update through once by its id, so nothing is lost.
 */
import { Backoff } from "../../base/backoff.ts";
import type { Timer } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Channel } from "../../market/event.ts";
import type { StreamName } from "../../feeds/feed.ts";
import type { SourceConnection } from "../../flow/session_registry.ts";
import {
  Connection,
  type ConnectionOptions,
  type ConnectionOwner,
  type SubscriptionNews,
} from "./connection.ts";

/** A connection that lived this long was healthy: the next failure starts the backoff anew. */
const HEALTHY_MS = 30_000;
/** Rotate at this share of the venue's lifetime, less up to a twentieth of jitter. */
const ROTATE_AT = 0.96;
/** Both connections live on for so long once the successor carries all: what the old one has under way still counts. */
const OVERLAP_MS = 500;
/** Every change of the top is in the book stream within its speed, so this is long. */
const STALE_BOOK_MS = 15_000;
const MAX_RESUBSCRIBE_PAUSE_MS = 600_000;
const MAX_DOUBLINGS = 10;
/** A venue that refuses us as we are is asked again only after this. */
const REFUSED_PAUSE_MS = 600_000;

export interface LaneOwner {
  frame(lane: Lane, connection: Connection, frame: Uint8Array, received_us: number): void;
  /** No connection carries these streams any more. */
  interrupted(lane: Lane, reason: string): void;
  /** A connection opened where there was none. */
  restored(lane: Lane): void;
  rotated(lane: Lane): void;
  /** A request for streams went out, or the venue answered one. */
  subscription(streams: readonly StreamName[], news: SubscriptionNews): void;
  /** A stream was acknowledged and brought nothing. */
  silent(lane: Lane, streams: readonly StreamName[]): void;
}

export interface LaneOptions {
  id: string;
  route: string;
  /** Which of the redundant connections this is, from 0. */
  leg: number;
  connection: Omit<ConnectionOptions, "id">;
  reconnect_delay_ms: number;
  max_reconnect_delay_ms: number;
  random: Random;
  /** Why no data of the symbol is to be expected now; undefined: it is. */
  silence(symbol: string): string | undefined;
}

/** What is known of one stream: when it was asked for, when it last brought an event. */
interface StreamWatch {
  name: StreamName;
  asked_ms: number;
  pause_ms: number;
  /** −Infinity: nothing since it was asked for. */
  heard_ms: number;
  proven_quiet: boolean;
  /** When its market was last seen closed; −Infinity: not since the last opening. */
  closed_ms: number;
  /** Its first wait for data was in vain. */
  waited: boolean;
  /** The connection that is to take over has brought it. */
  on_successor: boolean;
}

export class Lane implements ConnectionOwner {
  readonly streams = new Map<string, StreamWatch>();
  readonly #by_symbol = new Map<string, Partial<Record<Channel, StreamWatch[]>>>();
  /** Why the venue will not serve us as we are. */
  refused: string | undefined;
  #current: Connection | undefined;
  #successor: Connection | undefined;
  /** When the successor was subscribed; undefined before. */
  #successor_subscribed_ms: number | undefined;
  #successor_flows_ms: number | undefined;
  /** Whose frame is being read. */
  #reading: Connection | undefined;
  #rotate_at_ms = Infinity;
  #retry: Timer | undefined;
  #closed = false;
  #connections = 0;
  #disconnects = 0;
  /** Why the last connection ended; undefined before. */
  #lost_because: string | undefined;
  /** Connections in a row that were given up because they stayed silent; each makes the next wait twice as long. */
  #silent_connections = 0;
  readonly #backoff: Backoff;

  constructor(readonly options: LaneOptions, readonly owner: LaneOwner) {
    this.#backoff = new Backoff(
      { first_ms: options.reconnect_delay_ms, max_ms: options.max_reconnect_delay_ms },
      options.random,
    );
  }
  /** Two connections deliver: the old one and the one that is to take over. */
  get overlaps(): boolean {
    return this.#successor !== undefined;
  }
  get connected(): boolean {
    return this.#current?.is_open ?? false;
  }
  get symbols(): string[] {
    return [...this.#by_symbol.keys()];
  }
  carries(symbol: string): boolean {
    return this.#by_symbol.has(symbol);
  }
  carriesChannel(symbol: string, channel: Channel): boolean {
    return this.#by_symbol.get(symbol)?.[channel] !== undefined;
  }
  start(): void {
    this.#current = this.#connect();
  }
  add(streams: readonly StreamName[]): void {
    for (const name of streams) {
      const watch = this.#watch(name);
      this.streams.set(name.stream, watch);
      const channels = this.#by_symbol.get(name.symbol) ?? {};
      (channels[name.channel] ??= []).push(watch);
      this.#by_symbol.set(name.symbol, channels);
    }
    this.#current?.subscribe(streams);
    this.#successor?.subscribe(streams);
  }
  remove(symbol: string): void {
    const gone = [...this.streams.values()].map((one) => one.name).filter((name) => name.symbol === symbol);
    for (const name of gone) this.streams.delete(name.stream);
    this.#by_symbol.delete(symbol);
    this.#current?.unsubscribe(gone);
    this.#successor?.unsubscribe(gone);
  }
  /** Notes an event of a stream. True for the first since it was asked for: data, not an acknowledgement, is health. */
  heard(symbol: string, channel: Channel, now_ms: number): boolean {
    const watches = this.#by_symbol.get(symbol)?.[channel];
    if (watches === undefined) return false;
    const first = watches[0].heard_ms === -Infinity;
    // Events don't tell which of a channel's streams brought them (candles of several intervals).
    for (let i = 0; i < watches.length; i++) {
      watches[i].heard_ms = now_ms;
      if (this.#reading === this.#successor) watches[i].on_successor = true;
    }
    if (first) {
      this.#backoff.reset();
      this.#silent_connections = 0;
    }
    return first;
  }
  /** Connected, and the symbol has brought data (of this channel) since it was asked for. */
  flows(symbol: string, channel?: Channel): boolean {
    const channels = this.#by_symbol.get(symbol) ?? {};
    const watches = channel ? channels[channel] ?? [] : Object.values(channels).flat();
    return this.connected && watches.some((watch) => watch.heard_ms !== -Infinity);
  }
  /**
   * Whether the book stream of a symbol has brought data since it was asked for. False while disconnected: a snapshot
   * would be of no use then, and asking a venue that is away only makes the next request wait.
   */
  bookFlows(symbol: string): boolean {
    const watch = this.#by_symbol.get(symbol)?.book?.[0];
    return this.connected && watch !== undefined && watch.heard_ms !== -Infinity;
  }
  /** Two equal snapshots show that nothing happens in this symbol: its silence is no fault for now. */
  provenQuiet(symbol: string): void {
    for (const watch of Object.values(this.#by_symbol.get(symbol) ?? {}).flat()) {
      watch.asked_ms = this.#now();
      watch.proven_quiet = true;
    }
  }
  /** Symbols whose book stream is acknowledged and has brought nothing yet. */
  *quietBooks(): Iterable<string> {
    if (!this.#current?.subscribed) return;
    for (const [symbol, { book }] of this.#by_symbol) if (book?.[0].heard_ms === -Infinity) yield symbol;
  }
  /** Asked for and acknowledged for this long; 0 while not connected. */
  subscribedFor_ms(symbol: string): number {
    const watch = this.#by_symbol.get(symbol)?.book?.[0];
    return watch && this.#current?.subscribed ? this.#now() - watch.asked_ms : 0;
  }
  /**
   * Asks for the book streams of a symbol anew, so that the venue sends a whole book. Not while they are being asked for
   * anyway: what was just subscribed brings one by itself.
   */
  renewBook(symbol: string): void {
    const watches = this.#by_symbol.get(symbol)?.book;
    if (watches === undefined || !this.#current?.subscribed || watches[0].heard_ms === -Infinity) return;
    for (const watch of watches) this.#restartWatch(watch);
    this.#current.resubscribe(watches.map((watch) => watch.name));
  }
  /** The venue will not serve us as we are: another attempt at once would only be refused again. */
  giveUp(connection: Connection, reason: string): void {
    this.refused = reason;
    connection.close(`refused by the venue: ${reason}`);
  }
  /** The venue said it will close soon, or the connection is old: open the next one now. */
  rotate(reason: string): void {
    if (this.#closed || this.#successor || !this.#current?.is_open) return;
    this.options.connection.log.info("rotating connection", { lane: this.options.id, reason });
    this.#successor = this.#connect();
    this.#successor_subscribed_ms = this.#successor_flows_ms = undefined;
    for (const watch of this.streams.values()) watch.on_successor = false;
  }
  pause(): void {
    this.#current?.pause();
    this.#successor?.pause();
  }
  /** Silence during the pause was ours. */
  resume(): void {
    const now_ms = this.#now();
    for (const watch of this.streams.values()) {
      if (watch.heard_ms === -Infinity) watch.asked_ms = now_ms;
      else watch.heard_ms = now_ms;
    }
    this.#current?.resume();
    this.#successor?.resume();
  }
  describe(): SourceConnection {
    const reason = this.refused ?? this.#lost_because;
    return {
      connection: this.options.id,
      ...(this.connected ? { state: "connected" } : { state: "connecting", reason }),
      symbols: this.#by_symbol.size,
      last_message_age_ms: this.#current?.silent_ms,
      disconnects: this.#disconnects,
    };
  }
  /** Call about every quarter second. */
  check(): void {
    const now_ms = this.#now();
    for (const connection of [this.#current, this.#successor]) {
      const dead = connection?.check();
      if (dead !== undefined) connection?.close(dead);
    }
    if (now_ms >= this.#rotate_at_ms) {
      this.#rotate_at_ms = Infinity;
      this.rotate("lifetime");
    }
    if (this.#successor?.is_open) this.#checkSuccessor(this.#successor, now_ms);
    if (this.#current?.subscribed) this.#checkSilence(now_ms);
    else {
      // Requests still wait for their turn or their answer: nobody is late yet.
      for (const watch of this.streams.values()) if (watch.heard_ms === -Infinity) watch.asked_ms = now_ms;
    }
  }
  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#current?.close("shutting down");
    this.#successor?.close("shutting down");
  }

  frame(connection: Connection, frame: Uint8Array, received_us: number): void {
    this.#reading = connection;
    this.owner.frame(this, connection, frame, received_us);
  }
  subscription(streams: readonly StreamName[], news: SubscriptionNews): void {
    this.owner.subscription(streams, news);
  }
  opened(connection: Connection): void {
    if (connection !== this.#current) return;
    const { limits } = this.options.connection;
    const share = ROTATE_AT - 0.05 * this.options.random.unit();
    this.#rotate_at_ms = this.#now() + limits.lifetime_ms * share;
    for (const watch of this.streams.values()) this.#restartWatch(watch);
    this.refused = undefined;
    this.owner.restored(this);
  }
  down(connection: Connection, reason: string): void {
    const { log } = this.options.connection;
    if (this.#closed) return;
    if (connection === this.#successor) {
      this.#successor = undefined;
      this.#rotate_at_ms = this.#now() + this.#backoff.next_ms();
      log.warn("successor connection failed", { lane: this.options.id, reason });
      return;
    }
    if (connection !== this.#current) return;
    if (this.#successor?.is_open) {
      log.info("connection ended during rotation", { lane: this.options.id, reason });
      return this.#promote();
    }
    this.#current = undefined;
    if (this.#now() - connection.opened_ms > HEALTHY_MS) this.#backoff.reset();
    const delay_ms = this.refused === undefined ? this.#backoff.next_ms() : REFUSED_PAUSE_MS;
    log.warn("connection lost", { lane: this.options.id, reason, retry_in_ms: Math.round(delay_ms) });
    this.#lost_because = reason;
    if (connection.has_opened) {
      this.#disconnects++;
      this.owner.interrupted(this, reason);
    }
    this.#retry = this.options.connection.clock.after(delay_ms, () => this.#current = this.#connect());
  }

  #connect(): Connection {
    const id = `${this.options.id}#${++this.#connections}`;
    const names = [...this.streams.values()].map((one) => one.name);
    return new Connection({ ...this.options.connection, id }, names, this);
  }
  #promote(): void {
    const old = this.#current;
    this.#current = this.#successor;
    this.#successor = undefined;
    old?.close("replaced by its successor");
    const { limits } = this.options.connection;
    this.#rotate_at_ms = this.#now() + limits.lifetime_ms * (ROTATE_AT - 0.05 * this.options.random.unit());
    this.owner.rotated(this);
  }
  /**
   * The old connection goes once each stream that it still brings is seen on the successor too: an acknowledgement proves
   * nothing. A successor that keeps a stream back is no good, and another is tried.
   */
  #checkSuccessor(successor: Connection, now_ms: number): void {
    if (!successor.subscribed) return;
    const since_ms = this.#successor_subscribed_ms ??= now_ms;
    let brings_any = false;
    let lacks_any = false;
    for (const watch of this.streams.values()) {
      if (watch.on_successor) brings_any = true;
      else if (watch.heard_ms > since_ms) lacks_any = true;
    }
    const is_late = now_ms - since_ms > this.options.connection.limits.first_data_ms;
    if (lacks_any) {
      if (is_late) successor.close("subscribed, yet it lacks a stream that the old connection brings");
    } else if (brings_any) {
      if (now_ms - (this.#successor_flows_ms ??= now_ms) >= OVERLAP_MS) this.#promote();
    } else if (is_late) this.#promote();
  }
  #checkSilence(now_ms: number): void {
    const silent: StreamName[] = [];
    let alive = false;
    let waited_twice = false;
    for (const watch of this.streams.values()) {
      const may_be_silent = this.#mayBeSilent(watch, now_ms);
      if (watch.heard_ms !== -Infinity) alive = true;
      if (may_be_silent) continue;
      if (watch.heard_ms !== -Infinity) {
        if (!this.#isStale(watch, now_ms)) continue;
        this.#restartWatch(watch);
        silent.push(watch.name);
        continue;
      }
      if (watch.proven_quiet) alive = true;
      if (now_ms - watch.asked_ms < watch.pause_ms) continue;
      silent.push(watch.name);
      if (watch.waited) waited_twice = true;
      watch.waited = true;
      watch.asked_ms = now_ms;
      watch.pause_ms = Math.min(watch.pause_ms * 2, MAX_RESUBSCRIBE_PAUSE_MS);
    }
    if (silent.length === 0) return;
    this.owner.silent(this, silent);
    // The second time that a whole connection stays silent, the connection itself is the suspect.
    if (!alive && waited_twice) {
      this.#silent_connections = Math.min(this.#silent_connections + 1, MAX_DOUBLINGS);
      this.#current?.close("acknowledged, yet no stream brought data");
    } else this.#current?.resubscribe(silent);
  }
  /** A stream owes nothing while its market is closed; from the opening on it is waited for as if just asked for. */
  #mayBeSilent(watch: StreamWatch, now_ms: number): boolean {
    if (this.options.silence(watch.name.symbol) !== undefined) {
      watch.closed_ms = now_ms;
      return true;
    }
    if (watch.closed_ms !== -Infinity && watch.heard_ms <= watch.closed_ms) this.#restartWatch(watch);
    watch.closed_ms = -Infinity;
    return false;
  }
  /** The venue's quotes of the symbol go on and its book stands still: the stream died under a living connection. */
  #isStale(watch: StreamWatch, now_ms: number): boolean {
    if (watch.name.channel !== "book" || now_ms - watch.heard_ms < STALE_BOOK_MS) return false;
    const quote = this.#by_symbol.get(watch.name.symbol)?.quote?.[0];
    return quote !== undefined && now_ms - quote.heard_ms < STALE_BOOK_MS / 3;
  }
  #watch(name: StreamName): StreamWatch {
    return this.#restartWatch({
      name,
      asked_ms: 0,
      pause_ms: 0,
      heard_ms: 0,
      proven_quiet: false,
      closed_ms: -Infinity,
      waited: false,
      on_successor: false,
    });
  }
  #restartWatch(watch: StreamWatch): StreamWatch {
    watch.asked_ms = this.#now();
    watch.pause_ms = Math.min(
      this.options.connection.limits.first_data_ms * 2 ** this.#silent_connections,
      MAX_RESUBSCRIBE_PAUSE_MS,
    );
    watch.heard_ms = -Infinity;
    watch.proven_quiet = false;
    watch.waited = false;
    return watch;
  }
  #now(): number {
    return this.options.connection.clock.monotonic_ms();
  }
}
