/**
 * A mock of OKX's WebSocket v5: the public route with books of 400 levels chained by seqId per subscription, best prices,
 * trades and tickers; the business route with candles. Pings are plain texts, acknowledgements go by stream.
 */
import type { Level } from "./mock.ts";
import { STREAM_FAULTS } from "./mock.ts";
import { asObject, clientObject } from "./stage/client_object.ts";
import { defineMock, type StagedMarket } from "./stage/define_mock.ts";
import { DepthView } from "./stage/depth_view.ts";
import type { Conversation, Line, RestRules, Subscription } from "./stage/dialect.ts";
import { gridStep } from "./stage/grid_step.ts";
import type { Happening } from "./stage/happening.ts";
import type { StageBook } from "./stage/stage_book.ts";

const DEPTH = 400;
const PATHS: Readonly<Record<string, string>> = { "/ws/v5/public": "public", "/ws/v5/business": "business" };
const KINDS: Readonly<Record<string, Happening["kind"]>> = {
  "bbo-tbt": "quote",
  trades: "trade",
  tickers: "ticker",
  candle1m: "candle",
};

class OkxConversation implements Conversation {
  constructor(readonly line: Line<Happening>, readonly market: StagedMarket, readonly route: string) {}

  receive(text: string): void {
    if (text === "ping") return this.line.answer("pong");
    const message = clientObject(text);
    const { op, args } = message ?? {};
    if ((op !== "subscribe" && op !== "unsubscribe") || !Array.isArray(args)) {
      return this.#error("60012", `Invalid request: ${text.slice(0, 200)}`);
    }
    for (const arg of args) this.#one(op, String(asObject(arg)?.channel), String(asObject(arg)?.instId));
  }
  /** Sixty seconds before a service upgrade. */
  farewell(): string {
    const msg = "The connection will soon be closed for a service upgrade. Please reconnect.";
    return JSON.stringify({ event: "notice", code: "64008", msg });
  }

  #one(op: string, channel: string, symbol: string): void {
    const subscription = this.#subscription(channel, symbol);
    if (subscription === undefined) {
      return this.#error("60018", `Wrong URL or channel:${channel},instId:${symbol} doesn't exist.`);
    }
    if (op === "unsubscribe") this.line.unsubscribe(subscription.name);
    this.line.answer(JSON.stringify({ event: op, arg: { channel, instId: symbol }, connId: "a4d3ae55" }));
    if (op === "subscribe") this.line.subscribe(subscription);
  }
  #subscription(channel: string, symbol: string): Subscription<Happening> | undefined {
    const book = this.market.book(symbol);
    const is_candle = channel.startsWith("candle");
    if (book === undefined || is_candle !== (this.route === "business")) return undefined;
    if (channel === "books") return bookStream(book, symbol);
    const kind = Object.hasOwn(KINDS, channel) ? KINDS[channel] : undefined;
    if (kind === undefined) return undefined;
    const arg = { channel, instId: symbol };
    return {
      name: `${channel}:${symbol}`,
      symbol,
      kinds: [kind],
      render: (item) => JSON.stringify({ arg, data: [rowOf(item, symbol)] }),
    };
  }
  #error(code: string, msg: string): void {
    this.line.answer(JSON.stringify({ event: "error", code, msg, connId: "a4d3ae55" }));
  }
}

const rows = (levels: readonly Level[]) => levels.map(([price, quantity]) => [price, quantity, "0", "1"]);

function bookStream(book: StageBook, symbol: string): Subscription<Happening> {
  const view = new DepthView(book, DEPTH, "deleted");
  const arg = { channel: "books", instId: symbol };
  let last_id = 0;
  const push = (action: string, bids: readonly Level[], asks: readonly Level[], prevSeqId: number) => {
    last_id = book.last_id;
    const row = {
      asks: rows(asks),
      bids: rows(bids),
      ts: String(book.at_ms),
      checksum: 0,
      prevSeqId,
      seqId: last_id,
    };
    return JSON.stringify({ arg, action, data: [row] });
  };
  return {
    name: `books:${symbol}`,
    symbol,
    kinds: ["book"],
    opening() {
      const { bids, asks } = view.snapshot();
      return push("snapshot", bids, asks, -1);
    },
    render() {
      const { bids, asks } = view.changes();
      return bids.length + asks.length > 0 ? push("update", bids, asks, last_id) : undefined;
    },
  };
}

function rowOf(item: Happening, instId: string): unknown {
  const ts = String(item.at_ms);
  switch (item.kind) {
    case "quote":
      return { asks: rows([item.ask]), bids: rows([item.bid]), ts, seqId: item.id };
    case "trade":
      return {
        instId,
        tradeId: String(item.id),
        px: item.price,
        sz: item.quantity,
        side: item.aggressor,
        ts,
        count: "1",
      };
    case "ticker": {
      const [last = "0", lastSz = "0"] = item.last ?? [];
      const [askPx = "", askSz = ""] = item.ask ?? [];
      const [bidPx = "", bidSz = ""] = item.bid ?? [];
      const day = { open24h: item.open ?? last, high24h: item.high ?? last, low24h: item.low ?? last };
      const volumes = { vol24h: item.volume, volCcy24h: item.quote_volume };
      return { instType: "SPOT", instId, last, lastSz, askPx, askSz, bidPx, bidSz, ...day, ...volumes, ts };
    }
    case "candle": {
      const { open, high, low, close, volume, quote_volume, closed } = item;
      return [
        String(item.open_ms),
        open,
        high,
        low,
        close,
        volume,
        quote_volume,
        quote_volume,
        closed ? "1" : "0",
      ];
    }
    case "book":
      return undefined;
  }
}

function rest(market: StagedMarket): RestRules {
  const instruments = () =>
    [...market.symbols].map(([instId, grid]) => ({
      instType: "SPOT",
      instId,
      baseCcy: instId.split("-")[0],
      quoteCcy: instId.split("-")[1],
      tickSz: gridStep(grid.price_decimals),
      lotSz: gridStep(grid.quantity_decimals),
      minSz: gridStep(grid.quantity_decimals),
      state: "live",
    }));
  return {
    request: ({ pathname, searchParams }) =>
      pathname === "/api/v5/public/instruments" && searchParams.get("instType") === "SPOT"
        ? { answer: () => JSON.stringify({ code: "0", msg: "", data: instruments() }) }
        : { status: 400, body: '{"code":"51000","msg":"Parameter error","data":[]}' },
    refusal: (status) => JSON.stringify({ code: "50011", msg: `refused: ${status}`, data: [] }),
  };
}

export const okx = defineMock({
  name: "okx",
  summary: "OKX, WebSocket v5, public and business",
  faults: STREAM_FAULTS,
  channels: ["book", "trades", "quote", "ticker", "candles"],
  trades_have_ids: true,
  default_symbols: ["BTC-USDT", "ETH-USDT"],
  rules: { max_client_messages_per_s: 20, max_client_silence_ms: 30_000 },
  words: {
    format: "json",
    essential: ["bids", "asks", "seqId", "px", "sz", "tradeId"],
    strange: [
      '{"arg":{"channel":"novelty","instId":"BTC-USDT"},"data":[{}]}',
      '{"arg":{"channel":"books","instId":"NO-SUCH"},"action":"update","data":[{"asks":[],"bids":[],"prevSeqId":1,"seqId":2}]}',
      '{"event":"channel-conn-count","channel":"orders","connCount":"2"}',
      "pong",
    ],
  },
  open: (market) => ({
    enter(path) {
      const route = Object.hasOwn(PATHS, path) ? PATHS[path] : undefined;
      return route === undefined
        ? undefined
        : { route, converse: (line) => new OkxConversation(line, market, route) };
    },
    rest: rest(market),
  }),
});
