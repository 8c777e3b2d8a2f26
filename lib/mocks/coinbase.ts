/**
 * A mock of Coinbase's Advanced Trade WebSocket: whole books in-band, one count over all messages of a connection, one
 * channel a request, answers that list all subscriptions, heartbeats every second once asked for.
 */
import { isoMicroseconds } from "../wire/iso_time.ts";
import type { Level } from "./mock.ts";
import { STREAM_FAULTS } from "./mock.ts";
import { clientObject, textList } from "./stage/client_object.ts";
import { defineMock, type StagedMarket } from "./stage/define_mock.ts";
import { DepthView } from "./stage/depth_view.ts";
import type { Conversation, Line, RestRules, Subscription } from "./stage/dialect.ts";
import { gridStep } from "./stage/grid_step.ts";
import type { Happening, TradeHappening } from "./stage/happening.ts";

const DEPTH = 10_000;
const HEARTBEAT_MS = 1_000;
const KINDS: Readonly<Record<string, Happening["kind"]>> = {
  level2: "book",
  market_trades: "trade",
  ticker: "quote",
  ticker_batch: "ticker",
  candles: "candle",
};
/** The channel's name on what it carries, where it is another. */
const CHANNEL_OF_DATA: Readonly<Record<string, string>> = { level2: "l2_data" };
/** Levels of a snapshot have no time of their own. */
const NO_TIME = "1970-01-01T00:00:00Z";

class CoinbaseConversation implements Conversation {
  #number = 0;
  #beats = 0;
  /** Of the newest happening told: answers and heartbeats carry it too, so that equal markets give equal frames. */
  #at_us = 0;

  constructor(readonly line: Line<Happening>, readonly market: StagedMarket) {}

  receive(text: string): void {
    const { type, channel, product_ids } = clientObject(text) ?? {};
    const subscribes = type === "subscribe";
    if (!subscribes && type !== "unsubscribe") return this.#error("unknown type");
    if (channel === "heartbeats") return this.#heartbeats(subscribes);
    const kind = Object.hasOwn(KINDS, String(channel)) ? KINDS[String(channel)] : undefined;
    const symbols = textList(product_ids);
    if (kind === undefined || symbols === undefined) return this.#error("channel or product_ids are invalid");
    const wrong = symbols.find((one) => !this.market.symbols.has(one));
    if (wrong !== undefined) return this.#error(`${wrong} is not a valid product`);
    const wanted = symbols.map((symbol) => this.#subscription(String(channel), kind, symbol));
    if (!subscribes) { for (const { name } of wanted) this.line.unsubscribe(name); }
    this.#acknowledge(subscribes ? wanted.map((one) => one.name) : []);
    if (subscribes) { for (const one of wanted) this.line.subscribe(one); }
  }
  #heartbeats(subscribes: boolean): void {
    this.#acknowledge([]);
    if (!subscribes || this.#beats > 0) return;
    this.#beats = 1;
    this.line.every(HEARTBEAT_MS, () => {
      const time = {
        current_time: new Date(this.line.now_ms()).toISOString(),
        heartbeat_counter: this.#beats++,
      };
      this.line.answer(this.#message("heartbeats", [time], this.line.now_ms() * 1000));
    });
  }
  /** All that the connection has now, by channel. */
  #acknowledge(coming: readonly string[]): void {
    const names = [...new Set([...this.line.subscriptions.keys(), ...coming])];
    const by_channel = Map.groupBy(names, (name) => name.slice(0, name.indexOf(":")));
    const subscriptions = Object.fromEntries(
      [...by_channel].map(([channel, list]) => [channel, list.map((name) => name.slice(channel.length + 1))]),
    );
    this.line.answer(this.#message("subscriptions", [{ subscriptions }], this.#at_us));
  }
  #subscription(channel: string, kind: Happening["kind"], symbol: string): Subscription<Happening> {
    const name = `${channel}:${symbol}`;
    const data_channel = CHANNEL_OF_DATA[channel] ?? channel;
    if (kind === "book") return this.#book(name, symbol, data_channel);
    return {
      name,
      symbol,
      kinds: [kind],
      opening: kind === "trade" ? () => this.#history(data_channel, symbol) : undefined,
      render: (item) => this.#message(data_channel, [{ type: "update", ...rowsOf(item) }], item.at_us),
    };
  }
  /** The latest trades, newest first: they fill the hole of a new subscription. */
  #history(channel: string, symbol: string): string | undefined {
    const trades = this.market.trades(symbol).map(tradeRow).reverse();
    return trades.length > 0
      ? this.#message(channel, [{ type: "snapshot", trades }], this.#at_us)
      : undefined;
  }
  #book(name: string, symbol: string, channel: string): Subscription<Happening> {
    const book = this.market.book(symbol)!;
    const view = new DepthView(book, DEPTH, "deleted");
    const push = (type: string, bids: readonly Level[], asks: readonly Level[], event_time: string) => {
      const row = (side: string) => ([price_level, new_quantity]: Level) => ({
        ...{ side, event_time, price_level, new_quantity },
      });
      const updates = [...bids.map(row("bid")), ...asks.map(row("offer"))];
      return this.#message(channel, [{ type, product_id: symbol, updates }], book.at_ms * 1000);
    };
    return {
      name,
      symbol,
      kinds: ["book"],
      opening() {
        const { bids, asks } = view.snapshot();
        return push("snapshot", bids, asks, NO_TIME);
      },
      render(item) {
        const { bids, asks } = view.changes();
        return bids.length + asks.length > 0
          ? push("update", bids, asks, isoMicroseconds(item.at_us))
          : undefined;
      },
    };
  }
  #message(channel: string, events: object[], at_us: number): string {
    this.#at_us = at_us;
    const timestamp = isoMicroseconds(at_us);
    return JSON.stringify({ channel, client_id: "", timestamp, sequence_num: this.#number++, events });
  }
  #error(message: string): void {
    this.line.answer(JSON.stringify({ type: "error", message }));
  }
}

function tradeRow({ id, symbol, price, quantity: size, aggressor, at_us }: TradeHappening): object {
  const side = aggressor === "buy" ? "BUY" : "SELL";
  return { trade_id: String(id), product_id: symbol, price, size, side, time: isoMicroseconds(at_us) };
}

function rowsOf(item: Happening): object {
  const { symbol: product_id } = item;
  switch (item.kind) {
    case "trade":
      return { trades: [tradeRow(item)] };
    case "quote": {
      const [[best_bid, best_bid_quantity], [best_ask, best_ask_quantity]] = [item.bid, item.ask];
      return { tickers: [{ product_id, best_bid, best_bid_quantity, best_ask, best_ask_quantity }] };
    }
    case "ticker": {
      const [price = "0"] = item.last ?? [];
      const day = { volume_24_h: item.volume, low_24_h: item.low ?? price, high_24_h: item.high ?? price };
      return { tickers: [{ type: "ticker", product_id, price, ...day, price_percent_chg_24_h: "1.28" }] };
    }
    case "candle": {
      const { open, high, low, close, volume } = item;
      return {
        candles: [{ start: String(item.open_ms / 1000), high, low, open, close, volume, product_id }],
      };
    }
    case "book":
      return {};
  }
}

function rest(market: StagedMarket): RestRules {
  const products = () =>
    [...market.symbols].map(([product_id, grid]) => ({
      product_id,
      base_currency_id: product_id.split("-")[0],
      quote_currency_id: product_id.split("-")[1],
      price_increment: gridStep(grid.price_decimals),
      base_increment: gridStep(grid.quantity_decimals),
      base_min_size: gridStep(grid.quantity_decimals),
      status: "online",
    }));
  return {
    request: ({ pathname }) =>
      pathname === "/api/v3/brokerage/market/products"
        ? { answer: () => JSON.stringify({ products: products() }) }
        : { status: 404, body: '{"error":"NOT_FOUND"}' },
    refusal: (status) => JSON.stringify({ error: `refused: ${status}` }),
  };
}

export const coinbase = defineMock({
  name: "coinbase",
  summary: "Coinbase Advanced Trade WebSocket",
  faults: STREAM_FAULTS,
  channels: ["book", "trades", "quote", "ticker", "candles"],
  trades_have_ids: true,
  default_symbols: ["BTC-USD", "ETH-USD"],
  rules: { max_client_messages_per_s: 10, subscribe_within_ms: 5_000 },
  words: {
    format: "json",
    essential: ["sequence_num", "events"],
    strange: [
      '{"channel":"novelty"}',
      '{"type":"noveltyOfTomorrow"}',
      '{"channel":"l2_data","events":[]}',
    ],
  },
  open: (market) => ({
    enter: (path) =>
      path === "/" ? { route: "", converse: (line) => new CoinbaseConversation(line, market) } : undefined,
    rest: rest(market),
  }),
});
