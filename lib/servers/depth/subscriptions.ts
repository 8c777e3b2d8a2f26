/**
 * Who reads what: judges requests against the server's symbols and the client's streams, and keeps one topic per symbol,
 * data type and depth as long as somebody reads it. Bound: MAX_STREAMS per client.
 */
import { quoted } from "../../base/errors.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import type { DepthClient } from "./depth_client.ts";
import { type Request, RequestProblem, type Subscribe } from "./protocol.ts";
import { Stream } from "./stream.ts";
import type { SymbolFeed } from "./symbol_feed.ts";
import { Topic } from "./topic.ts";

export const MAX_STREAMS = 256;
/** More than this in one error message helps nobody. */
const MAX_SYMBOLS_TOLD = 50;

export interface SubscriptionsOptions {
  /** Time that the markets have reached, microseconds. */
  at_us: number;
  /** Clients may ask for changes instead of whole books. */
  delta_allowed: boolean;
  /** Present time, microseconds, for an answer to a Ping without its own. */
  now_us(): number;
}

export class Subscriptions {
  readonly #feeds: ReadonlyMap<string, SymbolFeed>;
  readonly #topics = new Map<string, Topic>();
  readonly #writer = new ByteWriter(65_536);
  #at_us: number;

  constructor(feeds: readonly SymbolFeed[], readonly options: SubscriptionsOptions) {
    this.#at_us = options.at_us;
    this.#feeds = new Map(feeds.map((feed) => [feed.symbol, feed]));
  }

  /** @throws RequestProblem */
  onRequest(client: DepthClient, request: Request): void {
    switch (request.type) {
      case "Subscribe":
        return this.#subscribe(client, request);
      case "Unsubscribe":
        return this.#unsubscribe(client, request.stream_id);
      case "Ping": {
        const { timestamp = isoMicroseconds(this.options.now_us()) } = request;
        return client.answer({ type: "Pong", timestamp });
      }
    }
  }
  /** The markets have moved on to `at_us`: everyone gets what is due. */
  publish(at_us: number, clients: Iterable<DepthClient>): void {
    this.#at_us = at_us;
    for (const topic of this.#topics.values()) topic.publish(at_us);
    for (const client of clients) client.publish(this.#writer);
  }
  /** The client is gone. */
  leave(client: DepthClient): void {
    for (const stream of client.streams.values()) this.#leaveTopic(stream);
    client.streams.clear();
  }

  #subscribe(client: DepthClient, request: Subscribe): void {
    const { stream_id, symbol, data_type, delta } = request;
    const feed = this.#feeds.get(symbol);
    if (feed === undefined) throw this.#unknownSymbol(symbol, stream_id);
    if (client.streams.has(stream_id)) {
      const message = `"stream_id" ${quoted(stream_id)} is in use, want another one or Unsubscribe first`;
      throw new RequestProblem(409, message, stream_id);
    }
    if (client.streams.size >= MAX_STREAMS) {
      const message = `Too many streams: ${MAX_STREAMS} are open, want at most as many`;
      throw new RequestProblem(429, message, stream_id);
    }
    if (delta && !this.options.delta_allowed) {
      const message = '"delta" is true, want false: this server sends whole books, start it with --delta';
      throw new RequestProblem(400, message, stream_id);
    }
    // Trades have no depth: one topic serves them all.
    const max_levels = data_type === "TRADES" ? 1 : request.max_levels;
    const key = `${symbol}\u0000${data_type}\u0000${max_levels}`;
    let topic = this.#topics.get(key);
    if (topic === undefined) {
      topic = new Topic(feed, data_type, max_levels, this.#at_us);
      this.#topics.set(key, topic);
    }
    topic.join(delta);
    const stream = new Stream(stream_id, key, topic, delta);
    client.streams.set(stream_id, stream);
    client.answer({ type: "Subscribed", stream_id, symbol, data_type });
    // The interval's trades were before its time; a book it gets at once.
    if (data_type !== "TRADES") client.publishStream(stream, this.#writer);
  }
  #unsubscribe(client: DepthClient, stream_id: string): void {
    const stream = client.streams.get(stream_id);
    if (stream === undefined) {
      const message = `"stream_id" ${quoted(stream_id)} is not subscribed, want one that is`;
      throw new RequestProblem(404, message, stream_id);
    }
    client.streams.delete(stream_id);
    this.#leaveTopic(stream);
    client.answer({ type: "Unsubscribed", stream_id });
  }
  #leaveTopic({ key, topic, delta }: Stream): void {
    topic.leave(delta);
    if (topic.idle) this.#topics.delete(key);
  }
  #unknownSymbol(symbol: string, stream_id: string): RequestProblem {
    const known = [...this.#feeds.keys()];
    const told = known.slice(0, MAX_SYMBOLS_TOLD).join(", ");
    const more = known.length > MAX_SYMBOLS_TOLD ? ` and ${known.length - MAX_SYMBOLS_TOLD} more` : "";
    const message = `Unknown symbol: "symbol" is ${quoted(symbol, 40)}, want one of ${told}${more}`;
    return new RequestProblem(404, message, stream_id);
  }
}
