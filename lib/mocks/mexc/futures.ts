/**
 * A mock of MEXC's futures socket: one stream a request, answers that name no symbol, numbers as JSON numbers, merged
 * books with begin and end, and book snapshots by REST.
 */
import { FAULTS, type Level } from "../mock.ts";
import { asObject, clientObject, plainNumber } from "../stage/client_object.ts";
import { defineMock, type StagedMarket } from "../stage/define_mock.ts";
import type { Conversation, Line, RestRules } from "../stage/dialect.ts";
import { gridStep } from "../stage/grid_step.ts";
import type { Happening, HappeningKind } from "../stage/happening.ts";
import type { StageBook } from "../stage/stage_book.ts";

const KINDS: Readonly<Record<string, HappeningKind>> = {
  depth: "book",
  deal: "trade",
  ticker: "ticker",
  kline: "candle",
};
const MAX_DEPTH = 2_000;
const WEIGHT_PER_MINUTE = 600;

class FuturesConversation implements Conversation {
  constructor(readonly line: Line<Happening>, readonly market: StagedMarket) {}

  receive(text: string): void {
    const message = clientObject(text);
    if (message?.method === "ping") return this.#answer("pong", this.line.now_ms());
    const [action, word = ""] = String(message?.method).split(".");
    const param = asObject(message?.param);
    const symbol = String(param?.symbol);
    const kind = Object.hasOwn(KINDS, word) ? KINDS[word] : undefined;
    if (kind === undefined || (action !== "sub" && action !== "unsub")) {
      return this.#answer("rs.error", `Unknown method [${String(message?.method).slice(0, 100)}]`);
    }
    if (!this.market.symbols.has(symbol)) return this.#answer("rs.error", `Contract [${symbol}] not exists`);
    if (word === "kline" && param?.interval !== "Min1") {
      return this.#answer("rs.error", `Interval [${String(param?.interval)}] not exists`);
    }
    const name = `${word}@${symbol}`;
    if (action === "unsub") this.line.unsubscribe(name);
    this.#answer(`rs.${action}.${word}`, "success");
    if (action === "sub") {
      this.line.subscribe({
        name,
        symbol,
        kinds: [kind],
        render: (item) => push(word, item),
      });
    }
  }
  #answer(channel: string, data: unknown): void {
    this.line.answer(JSON.stringify({ channel, data, ts: this.line.now_ms() }));
  }
}

function push(word: string, item: Happening): string | undefined {
  const data = dataOf(item);
  return data && `{"channel":"push.${word}","data":${data},"symbol":"${item.symbol}","ts":${item.at_ms}}`;
}

const rows = (levels: readonly Level[]) =>
  `[${levels.map(([price, quantity]) => `[${plainNumber(price)},${plainNumber(quantity)},1]`).join()}]`;
const sides = ({ bids, asks }: { bids: readonly Level[]; asks: readonly Level[] }) =>
  `"asks":${rows(asks)},"bids":${rows(bids)}`;
/** An object of bare numbers; what is absent is left out. */
const numbers = (texts: Readonly<Record<string, string | number | undefined>>) =>
  Object.entries(texts).filter(([, text]) => text !== undefined)
    .map(([name, text]) => `"${name}":${plainNumber(String(text))}`).join();

function dataOf(item: Happening): string | undefined {
  const { symbol } = item;
  switch (item.kind) {
    case "book": {
      const { first_id, last_id } = item;
      const is_merged = first_id < last_id;
      const ids = {
        version: last_id,
        begin: is_merged ? first_id : undefined,
        end: is_merged ? last_id : undefined,
      };
      return `{${sides(item)},${numbers(ids)}}`;
    }
    case "trade": {
      const { price, quantity, aggressor, at_ms, id } = item;
      const row = numbers({ p: price, v: quantity, T: aggressor === "buy" ? 1 : 2, O: 3, M: 1, t: at_ms });
      return `[{${row},"i":"${id}"}]`;
    }
    case "ticker": {
      const { last, open, bid, ask, high, low, volume, quote_volume, at_ms } = item;
      if (last === undefined || open === undefined) return undefined;
      const change = Number(last[0]) - Number(open);
      const statistics = numbers({
        lastPrice: last[0],
        bid1: bid?.[0],
        ask1: ask?.[0],
        volume24: volume,
        amount24: quote_volume,
        high24Price: high,
        lower24Price: low,
        riseFallValue: change.toFixed(8),
        riseFallRate: (change / Number(open)).toFixed(4),
        timestamp: at_ms,
      });
      return `{"symbol":"${symbol}",${statistics}}`;
    }
    case "candle": {
      const { open, high, low, close, volume, quote_volume, open_ms } = item;
      const bar = {
        o: open,
        h: high,
        l: low,
        c: close,
        q: volume,
        a: quote_volume,
        t: Math.floor(open_ms / 1000),
      };
      return `{"symbol":"${symbol}","interval":"Min1",${numbers(bar)}}`;
    }
    case "quote":
      return undefined;
  }
}

function rest(market: StagedMarket): RestRules {
  const failure = (code: number, message: string) => JSON.stringify({ success: false, code, message });
  const snapshot = (book: StageBook, limit: number) =>
    `{"success":true,"code":0,"data":{${
      sides(book.top(limit))
    },"version":${book.last_id},"timestamp":${market.clock.now_ms()}}}`;
  const contracts = () =>
    [...market.symbols].map(([symbol, { price_decimals, quantity_decimals }]) => ({
      symbol,
      baseCoin: symbol.split("_")[0],
      quoteCoin: symbol.split("_")[1],
      priceUnit: Number(gridStep(price_decimals)),
      volUnit: Number(gridStep(quantity_decimals)),
      minVol: Number(gridStep(quantity_decimals)),
      state: 0,
    }));
  return {
    weight_per_minute: WEIGHT_PER_MINUTE,
    request({ pathname, searchParams }) {
      if (pathname === "/api/v1/contract/detail") {
        const only = searchParams.get("symbol");
        const data = contracts().filter((one) => only === null || one.symbol === only);
        return { answer: () => JSON.stringify({ success: true, code: 0, data }) };
      }
      const [, symbol] = /^\/api\/v1\/contract\/depth\/([^/]+)$/.exec(pathname) ?? [];
      if (symbol === undefined) return { status: 404, body: failure(404, "no such path") };
      const book = market.book(symbol);
      // A refusal is a good answer to HTTP.
      if (book === undefined) return { status: 200, body: failure(1001, "contract does not exist") };
      const limit = Math.min(Number(searchParams.get("limit") ?? MAX_DEPTH), MAX_DEPTH);
      return { snapshot_of: symbol, answer: () => snapshot(book, limit) };
    },
    refusal: (status) => failure(510, `refused: ${status}`),
  };
}

export const mexcFutures = defineMock({
  name: "mexc-futures",
  summary: "MEXC futures: answers without symbols, merged books, REST snapshots",
  faults: FAULTS,
  channels: ["book", "trades", "ticker", "candles"],
  trades_have_ids: true,
  default_symbols: ["BTC_USDT", "ETH_USDT"],
  simulatedAs: (symbol) => symbol.replace("_", ""),
  rules: { max_client_messages_per_s: 50, max_client_silence_ms: 60_000 },
  words: {
    format: "json",
    essential: ["asks", "bids", "p", "v"],
    bare_numbers: true,
    strange: [
      '{"channel":"push.novelty","data":{},"symbol":"BTC_USDT","ts":1}',
      '{"channel":"push.depth","data":{"asks":[],"bids":[],"version":1},"symbol":"NO_SUCH","ts":1}',
      '{"channel":"clientId","data":"x"}',
    ],
  },
  open: (market) => ({
    enter: (path) =>
      path === "/edge" ? { route: "", converse: (line) => new FuturesConversation(line, market) } : undefined,
    rest: rest(market),
  }),
});
