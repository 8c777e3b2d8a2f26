/** A server of the protocol that says what the test tells it, and writes down what it is asked. */
import { createServer, type Server } from "node:http";
// @ts-types="@types/ws"
import { type WebSocket, WebSocketServer } from "ws";
import { type Clock, systemClock } from "../../../lib/base/clock.ts";
import { Random } from "../../../lib/base/random.ts";
import { type ClientEvents, type ClientOptions, RestreamClient } from "../../../lib/client/client.ts";
import type { KeptBook } from "../../../lib/client/kept_book.ts";
import { until } from "../../end_to_end/until.ts";

// deno-lint-ignore no-explicit-any -- messages under test are looked into freely
export type Request = Record<string, any>;

export const HELLO = { type: "hello", version: 1, server: "scripted", epoch: "e1", heartbeat_ms: 5_000 };
export const HEAD = { venue: "v", symbol: "S" };
export const snapshot = (seq: number, bids: number[][], asks: number[][], more: object = {}) => ({
  type: "snapshot",
  ...HEAD,
  seq,
  last_update_id: seq * 10,
  timestamp: 1,
  bids,
  asks,
  ...more,
});
export const delta = (seq: number, bids: number[][], asks: number[][] = []) => ({
  ...snapshot(seq, bids, asks),
  type: "delta",
});
export const trade = (seq: number, more: object = {}) => ({
  type: "trade",
  ...HEAD,
  seq,
  trade_id: 1000 + seq,
  price: 1,
  quantity: 1,
  timestamp: 1,
  ...more,
});

export class ScriptedServer implements AsyncDisposable {
  readonly requests: Request[] = [];
  readonly headers: (string | undefined)[] = [];
  connections = 0;
  /** HTTP status that handshakes are refused with. */
  refuse: { status: number; headers?: Record<string, string> } | undefined;
  /** Instruments in the answer to a subscription. */
  instruments: Request[] = [{ ...HEAD, handle: 7 }];
  hello: object = HELLO;
  /** Instead of `subscribed`. */
  answers: (request: Request) => object[] | undefined = () => undefined;
  /** What is said right after `subscribed`. */
  onSubscribe: (request: Request) => object[] = () => [];
  #socket: WebSocket | undefined;

  private constructor(readonly http: Server, readonly url: string, readonly sockets: WebSocketServer) {}

  static async open(): Promise<ScriptedServer> {
    const http = createServer();
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => [...offered][0] ?? false,
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const { port } = http.address() as { port: number };
    const server = new ScriptedServer(http, `ws://127.0.0.1:${port}`, sockets);
    http.on("upgrade", (request, stream, head) => {
      server.connections++;
      server.headers.push(request.headers.authorization);
      if (server.refuse) {
        const { status, headers = {} } = server.refuse;
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
        stream.end(`HTTP/1.1 ${status} No\r\n${lines}content-length: 0\r\nconnection: close\r\n\r\n`);
        return;
      }
      sockets.handleUpgrade(request, stream, head, (socket) => server.#converse(socket));
    });
    return server;
  }
  #converse(socket: WebSocket): void {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const request = JSON.parse(String(data));
      this.requests.push(request);
      if (request.type !== "subscribe") return;
      const answers = this.answers(request);
      if (answers) return this.say(...answers);
      const { id, symbol, channel, venue, interval, depth, interval_ms } = request;
      const { instruments } = this;
      this.say({
        type: "subscribed",
        id,
        symbol,
        channel,
        venue,
        interval,
        depth,
        interval_ms,
        epoch: "e1",
        instruments,
      });
      this.say(...this.onSubscribe(request));
    });
    this.say(this.hello);
  }
  say(...messages: object[]): void {
    for (const message of messages) this.#socket!.send(JSON.stringify(message));
  }
  sayBytes(bytes: Uint8Array): void {
    this.#socket!.send(bytes);
  }
  sayText(text: string): void {
    this.#socket!.send(text);
  }
  cut(): void {
    this.#socket!.terminate();
  }
  close(code: number): void {
    this.#socket!.close(code);
  }
  subscriptions(channel: string): Request[] {
    return this.requests.filter((one) => one.type === "subscribe" && one.channel === channel);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    await new Promise((resolve) => this.http.close(resolve));
  }
}

/** A client with what happened to it in words. */
export class WatchedClient implements Disposable {
  readonly words: string[] = [];
  readonly client: RestreamClient;

  constructor(options: Partial<ClientOptions> & { urls: readonly string[] }, clock: Clock = systemClock) {
    const say = (word: string) => void this.words.push(word);
    const events: ClientEvents = {
      up: (_hello, url) => say(`up ${options.urls.indexOf(url)}`),
      down: (reason, retry_ms) => say(`down ${retry_ms === undefined ? "for good" : "for now"}: ${reason}`),
      market: (message) => {
        if (message.type !== "snapshot" && message.type !== "delta") say(`${message.type} ${message.seq}`);
      },
      book: (book, event) => say(`${event} ${book.seq}${event === "lost" ? ` ${book.reason}` : ""}`),
      gap: ({ channel, missed, reason }) => say(`gap ${channel} ${missed} ${reason}`),
      unreadable: (reason) => say(`unreadable ${reason}`),
      control: ({ type, code }) => {
        if (type === "error" || type === "notice") say(`${type} ${code}`);
      },
    };
    this.client = new RestreamClient(
      { reconnect: { first_ms: 2, max_ms: 10 }, ...options },
      { clock, random: new Random("client") },
      events,
    );
  }
  get book(): KeptBook | undefined {
    return this.client.book("v", "S");
  }
  levels(): { bids: number[][]; asks: number[][] } {
    const { bids, asks } = this.book!.book!;
    const all = (side: typeof bids) =>
      Array.from({ length: side.size }, (_, i) => [side.price(i), side.quantity(i)]);
    return { bids: all(bids), asks: all(asks) };
  }
  /** All words since the last time, once `word` is the last of them. */
  async saw(word: string): Promise<string[]> {
    await until(
      `"${word}"`,
      () => this.words.includes(word),
      5_000,
      () => JSON.stringify(this.words),
    );
    return this.words.splice(0, this.words.indexOf(word) + 1);
  }
  [Symbol.dispose](): void {
    this.client.close();
  }
}
