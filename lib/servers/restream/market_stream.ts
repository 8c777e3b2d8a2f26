/**
 * The hub's receiver for one server: finds each update's instrument, lets it make frames, flushes the clients after the
 * batch. Also answers requests. Wildcard subscriptions live here, so that an instrument added while running reaches those
 * who asked for all. Only instruments the hub knows get a place, which bounds the map.
 */
import { quoted } from "../../base/errors.ts";
import type { BookState, Hub, Receiver } from "../../flow/hub.ts";
import type { MarketUpdate } from "../../market/update.ts";
import { type Client, subscriptionKey } from "./client.ts";
import type { Flusher } from "./flusher.ts";
import { InstrumentStream } from "./instrument_stream.ts";
import type { MessageEncoder } from "./messages.ts";
import {
  ANY_SYMBOL,
  type Problem,
  readRequest,
  type Request,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from "./protocol.ts";
import { type Recipient, Subscription } from "./topic.ts";

/** Symbols named in an error. */
const MAX_SUGGESTED = 20;

type Wish = Pick<SubscribeRequest, "channel" | "venue" | "depth">;

export class MarketStream implements Receiver {
  readonly name = "websocket";
  /** Venue → symbol → stream. */
  readonly #streams = new Map<string, Map<string, InstrumentStream>>();
  /** Client → what it wants of every symbol; at most one wish per channel and venue, within its subscription limit. */
  readonly #wishes = new Map<Client, Map<string, Wish>>();

  constructor(
    readonly hub: Hub,
    readonly encoder: MessageEncoder,
    readonly flusher: Flusher,
    readonly max_subscriptions: number,
  ) {}

  offer(update: MarketUpdate): void {
    const stream = this.#streams.get(update.venue)?.get(update.symbol) ??
      this.#admit(update.venue, update.symbol);
    if (stream === undefined) return;
    stream.offer(update);
    if (update.kind === "book_status" && !update.in_sync && !this.hub.book(update.venue, update.symbol)) {
      this.#remove(stream, update.reason);
    }
  }
  flush(): void {
    this.flusher.flush();
  }

  /** One text message of a client. */
  onMessage(client: Client, text: string): void {
    const read = readRequest(text);
    if ("problem" in read) return client.sendError(read.problem);
    const problem = this.#answer(client, read.request);
    if (problem) client.sendError({ ...problem, id: read.request.id });
  }
  onDrop(subscription: Subscription): void {
    this.#streams.get(subscription.topic.venue)?.get(subscription.topic.symbol)?.end(subscription);
  }
  onClose(client: Client): void {
    this.#wishes.delete(client);
  }

  #answer(client: Client, request: Request): Problem | undefined {
    switch (request.type) {
      case "subscribe":
        return this.#subscribe(client, request);
      case "unsubscribe":
        return this.#unsubscribe(client, request);
      case "list":
        this.#say(client, {
          type: "subscriptions",
          id: request.id,
          subscriptions: [...client.subscriptions.values()].map(({ topic }) => ({
            venue: topic.venue,
            symbol: topic.symbol,
            channel: topic.channel,
            depth: topic.depth,
            seq: topic.seq,
          })),
        });
        return undefined;
      case "ping":
        this.#say(client, { type: "pong", id: request.id, timestamp: this.hub.clock.now_ms() });
        return undefined;
    }
  }
  #subscribe(client: Client, request: SubscribeRequest): Problem | undefined {
    const { id, symbol, channel, venue, depth } = request;
    const states = this.#find(symbol, venue);
    if (states.length === 0 && symbol !== ANY_SYMBOL) return this.#missing(symbol, venue);
    const fresh = states.filter((state) =>
      !client.subscriptions.has(subscriptionKey(channel, state.venue, state.symbol))
    );
    if (client.subscriptions.size + fresh.length > this.max_subscriptions) {
      const total = client.subscriptions.size + fresh.length;
      const message = `subscribe to ${
        quoted(symbol)
      }: ${total} in all, want at most ${this.max_subscriptions}`;
      return { code: "too_many_subscriptions", message };
    }
    if (symbol === ANY_SYMBOL) {
      const wishes = this.#wishes.get(client) ?? new Map<string, Wish>();
      if (!wishes.has(wishKey(request)) && wishes.size >= this.max_subscriptions) {
        return { code: "too_many_subscriptions", message: 'subscribe to "*": too many venues, want fewer' };
      }
      wishes.set(wishKey(request), { channel, venue, depth });
      this.#wishes.set(client, wishes);
    }
    const streams = states.map((state) => this.#stream(state.venue, state.symbol));
    const instruments = streams.map((stream) => ({ venue: stream.venue, symbol: stream.symbol }));
    this.#say(client, { type: "subscribed", id, symbol, channel, venue, depth, instruments });
    for (const stream of streams) this.#start(client, stream, request);
    return undefined;
  }
  #start(client: Client, stream: InstrumentStream, { channel, depth }: Wish): void {
    if (!client.open) return;
    const key = subscriptionKey(channel, stream.venue, stream.symbol);
    const before = client.subscriptions.get(key);
    if (before) client.drop(before);
    const subscription = new Subscription(client, stream.topic(channel, depth));
    client.subscriptions.set(key, subscription);
    stream.start(subscription);
  }
  #unsubscribe(client: Client, request: UnsubscribeRequest): Problem | undefined {
    const { id, symbol, channel, venue } = request;
    const ended = [...client.subscriptions.values()].filter(({ topic }) =>
      topic.channel === channel && (symbol === ANY_SYMBOL || topic.symbol === symbol) &&
      (venue === undefined || topic.venue === venue)
    );
    const wishes = this.#wishes.get(client);
    let withdrawn = 0;
    if (symbol === ANY_SYMBOL && wishes) {
      for (const [key, wish] of wishes) {
        if (wish.channel !== channel || (venue !== undefined && wish.venue !== venue)) continue;
        wishes.delete(key);
        withdrawn++;
      }
    }
    if (ended.length === 0 && withdrawn === 0) {
      const message = `unsubscribe ${quoted(symbol)} from ${channel}: not subscribed, see {"type":"list"}`;
      return { code: "not_subscribed", message };
    }
    for (const subscription of ended) client.drop(subscription);
    const instruments = ended.map(({ topic }) => ({ venue: topic.venue, symbol: topic.symbol }));
    this.#say(client, { type: "unsubscribed", id, symbol, channel, venue, instruments });
    return undefined;
  }

  #find(symbol: string, venue: string | undefined): BookState[] {
    const states = symbol === ANY_SYMBOL ? [...this.hub.books()] : this.hub.find(symbol);
    return states.filter((state) => isFor(state, venue) && state.withheld === undefined);
  }
  /** Why there is nothing to subscribe to: the symbol is not known, or not for clients. */
  #missing(symbol: string, venue: string | undefined): Problem {
    const withheld = this.hub.find(symbol).find((state) => isFor(state, venue));
    if (withheld === undefined) return this.#unknown(symbol, venue);
    const what = `subscribe to ${quoted(symbol)} of venue ${quoted(withheld.venue)}`;
    return { code: "not_for_clients", message: `${what}: not handed to clients, ${withheld.withheld}` };
  }
  #unknown(symbol: string, venue: string | undefined): Problem {
    const known = this.#find(ANY_SYMBOL, venue);
    const named = known.slice(0, MAX_SUGGESTED).map((state) => state.symbol).join(", ");
    const more = known.length > MAX_SUGGESTED ? ` and ${known.length - MAX_SUGGESTED} more` : "";
    const where = venue === undefined ? "" : ` of venue ${quoted(venue)}`;
    const wanted = known.length === 0
      ? `no symbol${where} is known yet`
      : `want one of ${named}${more}, or "*"`;
    return { code: "unknown_symbol", message: `find symbol ${quoted(symbol)}${where}: unknown, ${wanted}` };
  }
  #stream(venue: string, symbol: string): InstrumentStream {
    let symbols = this.#streams.get(venue);
    if (!symbols) this.#streams.set(venue, symbols = new Map());
    let stream = symbols.get(symbol);
    if (!stream) {
      stream = new InstrumentStream(venue, symbol, this.hub, this.encoder);
      symbols.set(symbol, stream);
    }
    return stream;
  }
  /** An update of an instrument not seen before: those who wished for all get it. */
  #admit(venue: string, symbol: string): InstrumentStream | undefined {
    const state = this.hub.book(venue, symbol);
    if (state === undefined || state.withheld !== undefined) return undefined;
    const stream = this.#stream(venue, symbol);
    for (const [client, wishes] of this.#wishes) {
      for (const wish of wishes.values()) {
        if (wish.venue !== undefined && wish.venue !== venue) continue;
        if (client.subscriptions.has(subscriptionKey(wish.channel, venue, symbol))) continue;
        if (client.subscriptions.size >= this.max_subscriptions) {
          const message = `subscribe to new symbol ${
            quoted(symbol)
          }: want at most ${this.max_subscriptions} in all`;
          client.sendError({ code: "too_many_subscriptions", message });
          continue;
        }
        const { channel, depth } = wish;
        this.#say(client, {
          type: "subscribed",
          symbol,
          channel,
          venue,
          depth,
          instruments: [{ venue, symbol }],
        });
        this.#start(client, stream, wish);
      }
    }
    return stream;
  }
  #remove(stream: InstrumentStream, reason: string): void {
    const { venue, symbol } = stream;
    for (const subscription of [...stream.subscriptions()]) {
      const { recipient, topic: { channel } } = subscription;
      recipient.drop(subscription);
      this.#say(recipient, {
        type: "unsubscribed",
        symbol,
        channel,
        venue,
        reason,
        instruments: [{ venue, symbol }],
      });
    }
    this.#streams.get(venue)?.delete(symbol);
  }
  #say(client: Recipient, message: object): void {
    client.send(this.encoder.json(message));
  }
}

function isFor(state: BookState, venue: string | undefined): boolean {
  return venue === undefined || state.venue === venue;
}

function wishKey({ channel, venue }: Wish): string {
  return `${channel}\u0000${venue ?? ""}`;
}
