/**
 * MEXC's older JSON frames `{"c":channel,"s":symbol,"d":data,"t":ms}`, in both forms that were in use: channels named
 * "spot@public.<word>.v3.api@…" with `deals[]`, `{p,v}` levels and `r`, and plain words ("depth", "trade", "ticker") with
 * `[p,q]` levels and `v`. Errors are named: bad JSON, invalid format, unsupported channel.
 */
import type { Aggressor } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import { CandleBars } from "../candle_bars.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { readNamedRows, readRows } from "../json/levels.ts";
import { JsonMapper, malformed, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY, OBJECT } from "../json/tape.ts";
import { readControl } from "./control.ts";
import { type Head, pushDelta, pushKline, pushLimitedBook } from "./market_events.ts";
import { percentOf } from "./percent.ts";

export const VENUE = "mexc-legacy";

const BAD_JSON = malformed("bad JSON");

type Reader = (symbol: string, data: number, received_us: number, batch: EventBatch) => FrameOutcome;

interface Channel {
  word: string;
  /** How a name of the longer form begins. */
  long_form: string;
  read: Reader;
}
const channel = (word: string, read: Reader): Channel => ({
  word,
  long_form: `spot@public.${word}.v3.api@`,
  read,
});

export class MexcLegacyMapper extends JsonMapper {
  readonly #bars = new CandleBars();
  /** Asked in this order: the busy ones first. */
  readonly #channels: readonly Channel[] = [
    channel("increase.depth", (...message) => this.#depth(...message)),
    channel("deals", (...message) => this.#deals(...message)),
    channel("bookTicker", (...message) => this.#bookTicker(...message)),
    channel("depth", (...message) => this.#depth(...message)),
    channel("trade", (...message) => this.#trade(...message)),
    channel("ticker", (...message) => this.#ticker(...message)),
    channel("limit.depth", (...message) => this.#limitDepth(...message)),
    channel("miniTicker", (...message) => this.#miniTicker(...message)),
    channel("kline", (...message) => this.#kline(...message)),
  ];

  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    if (tape.kind(0) !== OBJECT) return invalid("no object");
    const channel = tape.field(0, "c");
    if (channel < 0) return tape.field(0, "msg") < 0 ? invalid("no channel") : readControl(tape);
    const reader = this.#readerOf(channel);
    if (reader === undefined) {
      return { kind: "unknown", what: `unsupported channel ${quoted(tape.text(channel))}` };
    }
    const data = tape.field(0, "d");
    if (tape.kind(data) !== OBJECT) return invalid("no data");
    const outer = tape.field(0, "s");
    const node = outer < 0 ? tape.field(data, "s") : outer;
    if (node < 0) return invalid("no symbol");
    const symbol = this.symbol(node);
    return symbol === undefined ? UNKNOWN_SYMBOL : reader(symbol, data, received_us, batch);
  }
  protected override readOther(): FrameOutcome {
    return BAD_JSON;
  }
  #readerOf(node: number): Reader | undefined {
    const { tape } = this;
    for (const { word, long_form, read } of this.#channels) {
      if (tape.startsWith(node, long_form) || tape.is(node, word)) return read;
    }
    return undefined;
  }
  #sent(): number | undefined {
    return this.milliseconds(this.tape.field(0, "t"));
  }
  #head(symbol: string, data: number, received_us: number): Head {
    const exchange_ms = this.milliseconds(this.tape.field(data, "t"));
    return { venue: VENUE, symbol, received_us, exchange_ms, sent_ms: this.#sent() };
  }
  /** One of two names; −1 when neither is there. */
  #either(data: number, name: string, other: string): number {
    const node = this.tape.field(data, name);
    return node < 0 ? this.tape.field(data, other) : node;
  }

  /**
   * `{"asks":[{"p":"64010.12","v":"0"}],"bids":[],"r":"900000008"}` or `{"s","t","v":42,"b":[["64010.11","0.5"]],"a":[…]}`.
   * Versions count on by one; that `v` does too is assumed.
   */
  #depth(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const version = this.tape.integer(this.#either(data, "r", "v"));
    const delta = batch.freeDelta();
    if (!this.#readBook(data, delta.bids, delta.asks)) return invalid("depth: bad levels");
    return named(pushDelta(this.#head(symbol, data, received_us), delta, version, version, batch));
  }
  #limitDepth(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const last_id = this.tape.integer(this.#either(data, "r", "v"));
    const bids = new LevelList();
    const asks = new LevelList();
    if (!this.#readBook(data, bids, asks)) return invalid("depth: bad levels");
    return named(pushLimitedBook(this.#head(symbol, data, received_us), bids, asks, last_id, batch));
  }
  #readBook(data: number, bids: LevelList, asks: LevelList): boolean {
    const { tape } = this;
    return this.#side(tape.field(data, "bids"), tape.field(data, "b"), bids) &&
      this.#side(tape.field(data, "asks"), tape.field(data, "a"), asks);
  }
  #side(named: number, rows: number, list: LevelList): boolean {
    return named >= 0 ? readNamedRows(this.tape, named, list, "p", "v") : readRows(this.tape, rows, list);
  }

  /** `{"deals":[{"S":2,"p":"64010.11","t":1793628600120,"v":"0.0040"}]}`: S 1 buy, 2 sell */
  #deals(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const deals = tape.field(data, "deals");
    // Both forms call their trades so.
    if (deals < 0) return this.#trade(symbol, data, received_us, batch);
    if (tape.kind(deals) !== ARRAY || tape.next(deals) === deals + 1) return invalid("no deals");
    for (let row = deals + 1, end = tape.next(deals); row < end; row = tape.next(row)) {
      const type = tape.integer(tape.field(row, "S"));
      const aggressor = type === 1 ? "buy" : type === 2 ? "sell" : undefined;
      const pushed = this.#pushTrade(symbol, row, "v", aggressor, received_us, batch);
      if (pushed !== EVENTS) return pushed;
    }
    return EVENTS;
  }
  /** `{"s","p":"64010.11","q":"0.004","v":"256.04","t":…,"m":true}`: q base, v quote, m whether the buyer was the maker */
  #trade(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const maker = tape.field(data, "m");
    const aggressor = tape.isTrue(maker) ? "sell" : tape.isFalse(maker) ? "buy" : undefined;
    return this.#pushTrade(symbol, data, "q", aggressor, received_us, batch);
  }
  #pushTrade(
    symbol: string,
    row: number,
    quantity_name: string,
    aggressor: Aggressor | undefined,
    received_us: number,
    batch: EventBatch,
  ): FrameOutcome {
    const { tape } = this;
    const price = tape.decimal(tape.field(row, "p"));
    const quantity = tape.decimal(tape.field(row, quantity_name));
    const exact_quantity = tape.exact_text;
    if (!(price >= 0) || !(quantity >= 0)) return invalid("trade without price or quantity");
    const head = this.#head(symbol, row, received_us);
    batch.push({ kind: "trade", ...head, price, quantity, exact_quantity, aggressor });
    return EVENTS;
  }

  /** `{"b":"64010.11","B":"0.52","a":"64010.12","A":"1.07"}` */
  #bookTicker(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const amount = (name: string) => this.amount(this.tape.field(data, name));
    const [bid, bid_quantity, ask, ask_quantity] = [amount("b"), amount("B"), amount("a"), amount("A")];
    if (bid === undefined && ask === undefined) return invalid("book ticker without prices");
    const quote = batch.pushQuote();
    quote.venue = VENUE;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.exchange_ms = undefined;
    quote.sent_ms = this.#sent();
    quote.update_id = undefined;
    quote.bid = bid;
    quote.bid_quantity = bid === undefined ? undefined : bid_quantity;
    quote.ask = ask;
    quote.ask_quantity = ask === undefined ? undefined : ask_quantity;
    return EVENTS;
  }

  /** `{"s","p":last,"r":rate,"tr":zoned rate,"h","l","v":quote turnover,"q":base,"t"}` */
  #miniTicker(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const amount = (name: string) => this.amount(tape.field(data, name));
    const last_price = amount("p");
    if (last_price === undefined) return invalid("mini ticker without price");
    batch.push({
      kind: "ticker",
      ...this.#head(symbol, data, received_us),
      price_change_percent: percentOf(tape.decimal(this.#either(data, "tr", "r"))),
      last_price,
      high_price: amount("h"),
      low_price: amount("l"),
      volume: amount("q"),
      quote_volume: amount("v"),
    });
    return EVENTS;
  }
  /** `{"s","o","h","l","c","v":base,"qv":quote,"t"}` */
  #ticker(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const amount = (name: string) => this.amount(tape.field(data, name));
    const last_price = amount("c");
    if (last_price === undefined) return invalid("ticker without price");
    batch.push({
      kind: "ticker",
      ...this.#head(symbol, data, received_us),
      last_price,
      open_price: amount("o"),
      high_price: amount("h"),
      low_price: amount("l"),
      volume: amount("v"),
      quote_volume: amount("qv"),
    });
    return EVENTS;
  }

  /** `{"k":{"t":start s,"T":end s,"i":"Min1","o","c","h","l","v":base,"a":quote}}` */
  #kline(symbol: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const k = tape.field(data, "k");
    const amount = (name: string) => this.amount(tape.field(k, name));
    if (k < 0) return invalid("kline without k");
    const kline = {
      word: tape.text(tape.field(k, "i")),
      start_s: tape.integer(tape.field(k, "t")),
      end_s: tape.integer(tape.field(k, "T")),
      open: amount("o"),
      close: amount("c"),
      high: amount("h"),
      low: amount("l"),
      volume: amount("v"),
      quote_volume: amount("a"),
    };
    return named(pushKline(this.#head(symbol, data, received_us), kline, this.#bars, batch));
  }
}

/** A refusal under the name that users of this form know. */
function named(outcome: FrameOutcome): FrameOutcome {
  return outcome.kind === "malformed" ? invalid(outcome.why) : outcome;
}
function invalid(what: string): FrameOutcome {
  return malformed(`invalid format: ${what}`);
}
