/**
 * A mock of Kraken's WebSocket v2: book cut at the depth asked for, levels pushed out untold, a checksum over the ten best
 * levels of each side, prices as bare numbers. One acknowledgement a symbol.
 */
import zlib from "node:zlib";
import { isoMicroseconds } from "../wire/iso_time.ts";
import type { Level } from "./mock.ts";
import { STREAM_FAULTS } from "./mock.ts";
import { asObject, type ClientObject, clientObject, plainNumber, textList } from "./stage/client_object.ts";
import { defineMock, type StagedMarket } from "./stage/define_mock.ts";
import { DepthView } from "./stage/depth_view.ts";
import type { Conversation, Line, RestRules, Subscription } from "./stage/dialect.ts";
import { gridStep } from "./stage/grid_step.ts";
import type { Happening } from "./stage/happening.ts";
import type { StageBook } from "./stage/stage_book.ts";
import { WireFrame } from "./stage/wire_frame.ts";

const DEPTHS = [10, 25, 100, 500, 1000];
const PROVEN_LEVELS = 10;
const HEARTBEAT_MS = 1_000;

class KrakenConversation implements Conversation {
  constructor(readonly line: Line<Happening>, readonly market: StagedMarket) {}

  begin(): void {
    const data = [{ api_version: "v2", connection_id: 1, system: "online", version: "2.0.0" }];
    this.#say({ channel: "status", type: "update", data });
    this.line.every(HEARTBEAT_MS, () => this.#say({ channel: "heartbeat" }));
  }
  receive(text: string): void {
    const message = clientObject(text);
    if (message?.method === "ping") return this.#say({ method: "pong", req_id: message.req_id });
    const params = asObject(message?.params);
    const { method } = message ?? {};
    if ((method !== "subscribe" && method !== "unsubscribe") || params === undefined) {
      return this.#say({ error: "Malformed request", success: false });
    }
    const answer = { method, req_id: message?.req_id };
    if (params.channel === "instrument") {
      this.#say({ ...answer, success: true, result: { channel: "instrument", snapshot: true } });
      if (method === "subscribe") this.#say(this.#instruments());
      return;
    }
    const symbols = textList(params.symbol);
    if (symbols === undefined) {
      return this.#say({ ...answer, success: false, error: "Field 'symbol' is required" });
    }
    for (const symbol of symbols) this.#one(method, symbol, params, answer);
  }

  #one(method: string, symbol: string, params: ClientObject, answer: ClientObject): void {
    const subscription = this.market.symbols.has(symbol) ? this.#subscription(symbol, params) : undefined;
    if (subscription === undefined) {
      const error = `Currency pair or channel not supported ${symbol}`;
      return this.#say({ ...answer, success: false, symbol, error });
    }
    const { channel, depth, interval, event_trigger } = params;
    const result = { channel, symbol, depth, interval, event_trigger, snapshot: true };
    const is_known = method === "subscribe" || this.line.unsubscribe(subscription.name);
    this.#say(
      is_known
        ? { ...answer, success: true, result }
        : { ...answer, success: false, symbol, error: "Subscription Not Found" },
    );
    if (method === "subscribe") this.line.subscribe(subscription);
  }
  #subscription(symbol: string, params: ClientObject): Subscription<Happening> | undefined {
    const { channel, depth = PROVEN_LEVELS, interval, event_trigger = "trades" } = params;
    if (channel === "book") {
      return DEPTHS.includes(Number(depth))
        ? bookStream(this.market.book(symbol)!, symbol, Number(depth))
        : undefined;
    }
    const push = (type: string, row: object) => ({ channel, type, data: [{ symbol, ...row }] });
    const plain = (kind: Happening["kind"], suffix: unknown, row: (item: Happening) => object) => ({
      name: `${channel}.${suffix}:${symbol}`,
      symbol,
      kinds: [kind],
      render: (item: Happening) => bareNumbers(push("update", row(item))),
    });
    if (channel === "trade") {
      // The latest fifty first: they fill the hole of a new subscription.
      const rows = () => this.market.trades(symbol).map((item) => ({ symbol, ...tradeRow(item) }));
      const opening = () => bareNumbers({ channel, type: "snapshot", data: rows() });
      return { ...plain("trade", "all", tradeRow), opening };
    }
    if (channel === "ticker") {
      return plain(
        event_trigger === "bbo" ? "quote" : "ticker",
        event_trigger,
        () => this.#tickerRow(symbol),
      );
    }
    return channel === "ohlc" && interval === 1 ? plain("candle", 1, candleRow) : undefined;
  }
  #tickerRow(symbol: string): object {
    const { bid, ask } = this.market.quote(symbol) ?? this.market.ticker(symbol) ?? {};
    const day = this.market.ticker(symbol);
    return {
      ...(bid && { bid: number(bid[0]), bid_qty: number(bid[1]) }),
      ...(ask && { ask: number(ask[0]), ask_qty: number(ask[1]) }),
      ...(day?.last && { last: number(day.last[0]), high: number(day.high!), low: number(day.low!) }),
      ...(day && { volume: number(day.volume) }),
    };
  }
  #instruments(): object {
    const pairs = [...this.market.symbols].map(([symbol, grid]) => ({
      symbol,
      base: symbol.split("/")[0],
      quote: symbol.split("/")[1],
      status: "online",
      price_precision: grid.price_decimals,
      qty_precision: grid.quantity_decimals,
    }));
    return { channel: "instrument", type: "snapshot", data: { assets: [], pairs } };
  }
  #say(message: object): void {
    this.line.answer(JSON.stringify(message));
  }
}

/** Marks a text that is to stand as a bare number; JSON.stringify alone would put it in quotes. */
const number = (text: string) => `#${plainNumber(text)}#`;
const bareNumbers = (message: object) => JSON.stringify(message).replace(/"#([^"#]*)#"/g, "$1");

function bookStream(book: StageBook, symbol: string, depth: number): Subscription<Happening> {
  const view = new DepthView(book, depth, "untold");
  const rows = (levels: readonly Level[]) =>
    levels.map(([price, quantity]) => `{"price":${plainNumber(price)},"qty":${plainNumber(quantity)}}`);
  const push = (type: string, bids: readonly Level[], asks: readonly Level[], at_us: number) => {
    const best = book.top(PROVEN_LEVELS);
    // What stands deeper the checksum does not see.
    const seen = new Set([...best.bids, ...best.asks].map(([price]) => price));
    const proven = (levels: readonly Level[]) =>
      levels.filter(([price]) => depth === PROVEN_LEVELS || seen.has(price));
    const time = isoMicroseconds(at_us);
    const text = `{"channel":"book","type":"${type}","data":[{"symbol":"${symbol}","bids":[${rows(bids)}],` +
      `"asks":[${rows(asks)}],"checksum":${checksum(best)},"timestamp":"${time}"}]}`;
    return new WireFrame(text, { checked: rows([...proven(bids), ...proven(asks)]) });
  };
  return {
    name: `book.${depth}:${symbol}`,
    symbol,
    kinds: ["book"],
    opening() {
      const { bids, asks } = view.snapshot();
      return push("snapshot", bids, asks, book.at_ms * 1000);
    },
    render(item) {
      const { bids, asks } = view.changes();
      return bids.length + asks.length > 0 ? push("update", bids, asks, item.at_us) : undefined;
    },
  };
}

function checksum({ bids, asks }: { bids: readonly Level[]; asks: readonly Level[] }): number {
  const digits = [...asks, ...bids].flat().map((text) => text.replace(".", "").replace(/^0+/, "")).join("");
  return zlib.crc32(digits);
}

function tradeRow(item: Happening): object {
  if (item.kind !== "trade") return {};
  const { aggressor: side, price, quantity, id: trade_id, at_us } = item;
  const timestamp = isoMicroseconds(at_us);
  return { side, price: number(price), qty: number(quantity), ord_type: "limit", trade_id, timestamp };
}

function candleRow(item: Happening): object {
  if (item.kind !== "candle") return {};
  const [open, high, low, close] = [item.open, item.high, item.low, item.close].map(number);
  return {
    ...{ open, high, low, close, volume: number(item.volume), trades: item.trade_count, interval: 1 },
    interval_begin: isoMicroseconds(item.open_ms * 1000),
    timestamp: isoMicroseconds(item.end_ms * 1000),
  };
}

function rest(market: StagedMarket): RestRules {
  const pairs = () =>
    Object.fromEntries([...market.symbols].map(([symbol, grid]) => [symbol.replace("/", ""), {
      wsname: symbol.replace("BTC/", "XBT/"),
      tick_size: gridStep(grid.price_decimals),
      lot_decimals: grid.quantity_decimals,
      ordermin: gridStep(grid.quantity_decimals),
      status: "online",
    }]));
  return {
    request: ({ pathname }) =>
      pathname === "/0/public/AssetPairs"
        ? { answer: () => JSON.stringify({ error: [], result: pairs() }) }
        : { status: 404, body: '{"error":["EGeneral:Unknown method"]}' },
    refusal: (status) => JSON.stringify({ error: [`EService:Refused ${status}`] }),
  };
}

export const kraken = defineMock({
  name: "kraken",
  summary: "Kraken spot, WebSocket v2",
  faults: STREAM_FAULTS,
  channels: ["book", "trades", "quote", "ticker", "candles"],
  trades_have_ids: true,
  default_symbols: ["BTC/USD", "ETH/USD"],
  rules: { max_client_messages_per_s: 20, max_client_silence_ms: 60_000 },
  words: {
    format: "json",
    essential: ["symbol", "bids", "asks", "checksum", "price", "qty", "side", "trade_id"],
    bare_numbers: true,
    strange: [
      '{"channel":"novelty","type":"update","data":[{"symbol":"BTC/USD"}]}',
      '{"channel":"book","type":"update","data":[]}',
      '{"channel":"trade","type":"update","data":[{"symbol":"NO/SUCH","side":"buy","price":1,"qty":1,"trade_id":1}]}',
    ],
  },
  open: (market) => ({
    enter: (path) =>
      path === "/v2" ? { route: "", converse: (line) => new KrakenConversation(line, market) } : undefined,
    rest: rest(market),
  }),
});
