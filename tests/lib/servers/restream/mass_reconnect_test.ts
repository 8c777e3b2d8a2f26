/**
 * A thousand clients are cut at once and come back at once, each with its (epoch, seq): what they missed is replayed or
 * announced, every book is right, and the server holds nothing of those who left. In one thread and with Workers.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { Random } from "../../../../lib/base/random.ts";
import { restream } from "../../../../lib/servers/restream/restream.ts";
import { RawWebSocket, TEXT } from "../../../raw_websocket.ts";
import { until } from "../../../end_to_end/until.ts";
import { FakeHub } from "../fake_hub.ts";
import { hubBook, type Message, MirrorBook } from "./test_client.ts";

const CLIENTS = 1_000;
const SYMBOLS = ["AAA", "BBB", "CCC"];

class Returner {
  readonly book = new MirrorBook();
  trade_seq: number | undefined;
  resumed = 0;
  snapshots = 0;
  #epoch = "";
  #listed = Promise.withResolvers<void>();
  #ws: RawWebSocket | undefined;
  reading: Promise<void> = Promise.resolve();

  constructor(readonly address: string, readonly symbol: string) {}
  async connect(): Promise<void> {
    const ws = this.#ws = await RawWebSocket.open(this.address);
    const hello = await ws.message("hello");
    const resume = (seq: number | undefined) =>
      hello.epoch === this.#epoch && seq !== undefined ? { epoch: hello.epoch, seq } : undefined;
    const { symbol } = this;
    await ws.sendJson({ type: "subscribe", symbol, channel: "book", resume: resume(this.book.seq) });
    await ws.sendJson({ type: "subscribe", symbol, channel: "trades", resume: resume(this.trade_seq) });
    this.#epoch = hello.epoch;
    // Answered when both are subscribed; it tells where the trades stand before there is one.
    await ws.sendJson({ type: "list" });
    this.#listed = Promise.withResolvers();
    this.reading = this.#read(ws);
    await this.#listed.promise;
  }
  /** Without a close frame, as when something on the way ends it. */
  async cut(): Promise<void> {
    const conn = this.#ws!.conn as Deno.TcpConn;
    // A close alone waits for the read that is under way.
    await conn.closeWrite();
    await this.reading;
    conn.close();
  }
  end(): void {
    this.#ws?.[Symbol.dispose]();
  }
  async #read(ws: RawWebSocket): Promise<void> {
    do {
      for (const { opcode, payload } of ws.frames.splice(0)) {
        if (opcode !== TEXT) continue;
        const message = JSON.parse(new TextDecoder().decode(payload));
        if (message.type === "subscriptions") await this.#takeList(ws, message);
        else this.#take(message);
      }
    } while (await ws.read());
  }
  async #takeList(ws: RawWebSocket, { subscriptions }: Message): Promise<void> {
    const trades = subscriptions.find(({ channel }: Message) => channel === "trades");
    this.trade_seq ??= trades.seq;
    if (this.trade_seq === undefined) return await ws.sendJson({ type: "list" });
    this.#listed.resolve();
  }
  #take(message: Message): void {
    if (message.type === "resumed" && message.channel === "book") this.resumed++;
    if (message.type === "snapshot") this.snapshots++;
    if (message.type === "trade" || (message.type === "lag" && message.channel === "trades")) {
      const from_seq = message.from_seq ?? message.seq;
      if (this.trade_seq !== undefined) {
        assert.equal(from_seq, this.trade_seq + 1, "a trade lost or told twice");
      }
      this.trade_seq = message.to_seq ?? message.seq;
      return;
    }
    this.book.take(message);
  }
}

for (const workers of [0, 2]) {
  const where = workers === 0 ? "one thread" : `${workers} Workers`;
  Deno.test(`mass reconnect, ${where}: 1,000 clients cut at once come back with what they missed`, async () => {
    const random = new Random("mass");
    const hub = new FakeHub(systemClock);
    for (const symbol of SYMBOLS) hub.sync(symbol, [[100, 1]], [[1_000, 1]]);
    const server = await restream.open(
      restream.schema.parse({
        listen: "127.0.0.1:0",
        access: "open",
        edge: { workers },
        max_clients: 2 * CLIENTS,
        max_connections_per_address: 2 * CLIENTS,
        accepts_per_second_per_address: 100_000,
        max_unauthenticated: 2 * CLIENTS,
        heartbeat_ms: 60_000,
        max_requests_per_second: 10_000,
        max_lag_ms: 60_000,
      }),
      hub,
    );
    const ids = new Map(SYMBOLS.map((symbol) => [symbol, 0]));
    const move = () => {
      for (const symbol of SYMBOLS) {
        hub.change(symbol, [[random.integer(1, 99), random.integer(1, 9)]], [[random.integer(101, 199), 1]], {
          flush: false,
        });
        ids.set(symbol, ids.get(symbol)! + 1);
        hub.trade(symbol, ids.get(symbol)!);
      }
      hub.flush();
    };
    const clients = Array.from(
      { length: CLIENTS },
      (_, i) => new Returner(server.address, SYMBOLS[i % SYMBOLS.length]),
    );
    const connectAll = async () => {
      for (let i = 0; i < CLIENTS; i += 100) {
        await Promise.all(clients.slice(i, i + 100).map((client) => client.connect()));
        move();
      }
    };
    const allRight = (what: string) => {
      const waiting = new Set(clients);
      const expected = new Map(SYMBOLS.map((symbol) => [symbol, JSON.stringify(hubBook(hub, symbol))]));
      return until(
        what,
        () => {
          for (const one of waiting) {
            if (JSON.stringify(one.book.sorted()) === expected.get(one.symbol)) waiting.delete(one);
          }
          return waiting.size === 0;
        },
        60_000,
        () => `${waiting.size} books are not right`,
      );
    };
    try {
      await connectAll();
      move();
      await allRight("a thousand right books");
      await Promise.all(clients.map((client) => client.cut()));
      for (let i = 0; i < 50; i++) move();
      await connectAll();
      move();
      await allRight("a thousand right books again");
      const lastTrades = () => {
        const seqs: Record<string, number> = {};
        for (const { symbol, trade_seq } of clients) {
          const key = `${symbol} ${trade_seq}`;
          seqs[key] = (seqs[key] ?? 0) + 1;
        }
        return seqs;
      };
      await until(
        "the last trade everywhere",
        () => Object.keys(lastTrades()).length === SYMBOLS.length,
        20_000,
        () => JSON.stringify(lastTrades()),
      );
      assert.equal(
        clients.filter(({ resumed }) => resumed === 1).length,
        CLIENTS,
        "somebody was not resumed",
      );
      assert.equal(clients.filter(({ snapshots }) => snapshots === 1).length, CLIENTS, "somebody began anew");
      hub.metrics.collect();
      const gauge = (name: string) => hub.metrics.gauge(name, "").with().value;
      await until("the server to know of a thousand", () => {
        hub.metrics.collect();
        return gauge("mdg_websocket_clients") === CLIENTS &&
          gauge("mdg_websocket_subscriptions") === 2 * CLIENTS;
      });
    } finally {
      await server[Symbol.asyncDispose]();
      await Promise.all(clients.map(({ reading }) => reading));
      for (const client of clients) client.end();
    }
  });
}
