/**
 * A WebSocket consumer of its own making: npm ws, JSON.parse, and a book kept from one snapshot and the deltas after it.
 * Collects complaints instead of throwing, since it runs inside socket callbacks.
 */
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { reasonOf } from "../../lib/base/errors.ts";
import { MirrorBook } from "../lib/servers/restream/test_client.ts";
import { until } from "./until.ts";

export interface Followed {
  book: MirrorBook;
  snapshots: number;
  deltas: number;
  trade_ids: number[];
  /** `in_sync` of every status message, in order. */
  statuses: boolean[];
}

export class BookFollower implements AsyncDisposable {
  readonly complaints: string[] = [];
  readonly followed = new Map<string, Followed>();
  /** Code and reason of the close, once closed. */
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;
  readonly #ended: Promise<void>;

  constructor(url: string, readonly subscriptions: readonly { symbol: string; channel: string }[]) {
    this.#socket = new WebSocket(url);
    this.#socket.on("message", (data) => this.#take(String(data)));
    this.#socket.on("error", (error) => this.complaints.push(`socket: ${reasonOf(error)}`));
    this.#ended = new Promise((resolve) =>
      this.#socket.on("close", (code, reason) => {
        this.closed = { code, reason: reason.toString() };
        resolve();
      })
    );
  }
  of(symbol: string): Followed {
    const found = this.followed.get(symbol);
    if (found) return found;
    const made: Followed = { book: new MirrorBook(), snapshots: 0, deltas: 0, trade_ids: [], statuses: [] };
    this.followed.set(symbol, made);
    return made;
  }
  /** Best `depth` levels a side. */
  top(symbol: string, depth: number): { bids: [number, number][]; asks: [number, number][] } {
    const { bids, asks } = this.of(symbol).book.sorted();
    return { bids: bids.slice(0, depth), asks: asks.slice(0, depth) };
  }
  /** Resolves when `done`; fails when it never comes or something was wrong with what came. */
  async until(what: string, done: () => boolean, limit_ms = 30_000): Promise<void> {
    await until(what, () => this.complaints.length > 0 || done(), limit_ms, () => this.#summary());
    if (this.complaints.length > 0) throw new Error(`follow the WebSocket: ${this.complaints.join("; ")}`);
  }
  /** Resolves when the connection is over. */
  get ended(): Promise<void> {
    return this.#ended;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.#ended;
  }

  #take(text: string): void {
    try {
      const message = JSON.parse(text);
      if (message.type === "hello") return this.#subscribe();
      if (message.type === "error") this.complaints.push(text);
      if (message.symbol === undefined) return;
      const followed = this.of(message.symbol);
      if (message.type === "snapshot") followed.snapshots++;
      if (message.type === "delta") followed.deltas++;
      if (message.type === "status") followed.statuses.push(message.in_sync);
      if (message.type === "trade") followed.trade_ids.push(message.trade_id);
      if (message.channel === undefined || message.channel === "book") followed.book.take(message);
    } catch (error) {
      this.complaints.push(`${reasonOf(error)} at ${text.slice(0, 200)}`);
    }
  }
  #subscribe(): void {
    for (const one of this.subscriptions) {
      this.#socket.send(JSON.stringify({ type: "subscribe", ...one }));
    }
  }
  #summary(): string {
    return [...this.followed].map(([symbol, { book, snapshots, deltas, trade_ids }]) =>
      `${symbol}: seq ${book.seq}, id ${book.last_update_id}, ${snapshots} snapshots, ${deltas} deltas, ` +
      `${book.lags} lags, ${trade_ids.length} trades`
    ).join("; ");
  }
}
