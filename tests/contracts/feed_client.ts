/**
 * A plain client of a mock, made from its feed's own words: opens the routes, greets, subscribes at the venue's pace, maps
 * what comes. No repair, no reconnect: what it meets is what the mock does.
 */
// @ts-types="@types/ws"
import WebSocket from "ws";
import { type Clock, sleep } from "../../lib/base/clock.ts";
import type { Feed, FeedSession, FrameOutcome, Mapper, StreamName } from "../../lib/feeds/feed.ts";
import type { Channel } from "../../lib/market/event.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { plainEvent } from "../lib/feeds/plain_event.ts";

interface RouteLine {
  socket: WebSocket;
  mapper: Mapper;
  session: { token: string; session_id?: number };
  streams: StreamName[];
}

export class FeedClient {
  /** Everything received, per route, in order. */
  readonly frames = new Map<string, Uint8Array[]>();
  readonly events: ReturnType<typeof plainEvent>[] = [];
  /** What was neither events nor an expected answer. */
  readonly complaints: string[] = [];
  readonly outcomes = new Map<FrameOutcome["kind"], number>();
  closed_with: number | undefined;
  readonly #lines = new Map<string, RouteLine>();
  #next_id = 1;

  constructor(readonly feed: Feed, readonly clock: Clock) {}

  /** Opens what these channels need, and subscribes. */
  static async open(
    feed: Feed,
    clock: Clock,
    ws_url: string,
    symbols: readonly string[],
    channels: readonly Channel[],
  ): Promise<FeedClient> {
    const client = new FeedClient(feed, clock);
    const wanted = symbols.flatMap((symbol) => channels.flatMap((channel) => feed.streams(symbol, channel)));
    for (const [route, streams] of Map.groupBy(wanted, (one) => one.route)) {
      await client.#connect(ws_url + feed.routes[route], route, streams);
    }
    for (const line of client.#lines.values()) await client.#ask(line, line.streams, feed.subscribe);
    return client;
  }
  /** Opens one path and subscribes nothing. */
  async openPath(url: string): Promise<void> {
    await this.#connect(url, url, []);
  }
  async unsubscribe(): Promise<void> {
    for (const line of this.#lines.values()) await this.#ask(line, line.streams, this.feed.unsubscribe);
  }
  /** Says the feed's keep-alive on each connection. */
  keepAlive(): void {
    const { keep_alive } = this.feed;
    for (const { socket, session, streams } of this.#lines.values()) {
      if (keep_alive) socket.send(keep_alive.frame(session, streams));
    }
  }
  /** Says anything on each connection that still stands. */
  say(text: string | Uint8Array): void {
    for (const { socket } of this.#lines.values()) if (socket.readyState === socket.OPEN) socket.send(text);
  }
  count(channel: Channel): number {
    const kinds = KINDS[channel];
    return this.events.filter(({ kind }) => kinds.includes(String(kind))).length;
  }
  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map(({ socket }) => {
      if (socket.readyState === socket.CLOSED) return;
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.terminate();
      return closed;
    }));
  }

  async #connect(url: string, route: string, streams: StreamName[]): Promise<void> {
    const socket = new WebSocket(url, { skipUTF8Validation: true, perMessageDeflate: false });
    socket.binaryType = "nodebuffer";
    const mapper = this.feed.createMapper(new Set(streams.map((one) => one.symbol)));
    const line: RouteLine = { socket, mapper, streams, session: { token: "a token of no account" } };
    this.#lines.set(route, line);
    const frames: Uint8Array[] = [];
    this.frames.set(route, frames);
    socket.on("message", (data: Uint8Array) => {
      frames.push(Uint8Array.from(data));
      this.#take(line, data);
    });
    socket.on("close", (code) => this.closed_with = code);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    socket.on("error", () => {});
    for (const text of this.feed.greeting?.(line.session) ?? []) socket.send(text);
  }
  async #ask(
    { socket, session }: RouteLine,
    streams: readonly StreamName[],
    write: (streams: readonly StreamName[], id: number, session: FeedSession) => string,
  ): Promise<void> {
    const { limits, messageKey } = this.feed;
    for (const alike of Map.groupBy(streams, (one) => messageKey?.(one) ?? "").values()) {
      for (let i = 0; i < alike.length; i += limits.max_streams_per_message) {
        socket.send(write(alike.slice(i, i + limits.max_streams_per_message), this.#next_id++, session));
        await sleep(this.clock, 1000 / limits.max_messages_per_second);
      }
    }
  }
  #take({ socket, mapper, session }: RouteLine, data: Uint8Array): void {
    const batch = new EventBatch();
    const outcome = mapper.map(data, this.clock.now_us(), batch);
    this.outcomes.set(outcome.kind, (this.outcomes.get(outcome.kind) ?? 0) + 1);
    for (const event of batch.events) this.events.push(plainEvent(event));
    if (outcome.kind === "reply") socket.send(outcome.text);
    if (outcome.kind === "ack") session.session_id ??= outcome.session_id;
    const is_fine = ["events", "pong", "reply", "shutdown"].includes(outcome.kind) ||
      outcome.kind === "ack" && outcome.error === undefined;
    if (is_fine || this.complaints.length >= 10) return;
    const text = new TextDecoder().decode(data.subarray(0, 300));
    this.complaints.push(`${JSON.stringify(outcome)} for ${text}`);
  }
}

const KINDS: Record<Channel, readonly string[]> = {
  book: ["book_delta", "book_snapshot"],
  trades: ["trade"],
  quote: ["quote"],
  ticker: ["ticker"],
  candles: ["candle"],
};
