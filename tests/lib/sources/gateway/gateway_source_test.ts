/**
 * The source `gateway` before a scripted other side: what each message of the protocol does to books and trades, and
 * what does not get through. The other side is a plain WebSocket server that says what the test tells it.
 */
import assert from "node:assert/strict";
// @ts-types="@types/ws"
import { type WebSocket, WebSocketServer } from "ws";
import { systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { Books } from "../../../../lib/flow/books.ts";
import type { MarketUpdate } from "../../../../lib/market/update.ts";
import { gateway } from "../../../../lib/sources/gateway.ts";
import type { Source } from "../../../../lib/sources/source.ts";
import { until } from "../../../end_to_end/until.ts";

const HEAD = { venue: "v", symbol: "S" };
const HELLO = { type: "hello", version: 1, server: "mdg test", epoch: "e1", heartbeat_ms: 5_000 };

/** The other side and a gateway's books behind the source. */
class Stage implements AsyncDisposable {
  readonly requests: Record<string, unknown>[] = [];
  readonly updates: MarketUpdate[] = [];
  readonly metrics = new Metrics();
  source!: Source;
  books!: Books;
  connections = 0;
  #socket: WebSocket | undefined;
  #server!: WebSocketServer;
  readonly #stop = new AbortController();
  #pumping!: Promise<void>;

  static async open(config: Record<string, unknown> = {}): Promise<Stage> {
    const stage = new Stage();
    const server = stage.#server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await new Promise((resolve) => server.once("listening", resolve));
    server.on("connection", (socket) => {
      stage.connections++;
      stage.#socket = socket;
      socket.on("message", (data) => {
        const { id, symbol, channel } = JSON.parse(String(data));
        stage.requests.push({ id, symbol, channel });
        socket.send(JSON.stringify({ type: "subscribed", id, symbol, channel, instruments: [HEAD] }));
      });
    });
    const { port } = server.address() as { port: number };
    const context = {
      name: "gateway",
      clock: systemClock,
      log: silentLog,
      metrics: stage.metrics,
      seed: "test",
      feeds: {},
    };
    const url = `ws://127.0.0.1:${port}`;
    const full = gateway.schema.parse({ url, venue: "v", symbols: ["S"], reconnect_delay_ms: 5, ...config });
    stage.source = gateway.create(full, context);
    stage.books = new Books("v", stage.source.sequence, {
      ...context,
      // The live book is copied as text: it changes in place.
      publish: (update) => {
        assert.ok(update.kind !== "orders");
        stage.updates.push(update.kind === "book" ? { ...update } : structuredClone(update));
      },
      requestSnapshot: (symbol, reason) => stage.source.requestSnapshot(symbol, reason),
      can_refresh: true,
    }, stage.source.learns);
    for (const symbol of stage.source.symbols) stage.books.add(symbol);
    stage.#pumping = stage.#pump();
    await until("the connection", () => stage.#socket !== undefined);
    return stage;
  }
  say(...messages: object[]): void {
    for (const message of messages) this.#socket!.send(JSON.stringify(message));
  }
  /** `hello`, and whatever is wished for is subscribed to. */
  async greet(hello: object = HELLO): Promise<void> {
    const before = this.requests.length;
    this.say(hello);
    await until("the wishes", () => this.requests.length === before + 5);
  }
  sayText(text: string): void {
    this.#socket!.send(text);
  }
  cut(): void {
    this.#socket!.terminate();
  }
  /** The book's levels best first, or why there is none. */
  book(symbol = "S"): { bids: number[][]; asks: number[][] } | string {
    const instrument = this.books.instruments.get(symbol)!;
    if (!instrument.in_sync) return instrument.reason;
    const { bids, asks } = instrument.book;
    const levels = (side: typeof bids) =>
      Array.from({ length: side.size }, (_, i) => [side.price(i), side.quantity(i)]);
    return { bids: levels(bids), asks: levels(asks) };
  }
  untilBook(wanted: ReturnType<Stage["book"]>): Promise<true> {
    const text = JSON.stringify(wanted);
    return until(
      `the book ${text}`,
      () => JSON.stringify(this.book()) === text || undefined,
      5_000,
      () => JSON.stringify(this.book()),
    );
  }
  count(name: string): number {
    return [...this.metrics.families.get(name)!.children.values()]
      .reduce((sum, { value }) => sum + (value as { value: number }).value, 0);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#pumping;
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
  async #pump(): Promise<void> {
    const events = {
      interrupted: (symbols: readonly string[], reason: string) => this.books.interrupted(symbols, reason),
    };
    for await (const batch of this.source.batches(this.#stop.signal, events)) this.books.process(batch);
  }
}

const snapshot = (seq: number, bids: number[][], asks: number[][], more: object = {}) => ({
  type: "snapshot",
  ...HEAD,
  seq,
  last_update_id: seq * 10,
  timestamp: 1_723_075_200_000,
  bids,
  asks,
  ...more,
});
const delta = (seq: number, bids: number[][], asks: number[][]) => ({
  ...snapshot(seq, bids, asks),
  type: "delta",
});
const trade = (seq: number, trade_id: number) => ({
  type: "trade",
  ...HEAD,
  seq,
  trade_id,
  price: 1.5,
  quantity: 2,
  timestamp: 1_723_075_200_000,
  is_buyer_maker: true,
});
const status = (in_sync: boolean, reason: string) => ({ type: "status", ...HEAD, in_sync, reason });

Deno.test("books follow snapshot and deltas, and keep the other side's ids and times", async () => {
  await using stage = await Stage.open();
  assert.match(stage.source.notReady()!, /^ws:.*: not connected yet$/);
  await stage.greet();
  stage.say(status(true, "snapshot"), snapshot(5, [[100, 1], [99.5, 2]], [[101, 3]]));
  await stage.untilBook({ bids: [[100, 1], [99.5, 2]], asks: [[101, 3]] });
  assert.equal(stage.source.notReady(), undefined);
  stage.say(delta(6, [[100, 0], [99.75, 4]], []), delta(7, [], [[101, 0], [100.25, 0.5]]));
  await stage.untilBook({ bids: [[99.75, 4], [99.5, 2]], asks: [[100.25, 0.5]] });
  const [update] = stage.updates.slice(-1);
  assert.ok(update.kind === "book");
  assert.equal(update.last_update_id, 70);
  assert.equal(update.sent_ms, 1_723_075_200_000);
  assert.equal(stage.books.instruments.get("S")!.book.price_decimals, 2);
  assert.deepEqual(stage.requests.map(({ channel }) => channel), [
    "book",
    "trades",
    "bbo",
    "ticker",
    "status",
  ]);
});

Deno.test("out of sync there is out of sync here, after what came before it, until its snapshot", async () => {
  await using stage = await Stage.open();
  await stage.greet();
  stage.say(snapshot(1, [[100, 1]], [[101, 1]]));
  await stage.untilBook({ bids: [[100, 1]], asks: [[101, 1]] });
  const asked = stage.requests.length;
  stage.say(delta(2, [[100, 9]], []), status(false, "gap"), delta(3, [[100, 5]], []));
  await stage.untilBook("gap");
  const last_book = stage.updates.filter(({ kind }) => kind === "book").at(-1);
  assert.ok(last_book?.kind === "book" && last_book.last_update_id === 20);
  stage.say(status(true, "snapshot"), snapshot(8, [[100, 7]], [[101, 1]]));
  await stage.untilBook({ bids: [[100, 7]], asks: [[101, 1]] });
  stage.say({ type: "lag", ...HEAD, channel: "book", skipped: 3, from_seq: 9, to_seq: 11 });
  await stage.untilBook("lag");
  stage.say(snapshot(11, [[100, 2]], [[101, 1]]));
  await stage.untilBook({ bids: [[100, 2]], asks: [[101, 1]] });
  assert.equal(stage.requests.length, asked, "the other side sends its snapshot unasked");
});

Deno.test("a book that turns out crossed is asked for again", async () => {
  await using stage = await Stage.open();
  await stage.greet();
  stage.say(snapshot(1, [[100, 1]], [[101, 1]]), delta(2, [[102, 1]], []), delta(3, [[103, 1]], []));
  await stage.untilBook("crossed");
  await until("the wish", () => stage.requests.filter(({ channel }) => channel === "book").length === 2);
  stage.say(snapshot(4, [[100, 3]], [[101, 1]]));
  await stage.untilBook({ bids: [[100, 3]], asks: [[101, 1]] });
});

Deno.test("a sequence that does not follow, and text that is none, end the connection; the next one heals", async () => {
  for (
    const broken of [
      JSON.stringify(delta(7, [[100, 2]], [])),
      "{",
      '{"type":"snapshot","venue":"v","symbol":"S"}',
    ]
  ) {
    await using stage = await Stage.open();
    await stage.greet();
    stage.say(snapshot(1, [[100, 1]], [[101, 1]]));
    await stage.untilBook({ bids: [[100, 1]], asks: [[101, 1]] });
    stage.sayText(broken);
    stage.say(delta(2, [[100, 8]], []));
    await until("a new connection", () => stage.connections === 2);
    assert.equal(stage.count("gateway_messages_malformed_total"), 1);
    assert.match(String(stage.book()), /^(disconnected|sequence broken)$/, broken);
    await stage.greet();
    stage.say(snapshot(1, [[100, 3]], [[101, 1]]));
    await stage.untilBook({ bids: [[100, 3]], asks: [[101, 1]] });
  }
});

Deno.test("trades missed over a reconnect are counted when the numbering goes on, not when it starts anew", async () => {
  await using stage = await Stage.open();
  await stage.greet();
  stage.say(trade(1, 11), trade(2, 12));
  await until("two trades", () => stage.updates.length === 2);
  stage.cut();
  await until("a new connection", () => stage.connections === 2);
  await stage.greet();
  stage.say(trade(6, 16));
  await until("the third", () => stage.updates.length === 3);
  assert.equal(stage.count("gateway_trades_missed_total"), 3);
  stage.cut();
  await until("a new connection", () => stage.connections === 3);
  await stage.greet({ ...HELLO, epoch: "e2" });
  stage.say(trade(900, 17));
  await until("the fourth", () => stage.updates.length === 4);
  assert.equal(stage.count("gateway_trades_missed_total"), 3);
  const [first] = stage.updates;
  assert.ok(first.kind === "trade");
  assert.deepEqual([first.aggressor, first.exchange_ms, first.sent_ms], [
    "sell",
    1_723_075_200_000,
    undefined,
  ]);
});

Deno.test("long quantities come through digit for digit", async () => {
  await using stage = await Stage.open();
  const long = "12345678901234567890.123";
  const exact = (message: object) => JSON.stringify(message).replace('"LONG"', long);
  await stage.greet();
  stage.sayText(exact({ ...trade(1, 11), quantity: "LONG" }));
  stage.sayText(exact(snapshot(1, [[100, "LONG" as unknown as number]], [[101, 1]])));
  await until("both", () => stage.updates.some(({ kind }) => kind === "book"));
  const [first] = stage.updates;
  assert.equal(first.kind === "trade" && first.exact_quantity, long);
  assert.equal(stage.books.instruments.get("S")!.book.bids.exactQuantity(0), long);
});

Deno.test("a side known only in part stays so; quotes are the venue's own; a wildcard learns symbols", async () => {
  await using stage = await Stage.open({ symbols: ["*"] });
  const bbo = {
    type: "bbo",
    ...HEAD,
    seq: 1,
    update_id: 10,
    timestamp: 1_723_075_200_001,
    bid: [100, 1],
    ask: [101, 1],
  };
  await stage.greet();
  stage.say(
    snapshot(1, [[100, 1], [99, 1]], [[101, 1]], { bid_bound: 99 }),
    { ...bbo, source: "book" },
    { ...bbo, source: "quote" },
    { type: "ticker", ...HEAD, seq: 1, timestamp: 1_723_075_200_002, last_price: 100.5 },
  );
  await until("the ticker", () => stage.updates.some(({ kind }) => kind === "ticker"));
  const { book } = stage.books.instruments.get("S")!;
  assert.equal(book.bids.bound_key, 99);
  assert.equal(book.asks.bound_key, -Infinity);
  assert.equal(stage.updates.filter(({ kind }) => kind === "quote").length, 1);
  const ticker = stage.updates.find(({ kind }) => kind === "ticker")!;
  assert.ok(ticker.kind === "ticker" && ticker.last_price === 100.5 && ticker.high_price === undefined);
  assert.deepEqual(stage.source.symbols, ["S"]);
});

Deno.test("another version of the protocol is refused, in words", async () => {
  await using stage = await Stage.open();
  stage.say({ ...HELLO, version: 2 });
  await until("the refusal", () => stage.source.notReady()?.includes("protocol version 2, want 1"));
});
