/**
 * A mock of Deribit's JSON-RPC WebSocket: whole books chained by change ids per subscription, heartbeats on request with
 * test requests that must be answered, numbers as JSON numbers. Unknown channels are left out of the answer.
 */
import type { Level } from "./mock.ts";
import { STREAM_FAULTS } from "./mock.ts";
import { asObject, clientObject, plainNumber, textList } from "./stage/client_object.ts";
import { defineMock, type StagedMarket } from "./stage/define_mock.ts";
import { DepthView } from "./stage/depth_view.ts";
import type { Conversation, Line, RestRules, Subscription } from "./stage/dialect.ts";
import type { Happening } from "./stage/happening.ts";
import type { StageBook } from "./stage/stage_book.ts";

const DEPTH = 10_000;
const MAX_HEARTBEAT_S = 3_600;
/** Test requests left unanswered before the venue hangs up. */
const PATIENCE = 2;

class DeribitConversation implements Conversation {
  #unanswered = 0;
  #beats = false;

  constructor(readonly line: Line<Happening>, readonly market: StagedMarket) {}

  receive(text: string): void {
    const message = clientObject(text);
    const id = message?.id;
    const params = asObject(message?.params);
    switch (message?.method) {
      case "public/test":
        this.#unanswered = 0;
        return this.#answer(id, { version: "1.2.26" });
      case "public/set_heartbeat":
        return this.#heartbeat(id, Number(params?.interval));
      case "public/subscribe":
      case "public/unsubscribe":
        return this.#change(message.method === "public/subscribe", id, textList(params?.channels));
      default:
        this.#error(id, -32601, "Method not found");
    }
  }
  #heartbeat(id: unknown, interval_s: number): void {
    if (!(interval_s >= 10 && interval_s <= MAX_HEARTBEAT_S)) {
      return this.#error(id, -32602, "Invalid params");
    }
    this.#answer(id, "ok");
    if (this.#beats) return;
    this.#beats = true;
    this.line.every(interval_s * 1000, () => {
      if (++this.#unanswered > PATIENCE) return this.line.close(1000, "no answer to test_request");
      this.#say({ method: "heartbeat", params: { type: "test_request" } });
    });
  }
  #change(subscribes: boolean, id: unknown, channels: string[] | undefined): void {
    if (channels === undefined) return this.#error(id, -32602, "Invalid params");
    const known = channels.map((name) => this.#subscription(name)).filter((one) => one !== undefined);
    if (!subscribes) { for (const { name } of known) this.line.unsubscribe(name); }
    this.#answer(id, known.map((one) => one.name));
    if (subscribes) { for (const one of known) this.line.subscribe(one); }
  }
  #subscription(channel: string): Subscription<Happening> | undefined {
    const [, kind, symbol, rest] =
      /^(book|trades|quote|ticker|chart\.trades)\.([^.]+)(?:\.([^.]+))?$/.exec(channel) ?? [];
    const book = symbol === undefined ? undefined : this.market.book(symbol);
    if (book === undefined) return undefined;
    if (kind === "book") return rest === "100ms" ? bookStream(book, symbol, channel) : undefined;
    const render =
      (row: (item: Happening) => object | object[]): Subscription<Happening>["render"] => (item) =>
        push(channel, row(item));
    const named = { name: channel, symbol };
    if (kind === "trades") return { ...named, kinds: ["trade"], render: render((item) => [tradeRow(item)]) };
    if (kind === "quote") return { ...named, kinds: ["quote"], render: render(quoteRow) };
    if (kind === "ticker") return { ...named, kinds: ["ticker"], render: render(tickerRow) };
    return rest === "1" ? { ...named, kinds: ["candle"], render: render(candleRow) } : undefined;
  }

  #answer(id: unknown, result: unknown): void {
    this.#say({ id, result, usIn: 1, usOut: 2, usDiff: 1, testnet: false });
  }
  #error(id: unknown, code: number, message: string): void {
    this.#say({ id: typeof id === "number" ? id : undefined, error: { message, code }, testnet: false });
  }
  #say(message: object): void {
    this.line.answer(JSON.stringify({ jsonrpc: "2.0", ...message }));
  }
}

/** Marks a text that is to stand as a bare number; JSON.stringify alone would put it in quotes. */
const number = (text: string) => `#${plainNumber(text)}#`;

function push(channel: string, data: object): string {
  const message = { jsonrpc: "2.0", method: "subscription", params: { channel, data } };
  return JSON.stringify(message).replace(/"#([^"#]*)#"/g, "$1");
}

function bookStream(book: StageBook, instrument_name: string, channel: string): Subscription<Happening> {
  const view = new DepthView(book, DEPTH, "deleted");
  const known = new Set<string>();
  let change_id = 0;
  const row = ([price, quantity]: Level) => {
    const is_gone = Number(quantity) === 0;
    const action = is_gone ? "delete" : known.has(price) ? "change" : "new";
    if (is_gone) known.delete(price);
    else known.add(price);
    return [action, number(price), number(quantity)];
  };
  const say = (type: string, bids: readonly Level[], asks: readonly Level[]) => {
    const chain = type === "snapshot" ? {} : { prev_change_id: change_id };
    change_id = book.last_id;
    const head = { type, timestamp: book.at_ms, ...chain, instrument_name, change_id };
    return push(channel, { ...head, bids: bids.map(row), asks: asks.map(row) });
  };
  return {
    name: channel,
    symbol: instrument_name,
    kinds: ["book"],
    opening() {
      const { bids, asks } = view.snapshot();
      return say("snapshot", bids, asks);
    },
    render() {
      const { bids, asks } = view.changes();
      return bids.length + asks.length > 0 ? say("change", bids, asks) : undefined;
    },
  };
}

function tradeRow(item: Happening): object {
  if (item.kind !== "trade") return {};
  const { id, price, quantity, aggressor: direction, symbol: instrument_name, at_ms: timestamp } = item;
  const head = { trade_seq: id, trade_id: `T-${id}`, timestamp, instrument_name, direction };
  return { ...head, price: number(price), amount: number(quantity) };
}

function bests({ bid, ask }: { bid?: Level; ask?: Level }): object {
  const side = (name: string, level: Level | undefined) => ({
    [`best_${name}_price`]: level ? number(level[0]) : null,
    [`best_${name}_amount`]: level ? number(level[1]) : 0,
  });
  return { ...side("bid", bid), ...side("ask", ask) };
}
function quoteRow(item: Happening): object {
  if (item.kind !== "quote") return {};
  return { timestamp: item.at_ms, instrument_name: item.symbol, ...bests(item) };
}
function tickerRow(item: Happening): object {
  if (item.kind !== "ticker") return {};
  const [high, low] = [item.high, item.low].map((text) => text === undefined ? null : number(text));
  const stats = { volume: number(item.volume), price_change: 1.285, low, high };
  const last_price = item.last ? number(item.last[0]) : null;
  return {
    timestamp: item.at_ms,
    stats,
    state: "open",
    last_price,
    instrument_name: item.symbol,
    ...bests(item),
  };
}
function candleRow(item: Happening): object {
  if (item.kind !== "candle") return {};
  const [open, high, low, close] = [item.open, item.high, item.low, item.close].map(number);
  return {
    volume: number(item.volume),
    tick: item.open_ms,
    open,
    low,
    high,
    cost: number(item.quote_volume),
    close,
  };
}

function rest(market: StagedMarket): RestRules {
  const instruments = () =>
    [...market.symbols].map(([instrument_name, grid]) => ({
      instrument_name,
      base_currency: instrument_name.split("-")[0],
      quote_currency: "USD",
      tick_size: 10 ** -grid.price_decimals,
      contract_size: 10 ** -grid.quantity_decimals,
      min_trade_amount: 10 ** -grid.quantity_decimals,
      state: "open",
    }));
  return {
    request: ({ pathname }) =>
      pathname === "/api/v2/public/get_instruments"
        ? { answer: () => JSON.stringify({ jsonrpc: "2.0", result: instruments() }) }
        : { status: 400, body: '{"jsonrpc":"2.0","error":{"message":"Method not found","code":-32601}}' },
    refusal: (status) =>
      JSON.stringify({ jsonrpc: "2.0", error: { message: `refused: ${status}`, code: 10028 } }),
  };
}

export const deribit = defineMock({
  name: "deribit",
  summary: "Deribit, JSON-RPC over WebSocket",
  faults: STREAM_FAULTS,
  channels: ["book", "trades", "quote", "ticker", "candles"],
  trades_have_ids: true,
  default_symbols: ["BTC-PERPETUAL", "ETH-PERPETUAL"],
  simulatedAs: (symbol) => `${symbol.split("-")[0]}USD`,
  rules: { max_client_messages_per_s: 10 },
  words: {
    format: "json",
    essential: ["instrument_name", "bids", "asks", "change_id", "price", "amount", "trade_seq"],
    bare_numbers: true,
    strange: [
      '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"novelty.BTC-PERPETUAL","data":{}}}',
      '{"jsonrpc":"2.0","method":"noveltyOfTomorrow","params":{}}',
      '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}',
    ],
  },
  open: (market) => ({
    enter: (path) =>
      path === "/ws/api/v2"
        ? { route: "", converse: (line) => new DeribitConversation(line, market) }
        : undefined,
    rest: rest(market),
  }),
});
