/**
 * Frames of MEXC's futures socket: `{"channel":"push.depth","data":{…},"symbol":"BTC_USDT","ts":…}`. Prices are numbers
 * and are read from their text. Acknowledgements ("rs.sub.depth") and refusals ("rs.error") name no symbol: they settle
 * the oldest request.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import { CandleBars } from "../candle_bars.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { readRows } from "../json/levels.ts";
import { JsonMapper, malformed, NO_NEWS, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY, OBJECT } from "../json/tape.ts";
import { type Head, pushDelta, pushKline, pushLimitedBook } from "./market_events.ts";
import { percentOf } from "./percent.ts";

export const VENUE = "mexc-futures";

/** What a ticker has no place for, under the venue's names. */
const EXTRA = ["fairPrice", "indexPrice", "fundingRate", "holdVol", "maxBidPrice", "minAskPrice"];

export class MexcFuturesMapper extends JsonMapper {
  readonly #bars = new CandleBars();

  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const channel = tape.field(0, "channel");
    if (!tape.startsWith(channel, "push.")) return this.#control(channel);
    const node = tape.field(0, "symbol");
    if (node < 0) return malformed("no symbol");
    const symbol = this.symbol(node);
    if (symbol === undefined) return UNKNOWN_SYMBOL;
    const data = tape.field(0, "data");
    if (tape.is(channel, "push.depth")) return this.#depth(symbol, data, received_us, batch);
    if (tape.is(channel, "push.depth.full")) return this.#fullDepth(symbol, data, received_us, batch);
    if (tape.is(channel, "push.deal")) return this.#deals(symbol, data, received_us, batch);
    if (tape.is(channel, "push.ticker")) return this.#ticker(symbol, data, received_us, batch);
    if (tape.is(channel, "push.kline")) return this.#kline(symbol, data, received_us, batch);
    return { kind: "unknown", what: `channel ${quoted(tape.text(channel))}` };
  }
  #control(node: number): FrameOutcome {
    const { tape } = this;
    const channel = tape.text(node);
    if (channel === "pong") return NO_NEWS;
    const data = tape.text(tape.field(0, "data"));
    if (channel === "rs.error") return { kind: "ack", error: quoted(data) };
    if (/^rs\.(sub|unsub)\./.test(channel)) {
      return data === "success" ? { kind: "ack" } : { kind: "ack", error: quoted(data) };
    }
    if (channel === "") return malformed("no channel");
    return { kind: "unknown", what: `channel ${quoted(channel)}` };
  }
  #sent(): number | undefined {
    return this.milliseconds(this.tape.field(0, "ts"));
  }
  #head(symbol: string, received_us: number): Head {
    return { venue: VENUE, symbol, received_us, exchange_ms: undefined, sent_ms: this.#sent() };
  }

  /** `{"asks":[[6859.5,3251,1]],"bids":[],"version":96801927}`: price, contracts, orders; merged ones say begin and end */
  #depth(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const version = tape.field(data, "version");
    const begin = tape.field(data, "begin");
    const end = tape.field(data, "end");
    const first_id = tape.integer(begin < 0 ? version : begin);
    const last_id = tape.integer(end < 0 ? version : end);
    const delta = batch.freeDelta();
    if (!this.#sides(data, delta.bids, delta.asks)) return malformed("depth: bad levels");
    return pushDelta(this.#head(symbol, received_us), delta, first_id, last_id, batch);
  }
  /** The best levels; never asked for, read where it comes. */
  #fullDepth(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const bids = new LevelList();
    const asks = new LevelList();
    if (!this.#sides(data, bids, asks)) return malformed("depth: bad levels");
    const last_id = tape.integer(tape.field(data, "version"));
    return pushLimitedBook(this.#head(symbol, received_us), bids, asks, last_id, batch);
  }
  #sides(data: number, bids: LevelList, asks: LevelList): boolean {
    const { tape } = this;
    return readRows(tape, tape.field(data, "bids"), bids) && readRows(tape, tape.field(data, "asks"), asks);
  }

  /** One deal or a list of them. */
  #deals(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    if (tape.kind(data) === OBJECT) return this.#deal(symbol, data, received_us, batch);
    if (tape.kind(data) !== ARRAY || tape.next(data) === data + 1) return malformed("no deals");
    for (let row = data + 1, end = tape.next(data); row < end; row = tape.next(row)) {
      const outcome = this.#deal(symbol, row, received_us, batch);
      if (outcome !== EVENTS) return outcome;
    }
    return EVENTS;
  }
  /** `{"p":6866.5,"v":2096,"T":1,"O":3,"M":2,"t":1587442049632,"i":"123"}`: T 1 buy, 2 sell, of the taker */
  #deal(symbol: string, row: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const price = tape.decimal(tape.field(row, "p"));
    const quantity = tape.decimal(tape.field(row, "v"));
    const exact_quantity = tape.exact_text;
    if (!(price >= 0) || !(quantity >= 0)) return malformed("deal without price or quantity");
    const type = tape.integer(tape.field(row, "T"));
    const id = tape.field(row, "i");
    const trade_id = this.count(id);
    batch.push({
      kind: "trade",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: this.milliseconds(tape.field(row, "t")),
      sent_ms: this.#sent(),
      trade_id,
      venue_trade_id: trade_id === undefined ? quoted(tape.text(id)) || undefined : undefined,
      price,
      quantity,
      exact_quantity,
      aggressor: type === 1 ? "buy" : type === 2 ? "sell" : undefined,
    });
    return EVENTS;
  }

  #ticker(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    if (tape.kind(data) !== OBJECT) return malformed("ticker without data");
    const amount = (name: string) => this.amount(tape.field(data, name));
    const extra = EXTRA.map((name) => [name, this.decimal(tape.field(data, name))] as const)
      .filter((pair): pair is readonly [string, number] => pair[1] !== undefined);
    batch.push({
      kind: "ticker",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: this.milliseconds(tape.field(data, "timestamp")),
      sent_ms: this.#sent(),
      price_change: this.decimal(tape.field(data, "riseFallValue")),
      price_change_percent: percentOf(tape.decimal(tape.field(data, "riseFallRate"))),
      last_price: amount("lastPrice"),
      bid_price: amount("bid1"),
      ask_price: amount("ask1"),
      high_price: amount("high24Price"),
      low_price: amount("lower24Price"),
      volume: amount("volume24"),
      quote_volume: amount("amount24"),
      extra: extra.length > 0 ? Object.fromEntries(extra) : undefined,
    });
    return EVENTS;
  }

  /** `{"symbol":"BTC_USDT","interval":"Min60","t":1587448800,"o":…,"c":…,"h":…,"l":…,"q":1611754,"a":233.74}`: q contracts */
  #kline(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const amount = (name: string) => this.amount(tape.field(data, name));
    const kline = {
      word: tape.text(tape.field(data, "interval")),
      start_s: tape.integer(tape.field(data, "t")),
      end_s: NaN,
      open: amount("o"),
      close: amount("c"),
      high: amount("h"),
      low: amount("l"),
      volume: amount("q"),
      quote_volume: amount("a"),
    };
    return pushKline(this.#head(symbol, received_us), kline, this.#bars, batch);
  }
}
