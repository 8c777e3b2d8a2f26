/**
 * A mock of Bybit's v5 public WebSocket, one category: books of a depth with `u` counting by one for all subscribers
 * alike, the book of depth 1 as whole snapshots, trades whose ids are names, tickers, klines. One wrong topic refuses
 * the request.
 */
import type { Level, MockKind } from "../mock.ts";
import { STREAM_FAULTS } from "../mock.ts";
import { clientObject, textList } from "../stage/client_object.ts";
import { defineMock, type StagedMarket } from "../stage/define_mock.ts";
import { DepthView } from "../stage/depth_view.ts";
import type { Conversation, Line, RestRules, Subscription } from "../stage/dialect.ts";
import { gridStep } from "../stage/grid_step.ts";
import type { Happening } from "../stage/happening.ts";

const DEPTHS = [50, 200, 1000];
const KINDS: Readonly<Record<string, Happening["kind"]>> = {
  "orderbook.1": "quote",
  publicTrade: "trade",
  tickers: "ticker",
  "kline.1": "candle",
};
const MAX_TOPICS = 10;

/** A symbol's `u`: one more with each change of the book, whoever listens. */
class UpdateNumbers {
  readonly #known = new Map<string, { last_id: number; u: number }>();

  of(symbol: string, last_id: number): number {
    const known = this.#known.get(symbol) ?? { last_id, u: 1_000 };
    if (last_id > known.last_id) known.u++;
    known.last_id = last_id;
    this.#known.set(symbol, known);
    return known.u;
  }
}

class BybitConversation implements Conversation {
  constructor(
    readonly line: Line<Happening>,
    readonly market: StagedMarket,
    readonly numbers: UpdateNumbers,
  ) {}

  receive(text: string): void {
    const { op, args, req_id } = clientObject(text) ?? {};
    if (op === "ping") return this.#answer(true, "pong", "ping", req_id);
    const topics = textList(args);
    if ((op !== "subscribe" && op !== "unsubscribe") || topics === undefined) {
      return this.#answer(false, "Params Error", String(op).slice(0, 20), req_id);
    }
    const wrong = topics.length > MAX_TOPICS
      ? "args size >10"
      : topics.find((one) => !this.#subscription(one));
    if (wrong !== undefined) return this.#answer(false, `Invalid symbol :[${wrong}]`, op, req_id);
    if (op === "unsubscribe") { for (const topic of topics) this.line.unsubscribe(topic); }
    this.#answer(true, "", op, req_id);
    if (op === "subscribe") { for (const topic of topics) this.line.subscribe(this.#subscription(topic)!); }
  }

  #answer(success: boolean, ret_msg: string, op: string, req_id: unknown): void {
    this.line.answer(JSON.stringify({ success, ret_msg, conn_id: "2324d924", req_id, op }));
  }
  #subscription(topic: string): Subscription<Happening> | undefined {
    const dot = topic.lastIndexOf(".");
    const [word, symbol] = [topic.slice(0, dot), topic.slice(dot + 1)];
    if (!this.market.symbols.has(symbol)) return undefined;
    const depth = DEPTHS.find((one) => word === `orderbook.${one}`);
    if (depth !== undefined) return this.#book(topic, symbol, depth);
    const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
    if (kind === undefined) return undefined;
    return {
      name: topic,
      symbol,
      kinds: [kind],
      render: (item) =>
        JSON.stringify({ topic, type: "snapshot", ts: item.at_ms + 2, data: dataOf(item), cts: item.at_ms }),
    };
  }
  #book(topic: string, symbol: string, depth: number): Subscription<Happening> {
    const book = this.market.book(symbol)!;
    const view = new DepthView(book, depth, "deleted");
    const push = (type: string, b: readonly Level[], a: readonly Level[]) => {
      const u = this.numbers.of(symbol, book.last_id);
      const data = { s: symbol, b, a, u, seq: book.last_id };
      return JSON.stringify({ topic, type, ts: book.at_ms + 2, data, cts: book.at_ms });
    };
    return {
      name: topic,
      symbol,
      kinds: ["book"],
      opening() {
        const { bids, asks } = view.snapshot();
        return push("snapshot", bids, asks);
      },
      // What this depth does not show still counts, so that all depths' subscribers agree on u.
      render() {
        const { bids, asks } = view.changes();
        return push("delta", bids, asks);
      },
    };
  }
}

function dataOf(item: Happening): unknown {
  const { symbol } = item;
  switch (item.kind) {
    case "quote":
      return { s: symbol, b: [item.bid], a: [item.ask], u: item.id, seq: item.id };
    case "trade": {
      const S = item.aggressor === "buy" ? "Buy" : "Sell";
      return [{ T: item.at_ms, s: symbol, S, v: item.quantity, p: item.price, i: `t-${item.id}`, BT: false }];
    }
    case "ticker": {
      const [lastPrice = "0"] = item.last ?? [];
      const day = { highPrice24h: item.high ?? lastPrice, lowPrice24h: item.low ?? lastPrice };
      const change = { prevPrice24h: item.open ?? lastPrice, price24hPcnt: "0.0129" };
      return { symbol, lastPrice, ...day, ...change, volume24h: item.volume, turnover24h: item.quote_volume };
    }
    case "candle": {
      const { open_ms, end_ms, open, high, low, close, volume, quote_volume, closed, at_ms } = item;
      const times = { start: open_ms, end: end_ms - 1, interval: "1", timestamp: at_ms };
      return [{ ...times, open, high, low, close, volume, turnover: quote_volume, confirm: closed }];
    }
    case "book":
      return undefined;
  }
}

function rest(market: StagedMarket, category: string): RestRules {
  const list = () =>
    [...market.symbols].map(([symbol, grid]) => {
      const lot = gridStep(grid.quantity_decimals);
      return {
        symbol,
        status: "Trading",
        lotSizeFilter: category === "spot"
          ? { basePrecision: lot, minOrderQty: lot }
          : { qtyStep: lot, minOrderQty: lot },
        priceFilter: { tickSize: gridStep(grid.price_decimals) },
      };
    });
  return {
    request: ({ pathname, searchParams }) =>
      pathname === "/v5/market/instruments-info" && searchParams.get("category") === category
        ? { answer: () => JSON.stringify({ retCode: 0, retMsg: "OK", result: { category, list: list() } }) }
        : { status: 400, body: '{"retCode":10001,"retMsg":"params error"}' },
    refusal: (status) => JSON.stringify({ retCode: 10006, retMsg: `refused: ${status}` }),
  };
}

export function bybitMock(name: string, summary: string, category: string): MockKind {
  return defineMock({
    name,
    summary,
    faults: STREAM_FAULTS,
    channels: ["book", "trades", "quote", "ticker", "candles"],
    // Names, which only tell repetitions across connections.
    trades_have_ids: false,
    default_symbols: ["BTCUSDT", "ETHUSDT"],
    rules: { max_client_messages_per_s: 20, max_client_silence_ms: 600_000 },
    words: {
      format: "json",
      essential: ["s", "b", "a", "u", "p", "v", "symbol"],
      strange: [
        '{"topic":"novelty.BTCUSDT","type":"snapshot","ts":1,"data":{}}',
        '{"topic":"orderbook.50.NOSUCH","type":"delta","ts":1,"data":{"s":"NOSUCH","b":[],"a":[],"u":2,"seq":1}}',
        '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[]}',
      ],
    },
    open(market) {
      const numbers = new UpdateNumbers();
      return {
        enter: (path) =>
          path === `/v5/public/${category}`
            ? { route: "", converse: (line) => new BybitConversation(line, market, numbers) }
            : undefined,
        rest: rest(market, category),
      };
    },
  });
}
