/** An independent reader for the server's tests: npm ws, JSON.parse, and a book kept by the documented rules. */
import assert from "node:assert/strict";
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { ManualClock } from "../../../../lib/base/clock.ts";
import type { Server } from "../../../../lib/servers/server.ts";
import { websocket } from "../../../../lib/servers/restream/websocket.ts";
import { FakeHub } from "../fake_hub.ts";

// deno-lint-ignore no-explicit-any -- messages under test are looked into freely
export type Message = Record<string, any>;

export class TestClient implements AsyncDisposable {
  readonly messages: Message[] = [];
  closed: { code: number; reason: string } | undefined;
  pings = 0;
  #waiting: { key: string; match: (message: Message) => boolean; resolve: (message: Message) => void }[] = [];
  #ended: Promise<unknown>;
  /** Per message type: where to look on. */
  readonly #seen = new Map<string, number>();

  constructor(readonly ws: WebSocket) {
    ws.on("message", (data) => {
      this.messages.push(JSON.parse(data.toString()));
      this.#wake();
    });
    ws.on("ping", () => this.pings++);
    ws.on("error", () => {});
    ws.on("close", (code, reason) => this.closed = { code, reason: reason.toString() });
    this.#ended = once(ws, "close");
  }
  static async connect(
    server: Server,
    path = "/",
    options: Record<string, unknown> = {},
  ): Promise<TestClient> {
    const client = new TestClient(new WebSocket(server.url + path, options));
    await client.next("hello");
    return client;
  }
  #wake(): void {
    for (const waiting of [...this.#waiting]) {
      for (let i = this.#seen.get(waiting.key) ?? 0; i < this.messages.length; i++) {
        if (!waiting.match(this.messages[i])) continue;
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        this.#seen.set(waiting.key, i + 1);
        waiting.resolve(this.messages[i]);
        break;
      }
    }
  }
  #wait(key: string, match: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      this.#waiting.push({ key, match, resolve });
      this.#wake();
    });
  }
  /** The next message of this type (and shape) after the one of this type asked for before. */
  next(type: string, match: (message: Message) => boolean = () => true): Promise<Message> {
    return this.#wait(type, (message) => message.type === type && match(message));
  }
  send(message: unknown): void {
    this.ws.send(typeof message === "string" ? message : JSON.stringify(message));
  }
  /** Sends, and waits for the answer with the same id. */
  async ask(message: Message): Promise<Message> {
    const id = message.id ?? `ask-${this.messages.length}`;
    this.send({ ...message, id });
    return await this.#wait("answers", (message) => message.id === id);
  }
  async end(): Promise<void> {
    await this.#ended;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.terminate();
    await this.#ended;
  }
}

/** A book kept from snapshots and deltas alone, as lib/servers/restream/README.md says. */
export class MirrorBook {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();
  seq: number | undefined;
  last_update_id = 0;
  lags = 0;

  take(message: Message): void {
    if (message.type === "lag") {
      this.lags++;
      assert.equal(message.skipped, message.to_seq - message.from_seq + 1);
      if (this.seq !== undefined) assert.equal(message.from_seq, this.seq + 1);
      this.seq = undefined;
      return;
    }
    if (message.type === "snapshot") {
      this.bids.clear();
      this.asks.clear();
    } else if (message.type === "delta") {
      assert.ok(this.seq !== undefined, "delta without a snapshot before it");
      assert.equal(message.seq, this.seq + 1);
    } else return;
    this.seq = message.seq;
    this.last_update_id = message.last_update_id;
    for (const [side, levels] of [[this.bids, message.bids], [this.asks, message.asks]] as const) {
      for (const [price, quantity] of levels) {
        if (quantity === 0) side.delete(price);
        else side.set(price, quantity);
      }
    }
  }
  sorted(): { bids: [number, number][]; asks: [number, number][] } {
    return {
      bids: [...this.bids].sort((a, b) => b[0] - a[0]),
      asks: [...this.asks].sort((a, b) => a[0] - b[0]),
    };
  }
}

export function hubBook(hub: FakeHub, symbol: string, depth = Infinity, venue = "mock") {
  const { book } = hub.book(venue, symbol)!;
  const side = (one: typeof book.bids) =>
    Array.from({ length: Math.min(depth, one.size) }, (_, i) => [one.price(i), one.quantity(i)]);
  return { bids: side(book.bids), asks: side(book.asks) };
}

export async function withServer(
  work: (server: Server, hub: FakeHub, clock: ManualClock) => Promise<void>,
  config: Record<string, unknown> = {},
): Promise<void> {
  const clock = new ManualClock();
  const hub = new FakeHub(clock);
  const server = await websocket.open(websocket.schema.parse({ listen: "127.0.0.1:0", ...config }), hub);
  let closed = false;
  const watch = server[Symbol.asyncDispose].bind(server);
  server[Symbol.asyncDispose] = () => {
    closed = true;
    return watch();
  };
  try {
    await work(server, hub, clock);
  } finally {
    if (!closed) await server[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0, "timers left behind");
    assert.equal(hub.receivers.size, 0, "receiver left behind");
  }
}
