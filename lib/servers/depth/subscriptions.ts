/**
 * Who reads what: judges requests against the server's symbols and the client's streams, shares the clients out among the
 * phases of an interval, and keeps one topic per phase, symbol, data type and depth as long as somebody reads it.
 * Bound: MAX_STREAMS per client.
 */
import { quoted } from "../../base/errors.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import type { DepthClient } from "./depth_client.ts";
import { type DataType, type Request, RequestProblem, type Subscribe } from "./protocol.ts";
import { Stream } from "./stream.ts";
import type { DepthFeed } from "./depth_feed.ts";
import { Topic } from "./topic.ts";

export const MAX_STREAMS = 256;
/** Clients served in one go before the next phase is used: a few are served all at the same moment. */
const BUSY_CLIENTS = 64;
/** More than this in one error message helps nobody. */
const MAX_SYMBOLS_TOLD = 50;

export interface SubscriptionsOptions {
  /** Turns of an interval among which the clients are shared out. */
  phases: number;
  /** Clients may ask for changes instead of whole books. */
  delta_allowed: boolean;
  /** Present time, microseconds, for an answer to a Ping without its own. */
  now_us(): number;
}

/** The clients that are served together, and what they read. */
interface Phase {
  readonly clients: Set<DepthClient>;
  /** By symbol, data type and depth. */
  readonly topics: Map<string, Topic>;
}

export class Subscriptions {
  readonly #feeds: ReadonlyMap<string, DepthFeed>;
  readonly #phases: readonly Phase[];
  readonly #phase_of = new Map<DepthClient, Phase>();
  readonly #writer = new ByteWriter(65_536);

  constructor(feeds: readonly DepthFeed[], readonly options: SubscriptionsOptions) {
    this.#feeds = new Map(feeds.map((feed) => [feed.symbol, feed]));
    this.#phases = Array.from({ length: options.phases }, () => ({ clients: new Set(), topics: new Map() }));
  }

  /** Gives a new client its phase: the first that is not busy, else the least busy. */
  join(client: DepthClient): void {
    const calm = this.#phases.find(({ clients }) => clients.size < BUSY_CLIENTS);
    const phase = calm ?? this.#phases.reduce((a, b) => b.clients.size < a.clients.size ? b : a);
    phase.clients.add(client);
    this.#phase_of.set(client, phase);
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
  /** It is this phase's turn: its clients get what is due. */
  publish(number: number): void {
    const { topics, clients } = this.#phases[number];
    for (const topic of topics.values()) topic.publish();
    for (const client of clients) client.publish(this.#writer);
  }
  /** The client is gone. */
  leave(client: DepthClient): void {
    const phase = this.#phase_of.get(client);
    if (phase === undefined) return;
    for (const stream of client.streams.values()) this.#leaveTopic(phase, stream);
    client.streams.clear();
    phase.clients.delete(client);
    this.#phase_of.delete(client);
  }

  #subscribe(client: DepthClient, request: Subscribe): void {
    const { stream_id, symbol, data_type, delta } = request;
    const phase = this.#phase_of.get(client);
    if (phase === undefined) return;
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
    const key = topicKey(symbol, data_type, max_levels);
    let topic = phase.topics.get(key);
    if (topic === undefined) phase.topics.set(key, topic = new Topic(feed, data_type, max_levels));
    topic.join(delta);
    const stream = new Stream(stream_id, topic, delta);
    client.streams.set(stream_id, stream);
    client.answer({ type: "Subscribed", stream_id, symbol, data_type });
    // Trades so far were before its time, and changes must start from the book of a turn; a whole book it gets at once.
    if (data_type !== "TRADES" && !delta) client.publishStream(stream, this.#writer);
  }
  #unsubscribe(client: DepthClient, stream_id: string): void {
    const stream = client.streams.get(stream_id);
    if (stream === undefined) {
      const message = `"stream_id" ${quoted(stream_id)} is not subscribed, want one that is`;
      throw new RequestProblem(404, message, stream_id);
    }
    client.streams.delete(stream_id);
    const phase = this.#phase_of.get(client);
    if (phase !== undefined) this.#leaveTopic(phase, stream);
    client.answer({ type: "Unsubscribed", stream_id });
  }
  #leaveTopic({ topics }: Phase, { topic, delta }: Stream): void {
    topic.leave(delta);
    if (topic.idle) topics.delete(topicKey(topic.feed.symbol, topic.data_type, topic.max_levels));
  }
  #unknownSymbol(symbol: string, stream_id: string): RequestProblem {
    const known = [...this.#feeds.keys()];
    const told = known.slice(0, MAX_SYMBOLS_TOLD).join(", ");
    const more = known.length > MAX_SYMBOLS_TOLD ? ` and ${known.length - MAX_SYMBOLS_TOLD} more` : "";
    const message = `Unknown symbol: "symbol" is ${quoted(symbol, 40)}, want one of ${told}${more}`;
    return new RequestProblem(404, message, stream_id);
  }
}

function topicKey(symbol: string, data_type: DataType, max_levels: number): string {
  return `${symbol}\u0000${data_type}\u0000${max_levels}`;
}
