/**
 * A mock of MEXC's spot socket: data in protobuf, answers in JSON with code 0 whatever happened, thirty subscriptions a
 * connection, and the spot v3 REST interface. Each change of a market is one message, whatever speed was asked for.
 */
import { ProtobufWriter } from "../../wire/protobuf_writer.ts";
import { FAULTS, type Level } from "../mock.ts";
import { clientObject, textList } from "../stage/client_object.ts";
import { defineMock, type StagedMarket } from "../stage/define_mock.ts";
import type { Conversation, Line, RestRules, Subscription } from "../stage/dialect.ts";
import type { Happening, HappeningKind } from "../stage/happening.ts";

const MAX_SUBSCRIPTIONS = 30;
const MAX_DEPTH = 5000;
const DEFAULT_DEPTH = 100;
const WEIGHT_PER_MINUTE = 3000;

/** Channel patterns, the kind that each carries and the wrapper's field of its body. */
const CHANNELS: readonly [pattern: RegExp, kind: HappeningKind, field: number][] = [
  [/^spot@public\.aggre\.depth\.v3\.api\.pb@(?:10|100)ms@(\w+)$/, "book", 313],
  [/^spot@public\.aggre\.deals\.v3\.api\.pb@(?:10|100)ms@(\w+)$/, "trade", 314],
  [/^spot@public\.aggre\.bookTicker\.v3\.api\.pb@(?:10|100)ms@(\w+)$/, "quote", 315],
  [/^spot@public\.miniTicker\.v3\.api\.pb@(\w+)@(?:24H|UTC[+-]\d{1,2})$/, "ticker", 309],
  [/^spot@public\.kline\.v3\.api\.pb@(\w+)@Min1$/, "candle", 308],
];

class MexcConversation implements Conversation {
  constructor(readonly line: Line<Happening>, readonly market: StagedMarket) {}

  receive(text: string): void {
    const message = clientObject(text);
    if (message?.method === "PING") return this.#answer("PONG");
    const names = textList(message?.params);
    if (names === undefined) return this.#answer("params is error");
    if (message?.method === "SUBSCRIPTION") this.#subscribe(names);
    else if (message?.method === "UNSUBSCRIPTION") {
      for (const name of names) this.line.unsubscribe(name);
      this.#answer(names.join(","));
    } else this.#answer("method is error");
  }

  #subscribe(names: readonly string[]): void {
    const good: Subscription<Happening>[] = [];
    for (const name of names) {
      const subscription = this.#subscription(name);
      const is_full = this.line.subscriptions.size + good.length >= MAX_SUBSCRIPTIONS &&
        !this.line.subscriptions.has(name);
      if (subscription !== undefined && !is_full) good.push(subscription);
      else this.#refuse(name, is_full ? "Subscription limit reached" : "Blocked");
    }
    if (good.length > 0) this.#answer(good.map((one) => one.name).join(","));
    for (const one of good) this.line.subscribe(one);
  }
  #subscription(name: string): Subscription<Happening> | undefined {
    for (const [pattern, kind, field] of CHANNELS) {
      const symbol = pattern.exec(name)?.[1];
      if (symbol === undefined || !this.market.symbols.has(symbol)) continue;
      return { name, symbol, kinds: [kind], render: (item) => wrapped(name, field, item) };
    }
    return undefined;
  }
  #refuse(name: string, why: string): void {
    this.#answer(`Not Subscribed successfully! [${name}].  Reason： ${why}! `);
  }
  #answer(msg: string): void {
    this.line.answer(JSON.stringify({ id: 0, code: 0, msg }));
  }
}

/** The body comes first and the symbol after it, as in what was recorded. */
function wrapped(name: string, field: number, item: Happening): Uint8Array | undefined {
  const body = bodyOf(item);
  if (body === undefined) return undefined;
  const sent = item.at_ms;
  return new ProtobufWriter().text(1, name).integer(6, sent).text(3, item.symbol).message(field, body)
    .finish();
}

function bodyOf(item: Happening): ProtobufWriter | undefined {
  const body = new ProtobufWriter();
  switch (item.kind) {
    case "book":
      for (const one of item.asks) body.message(1, level(one));
      for (const one of item.bids) body.message(2, level(one));
      return body.text(3, "spot@public.aggre.depth.v3.api.pb@100ms").text(4, String(item.first_id))
        .text(5, String(item.last_id));
    case "trade": {
      const deal = new ProtobufWriter().text(1, item.price).text(2, item.quantity)
        .integer(3, item.aggressor === "buy" ? 1 : 2).integer(4, item.at_ms).text(5, String(item.id));
      return body.message(1, deal).text(2, "spot@public.aggre.deals.v3.api.pb@100ms");
    }
    case "quote":
      return body.text(1, item.bid[0]).text(2, item.bid[1]).text(3, item.ask[0]).text(4, item.ask[1])
        .text(5, String(item.id));
    case "ticker": {
      const { last, open, high, low, volume, quote_volume } = item;
      if (last === undefined || open === undefined) return undefined;
      const rate = ((Number(last[0]) - Number(open)) / Number(open)).toFixed(4);
      return body.text(1, item.symbol).text(2, last[0]).text(3, rate).text(4, rate).text(5, high ?? last[0])
        .text(6, low ?? last[0]).text(7, quote_volume).text(8, volume);
    }
    case "candle":
      return body.text(1, "Min1").integer(2, seconds(item.open_ms)).text(3, item.open).text(4, item.close)
        .text(5, item.high).text(6, item.low).text(7, item.volume).text(8, item.quote_volume)
        .integer(9, seconds(item.end_ms));
  }
}

const level = ([price, quantity]: Level) => new ProtobufWriter().text(1, price).text(2, quantity);
const seconds = (time_ms: number) => Math.floor(time_ms / 1000);

const BAD_SYMBOL = { status: 400, body: '{"code":-1121,"msg":"Invalid symbol."}' };

function rest(market: StagedMarket): RestRules {
  const exchangeInfo = () => ({
    timezone: "CST",
    serverTime: market.clock.now_ms(),
    symbols: [...market.symbols].map(([symbol, grid]) => ({
      symbol,
      status: "1",
      baseAsset: symbol.replace(/USDT$/, ""),
      baseAssetPrecision: grid.quantity_decimals,
      quoteAsset: "USDT",
      quotePrecision: grid.price_decimals,
      baseSizePrecision: "0",
      quoteAmountPrecision: "1",
      filters: [],
    })),
  });
  return {
    weight_per_minute: WEIGHT_PER_MINUTE,
    request({ pathname, searchParams }) {
      if (pathname === "/api/v3/exchangeInfo") {
        return { weight: 10, answer: () => JSON.stringify(exchangeInfo()) };
      }
      if (pathname !== "/api/v3/depth") return { status: 404, body: '{"code":404,"msg":"no such path"}' };
      const symbol = searchParams.get("symbol") ?? "";
      const book = market.book(symbol);
      if (book === undefined) return BAD_SYMBOL;
      const limit = Math.min(Number(searchParams.get("limit") ?? DEFAULT_DEPTH), MAX_DEPTH);
      return {
        snapshot_of: symbol,
        answer: () =>
          JSON.stringify({
            lastUpdateId: book.last_id,
            ...book.top(limit),
            timestamp: market.clock.now_ms(),
          }),
      };
    },
    refusal: (status) => JSON.stringify({ code: status, msg: "Too many requests" }),
  };
}

export const mexcSpot = defineMock({
  name: "mexc-spot",
  summary: "MEXC spot: protobuf streams, code 0 on failure, REST snapshots",
  faults: FAULTS,
  channels: ["book", "trades", "quote", "ticker", "candles"],
  trades_have_ids: true,
  default_symbols: ["BTCUSDT", "ETHUSDT"],
  rules: {
    max_client_messages_per_s: 100,
    subscribe_within_ms: 30_000,
    max_client_silence_ms: 60_000,
  },
  words: {
    format: "protobuf",
    essential: [],
    strange: [
      new ProtobufWriter().text(1, "spot@public.novelty").text(3, "BTCUSDT").message(320, level(["1", "1"]))
        .finish(),
      new ProtobufWriter().text(1, "spot@public.novelty").finish(),
      new ProtobufWriter().text(3, "NOSUCH").bytes(314, new Uint8Array()).finish(),
      '{"id":0,"code":0,"msg":"novelty"}',
      "",
    ],
  },
  open: (market) => ({
    enter: (path) =>
      path === "/ws" ? { route: "", converse: (line) => new MexcConversation(line, market) } : undefined,
    rest: rest(market),
  }),
});
