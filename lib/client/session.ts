/**
 * One connection's talk: hello, authentication, requests and their answers, handles. Dies with the connection; what must
 * outlast it stands in `market.ts` and in the client's wishes.
 */
import type { Clock, Timer } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Connection } from "./connection.ts";
import type { Market } from "./market.ts";
import {
  type ControlMessage,
  isMarket,
  type MarketChannel,
  type MarketMessage,
  UnreadableMessage,
} from "./messages.ts";
import { BinaryReader, type Handle } from "./read_binary.ts";
import { JsonReader } from "./read_json.ts";
import { covers, isNarrow, variantOf, type Wish, wishKey } from "./wish.ts";

export interface SessionOwner {
  readonly clock: Clock;
  readonly market: Market;
  readonly wishes: ReadonlyMap<string, Wish>;
  readonly has_token: boolean;
  readonly may_renew: boolean;
  readonly events: {
    control?(message: ControlMessage, received_us: number): void;
    unreadable?(reason: string): void;
  };
  token(): Promise<string | undefined>;
  onReady(hello: ControlMessage): void;
}

const VERSION = 1;
/** Between two wishes for a fresh state of one thing. */
const REFRESH_PAUSE_MS = 1_000;
/** Until what the server did not have or could not give is asked for again. */
const RETRY_MS = 5_000;
/** It took this subscription from us because we were too slow. */
const SHED_RETRY_MS = 30_000;
const PASSING_ERRORS = ["unknown_symbol", "busy", "rate_limited"];
const MAX_HANDLES = 1_048_576;
const CHANNELS: readonly MarketChannel[] = ["book", "trades", "bbo", "ticker", "candles", "orders"];
const keyOf = (handle: number, channel: MarketChannel) =>
  handle * CHANNELS.length + CHANNELS.indexOf(channel);

export class Session {
  readonly #json = new JsonReader();
  readonly #binary: BinaryReader;
  readonly #handles = new Map<number, Handle>();
  /** Request → what it asked for. */
  readonly #asked = new Map<number, Wish>();
  /** Wish → when it was last asked for again, or the timer until then. */
  readonly #again = new Map<string, { asked_ms: number; timer: Timer | undefined }>();
  #next_id = 1;
  #is_ready = false;
  #is_over = false;
  /** The server shuts down and said when to come back. */
  retry_after_ms: number | undefined;

  constructor(readonly connection: Connection, readonly owner: SessionOwner) {
    this.#binary = new BinaryReader((handle, channel) => this.#handles.get(keyOf(handle, channel)));
  }
  text(text: string, received_us: number): void {
    this.#read(() => this.#json.read(text), received_us);
  }
  binary(bytes: Uint8Array, received_us: number): void {
    this.#read(() => this.#binary.read(bytes), received_us);
  }
  subscribe(wish: Wish): void {
    if (this.#is_ready) this.#ask(wish);
  }
  unsubscribe({ symbol, channel, venue, interval }: Wish): void {
    if (!this.#is_ready) return;
    this.#forget((one) => covers({ symbol, channel, venue }, one.venue ?? "", one.symbol, one.channel));
    this.connection.request({ type: "unsubscribe", symbol, channel, venue, interval });
  }
  refresh(wish: Wish): void {
    if (this.#is_ready) this.#askLater(wish, 0, REFRESH_PAUSE_MS);
  }
  end(): void {
    this.#is_over = true;
    for (const { timer } of this.#again.values()) timer?.cancel();
    this.#again.clear();
  }

  /** What comes after an unreadable message means nothing. */
  #read(read: () => MarketMessage | ControlMessage | undefined, received_us: number): void {
    if (this.#is_over) return;
    try {
      const message = read();
      if (message === undefined) return;
      if (isMarket(message)) this.owner.market.take(message, received_us);
      else this.#control(message, received_us);
    } catch (error) {
      if (!(error instanceof UnreadableMessage)) throw error;
      this.#is_over = true;
      this.owner.events.unreadable?.(error.message);
      this.connection.close(`unreadable message: ${error.message}`);
    }
  }
  #control(message: ControlMessage, received_us: number): void {
    const { market, events } = this.owner;
    switch (message.type) {
      case "hello":
        this.#hello(message);
        break;
      case "authenticated":
        this.#ready(message);
        break;
      case "subscribed":
        this.#subscribed(message);
        break;
      case "unsubscribed":
        this.#unsubscribed(message);
        break;
      case "error":
        this.#error(message);
        break;
      case "notice":
        this.#notice(message);
        break;
      default:
        market.note(message);
    }
    events.control?.(message, received_us);
  }
  #hello(message: ControlMessage): void {
    if (message.version !== VERSION) {
      throw new UnreadableMessage(`protocol version ${String(message.version)}, want ${VERSION}`);
    }
    if (message.auth !== "required") return this.#ready(message);
    if (this.owner.has_token) return void this.#authenticate();
    this.connection.close("the server wants a token, and there is none");
  }
  async #authenticate(): Promise<void> {
    try {
      const token = await this.owner.token();
      if (!this.#is_over) this.connection.request({ type: "auth", token });
    } catch (error) {
      this.connection.close(reasonOf(error));
    }
  }
  /** Also after a renewed token, when all is subscribed already. */
  #ready(hello: ControlMessage): void {
    if (this.#is_ready) return;
    this.#is_ready = true;
    this.owner.market.begin(String(hello.epoch));
    this.owner.onReady(hello);
    for (const wish of this.owner.wishes.values()) this.#ask(wish);
  }

  #ask(wish: Wish): void {
    const id = this.#next_id++;
    this.#asked.set(id, wish);
    this.connection.request({ type: "subscribe", ...wish, resume: this.#resumeOf(wish), id });
  }
  #resumeOf(wish: Wish): { epoch: string; seq: number } | undefined {
    const { market } = this.owner;
    const instrument = isNarrow(wish) ? market.find(wish.venue, wish.symbol) : undefined;
    if (instrument === undefined || market.epoch === undefined) return undefined;
    const kept = instrument.kept(wish.channel);
    const seq = kept
      ? (kept.resumable && kept.variant === variantOf(wish.depth, wish.interval_ms) ? kept.seq : undefined)
      : instrument.progressOf(wish.channel, wish.interval)?.seq;
    return seq === undefined ? undefined : { epoch: market.epoch, seq };
  }
  /** In `delay_ms`, and not within `pause_ms` of the last time. One wish for each thing at a time. */
  #askLater(wish: Wish, delay_ms: number, pause_ms = delay_ms): void {
    const { clock, wishes } = this.owner;
    const key = wishKey(wish);
    const now_ms = clock.monotonic_ms();
    const last = this.#again.get(key);
    if (last?.timer) return;
    const due_ms = Math.max(now_ms + delay_ms, (last?.asked_ms ?? -Infinity) + pause_ms);
    const timer = clock.after(due_ms - now_ms, () => {
      this.#again.set(key, { asked_ms: clock.monotonic_ms(), timer: undefined });
      const is_wanted = [...wishes.values()].some((one) =>
        covers(one, wish.venue ?? one.venue ?? "", wish.symbol, wish.channel)
      );
      if (!this.#is_over && is_wanted) this.#ask(wish);
    });
    this.#again.set(key, { asked_ms: last?.asked_ms ?? -Infinity, timer });
  }
  #forget(is_gone: (wish: Wish) => boolean): void {
    for (const [id, wish] of this.#asked) if (is_gone(wish)) this.#asked.delete(id);
  }

  #subscribed(message: ControlMessage): void {
    const { channel, interval, id } = message;
    const asked = typeof id === "number" ? this.#asked.get(id) : undefined;
    if (typeof id === "number") this.#asked.delete(id);
    const is_narrow = asked !== undefined && isNarrow(asked);
    const period = typeof interval === "string" ? interval : undefined;
    for (const { venue, symbol, handle } of instrumentsOf(message)) {
      const instrument = this.owner.market.open(venue, symbol);
      if (isMarketChannel(channel) && handle !== undefined) {
        this.#learn(handle, channel, { venue, symbol, interval: period });
      }
      const kept = instrument.openKept(channel);
      if (kept) {
        // A book that we hold is either about to be resumed or replaced; until then it is as it was left.
        const variant = variantOf(message.depth, message.interval_ms);
        const goes_on = is_narrow && kept.resumable && kept.variant === variant;
        if (!goes_on) this.owner.market.lose(instrument, channel, "a snapshot is on its way");
        kept.variant = variant;
      } else if (typeof channel === "string") {
        const progress = instrument.progressOf(channel, period);
        if (progress === undefined) continue;
        if (is_narrow) progress.awaits_resume = false;
        else if (progress.seq !== undefined && !progress.awaits_resume) {
          // Of a wide wish each instrument is resumed by itself; what comes until then comes again.
          progress.awaits_resume = true;
          this.#ask({ symbol, venue, channel: channel as Wish["channel"], interval: period });
        }
      }
    }
  }
  #learn(handle: number, channel: MarketChannel, known: Handle): void {
    if (this.#handles.size >= MAX_HANDLES) throw new UnreadableMessage(`over ${MAX_HANDLES} handles`);
    this.#handles.set(keyOf(handle, channel), known);
  }
  /** Unasked it has a reason. */
  #unsubscribed(message: ControlMessage): void {
    const { channel, reason, interval } = message;
    const { market, wishes } = this.owner;
    for (const { venue, symbol } of instrumentsOf(message)) {
      const instrument = market.find(venue, symbol);
      if (instrument === undefined) continue;
      market.lose(instrument, channel, typeof reason === "string" ? reason : "unsubscribed");
      if (reason === "removed") market.remove(venue, symbol);
      const pause_ms = reason === "removed"
        ? RETRY_MS
        : reason === "back_pressure"
        ? SHED_RETRY_MS
        : undefined;
      if (pause_ms === undefined || typeof channel !== "string") continue;
      for (const wish of wishes.values()) {
        if (!covers(wish, venue, symbol, channel) || (interval !== undefined && interval !== wish.interval)) {
          continue;
        }
        // What a wildcard covers comes back by itself when it is there again.
        if (reason === "removed" && wish.symbol !== symbol) continue;
        this.#askLater({ ...wish, venue, symbol }, pause_ms);
      }
    }
  }
  #error({ id, code }: ControlMessage): void {
    const asked = typeof id === "number" ? this.#asked.get(id) : undefined;
    if (typeof id === "number") this.#asked.delete(id);
    if (asked === undefined) return;
    if (PASSING_ERRORS.includes(String(code))) return this.#askLater(asked, RETRY_MS);
    const instrument = isNarrow(asked) ? this.owner.market.find(asked.venue, asked.symbol) : undefined;
    const progress = instrument?.progressOf(asked.channel, asked.interval);
    if (progress) progress.awaits_resume = false;
  }
  #notice({ code, retry_after_ms }: ControlMessage): void {
    if (code === "shutdown" && typeof retry_after_ms === "number" && retry_after_ms >= 0) {
      this.retry_after_ms = retry_after_ms;
    }
    if (code === "expiring" && this.owner.may_renew) void this.#authenticate();
  }
}

function isMarketChannel(channel: unknown): channel is MarketChannel {
  return CHANNELS.includes(channel as MarketChannel);
}

/** The instruments that a message names in its list, as far as they make sense. */
function instrumentsOf({ instruments }: ControlMessage) {
  const found: { venue: string; symbol: string; handle: number | undefined }[] = [];
  for (const one of Array.isArray(instruments) ? instruments : []) {
    const { venue, symbol, handle } = (one ?? {}) as Record<string, unknown>;
    if (typeof venue !== "string" || typeof symbol !== "string") continue;
    found.push({ venue, symbol, handle: Number.isSafeInteger(handle) ? handle as number : undefined });
  }
  return found;
}
