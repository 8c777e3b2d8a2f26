/** A reader of the depth server for tests: npm ws, raw texts kept, and a server on a clock that tests move. */
import assert from "node:assert/strict";
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import {
  type DepthServer,
  type DepthServerOptions,
  openDepthServer,
} from "../../../../lib/servers/depth/depth_server.ts";

// deno-lint-ignore no-explicit-any -- messages under test are looked into freely
export type Message = Record<string, any>;

/** Lets the sockets work until `condition`; gives up after a number of turns, not after a time. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 100_000, `waiting for ${condition}`);
    await nextTurn();
  }
}

export class DepthReader {
  readonly texts: string[] = [];
  readonly messages: Message[] = [];
  closed: { code: number; reason: string } | undefined;
  pings = 0;
  #wake: (() => void) | undefined;
  readonly #ended: Promise<unknown>;

  constructor(readonly ws: WebSocket) {
    ws.on("message", (data) => {
      this.texts.push(data.toString());
      this.messages.push(JSON.parse(data.toString()));
      this.#wake?.();
    });
    ws.on("ping", () => {
      this.pings++;
      this.#wake?.();
    });
    ws.on("error", () => {});
    ws.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake?.();
    });
    this.#ended = once(ws, "close");
  }
  static async connect(server: DepthServer, options: Record<string, unknown> = {}): Promise<DepthReader> {
    const reader = new DepthReader(new WebSocket(server.url, options));
    await once(reader.ws, "open");
    return reader;
  }
  /** Resolves when `count` messages have come in all. */
  async received(count: number): Promise<void> {
    while (this.texts.length < count) {
      assert.equal(this.closed, undefined, `closed after ${this.texts.length} of ${count} messages`);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
  async pinged(count: number): Promise<void> {
    while (this.pings < count) await new Promise<void>((resolve) => this.#wake = resolve);
  }
  send(message: Message): void {
    this.ws.send(JSON.stringify(message));
  }
  /** Sends, and waits for the answer and, for a whole book, its first message. */
  async subscribe(stream_id: string, symbol: string, data_type: string, more: Message = {}): Promise<void> {
    const count = this.texts.length + (data_type === "TRADES" || more.delta ? 1 : 2);
    this.send({ type: "Subscribe", stream_id, symbol, data_type, ...more });
    await this.received(count);
  }
  async end(): Promise<{ code: number; reason: string }> {
    await this.#ended;
    return this.closed!;
  }
}

/** Time of the tests' markets, microseconds: 2024-08-08T12:00:00Z. */
export const START_US = 1_723_118_400_000_000;

export async function withDepthServer(
  work: (server: DepthServer, clock: ManualClock) => Promise<void>,
  options: Partial<DepthServerOptions> = {},
): Promise<void> {
  const clock = new ManualClock();
  const server = await openDepthServer({
    listen: "127.0.0.1:0",
    symbols: ["BTCUSD", "ETHUSD"],
    seed: "test",
    start_us: START_US,
    interval_ms: 300,
    rate_per_s: 200,
    scenario: "calm",
    max_clients: 100,
    delta: true,
    compression: false,
    ...options,
  }, { clock, log: silentLog, version: "1.2.3" });
  const closed = { done: false };
  try {
    await work(server, clock);
  } finally {
    const close = server[Symbol.asyncDispose]().then(() => closed.done = true);
    // The server's own deadline for clients that do not answer a close runs on the tests' clock.
    for (let turns = 0; !closed.done; turns++) {
      await nextTurn();
      if (turns > 1_000) clock.advance(100);
    }
    await close;
    assert.equal(clock.pending, 0, "timers left behind");
  }
}
