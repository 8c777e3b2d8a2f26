/**
 * A client of the restream protocol (README.md beside): keeps itself connected to one of several servers, what it
 * subscribed to subscribed, and its books right, or says that they are not. Resumes where the server still can. A server
 * that breaks the protocol is left. Bounded: by the instruments there are, one request per wish, one retry per wish.
 */
import { type Clock, type Timer, withDeadline } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { Addresses, type DelayOptions } from "./addresses.ts";
import { Connection, type ConnectionOptions, type Ending } from "./connection.ts";
import { Session, type SessionOwner } from "./session.ts";
import { type BookEvent, type Gap, Market } from "./market.ts";
import type { KeptBook } from "./kept_book.ts";
import type { KeptOrders } from "./kept_orders.ts";
import type { ControlMessage, MarketMessage } from "./messages.ts";
import { type Wish, wishKey } from "./wish.ts";

const HEALTHY_MS = 10_000;
const TOKEN_MS = 10_000;
/** A server that has not said `hello` by then. */
const HELLO_SILENCE_MS = 20_000;
const MAX_WISHES = 65_536;
/** Why a book is lost with its connection. */
export const DISCONNECTED = "disconnected";

export type Token = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** wss://HOST[:PORT][/ws]; the first that answers is taken. */
  readonly urls: readonly string[];
  /** A function is asked at every connection and when a token ends: then "no valid token" is not the end either. */
  readonly token?: Token;
  /** Where the token goes: the handshake, or the first message as web pages must. */
  readonly token_by?: "header" | "message";
  /** Authorities to trust instead of the built-in ones, PEM. */
  readonly ca?: string;
  readonly binary?: boolean;
  /** False: books are not kept, only watched; then they are not resumed either. */
  readonly keeps_books?: boolean;
  readonly reconnect?: DelayOptions;
  /** A connection silent for so long is dead; absent: three heartbeats of the server and a second. */
  readonly max_silence_ms?: number;
}

/** What happens, in order, each called synchronously. */
export interface ClientEvents {
  up?(hello: ControlMessage, url: string): void;
  /** `retry_ms` undefined: it will not try again. */
  down?(reason: string, retry_ms: number | undefined): void;
  /** Each market message once, in order; a book's is in the kept book already. */
  market?(message: MarketMessage, received_us: number): void;
  book?(book: KeptBook, event: BookEvent): void;
  orders?(orders: KeptOrders, event: BookEvent): void;
  /** Messages of a channel are lost. */
  gap?(gap: Gap): void;
  /** A message broke the protocol; the connection is being given up for it. */
  unreadable?(reason: string): void;
  /** Every other message. */
  control?(message: ControlMessage, received_us: number): void;
}

export interface ClientContext {
  readonly clock: Clock;
  readonly random: Random;
}

const RECONNECT: DelayOptions = { first_ms: 200, max_ms: 5_000 };

export class RestreamClient implements SessionOwner {
  readonly market: Market;
  readonly wishes = new Map<string, Wish>();
  readonly clock: Clock;
  readonly #addresses: Addresses;
  #url: string;
  #session: Session | undefined;
  #connection: Connection | undefined;
  #timer: Timer | undefined;
  #ready_ms: number | undefined;
  #why: string | undefined = "not connected yet";
  #is_paused = false;
  #is_closed = false;

  constructor(
    readonly options: ClientOptions,
    readonly context: ClientContext,
    readonly events: ClientEvents = {},
  ) {
    if (options.urls.length === 0) throw new RangeError("urls: none, want at least one");
    this.clock = context.clock;
    this.market = new Market(options.keeps_books ?? true, events);
    this.#addresses = new Addresses(options.urls, options.reconnect ?? RECONNECT, context.random);
    this.#url = this.#addresses.url;
    void this.#connect();
  }
  /** The server that is talked to, or was tried last. */
  get url(): string {
    return this.#url;
  }
  /** Undefined while connected, else why not. */
  notReady(): string | undefined {
    return this.#why;
  }
  book(venue: string, symbol: string): KeptBook | undefined {
    return this.market.find(venue, symbol)?.book;
  }
  orders(venue: string, symbol: string): KeptOrders | undefined {
    return this.market.find(venue, symbol)?.orders;
  }
  /** Holds over reconnects. The same again replaces it. */
  subscribe(wish: Wish): void {
    if (this.wishes.size >= MAX_WISHES) throw new RangeError(`over ${MAX_WISHES} subscriptions`);
    this.wishes.set(wishKey(wish), wish);
    this.#session?.subscribe(wish);
  }
  unsubscribe(wish: Wish): void {
    if (this.wishes.delete(wishKey(wish))) this.#session?.unsubscribe(wish);
  }
  /** A fresh snapshot, or newest value, please. One at a time, not more often than the server likes. */
  refresh(wish: Wish): void {
    this.#session?.refresh(wish);
  }
  /** Reads nothing more for now; the server conflates and tells. */
  pause(): void {
    this.#is_paused = true;
    this.#connection?.pause();
  }
  resume(): void {
    this.#is_paused = false;
    this.#connection?.resume();
  }
  /** The connection is of no use: another one, elsewhere if there is an elsewhere. */
  reconnect(reason: string): void {
    this.#connection?.close(reason);
  }
  /** Ends at once, for good. */
  close(): void {
    this.#is_closed = true;
    this.#timer?.cancel();
    this.#connection?.close("stopped");
  }

  get has_token(): boolean {
    return this.options.token !== undefined;
  }
  get may_renew(): boolean {
    return typeof this.options.token === "function";
  }
  /** The token, asked anew where it can be. */
  async token(): Promise<string | undefined> {
    const { token } = this.options;
    const given = typeof token === "function"
      ? await withDeadline(this.clock, TOKEN_MS, "ask for a token", Promise.resolve(token()))
      : token;
    // Files end with a newline, and so do tokens that come from them.
    const bare = given?.trim();
    if (bare !== undefined && !/^[\x21-\x7e]+$/.test(bare)) {
      throw new Error("the token is empty, or has characters that no header takes");
    }
    return bare;
  }
  onReady(hello: ControlMessage): void {
    this.#why = undefined;
    this.#ready_ms = this.clock.monotonic_ms();
    const { heartbeat_ms } = hello;
    if (this.#connection && this.options.max_silence_ms === undefined && typeof heartbeat_ms === "number") {
      this.#connection.max_silence_ms = 3 * heartbeat_ms + 1_000;
    }
    if (this.#is_paused) this.#connection?.pause();
    this.events.up?.(hello, this.url);
  }

  async #connect(): Promise<void> {
    const { token_by, ca, binary, max_silence_ms } = this.options;
    this.#url = this.#addresses.url;
    let bearer: string | undefined;
    try {
      if (token_by !== "message") bearer = await this.token();
    } catch (error) {
      return this.#down({ reason: reasonOf(error) });
    }
    if (this.#is_closed) return;
    try {
      this.#open({
        url: this.url,
        bearer,
        ca,
        binary: binary ?? false,
        max_silence_ms: max_silence_ms ?? HELLO_SILENCE_MS,
        clock: this.clock,
      });
    } catch (error) {
      // An address that is none.
      this.#down({ reason: reasonOf(error) });
    }
  }
  #open(options: ConnectionOptions): void {
    const connection: Connection = new Connection(options, {
      text: (text, received_us) => session.text(text, received_us),
      binary: (bytes, received_us) => session.binary(bytes, received_us),
      down: (ending) => this.#down(ending),
    });
    const session = new Session(connection, this);
    this.#connection = connection;
    this.#session = session;
  }
  #down(ending: Ending): void {
    const session = this.#session;
    session?.end();
    this.#session = undefined;
    this.#connection = undefined;
    const now_ms = this.clock.monotonic_ms();
    if (this.#ready_ms !== undefined && now_ms - this.#ready_ms > HEALTHY_MS) this.#addresses.healthy();
    this.#ready_ms = undefined;
    const { reason } = ending;
    this.#why = reason;
    this.market.parted(DISCONNECTED);
    if (this.#is_closed) return this.events.down?.(reason, undefined);
    const retry_after_ms = ending.retry_after_ms ?? session?.retry_after_ms;
    const delay_ms = this.#addresses.failed({ ...ending, retry_after_ms }, now_ms, this.may_renew);
    if (delay_ms === undefined) this.#is_closed = true;
    else this.#timer = this.clock.after(delay_ms, () => void this.#connect());
    this.events.down?.(reason, delay_ms);
  }
}
