/**
 * Frames of Tiingo's WebSockets: `{"messageType":"A","service":"fx","data":[…]}`, the data by position. Where each service
 * has its columns is told by its layout; how connections talk is the same for all. There are no ids and no books.
 * Any answer but 200 ends the talk: such a venue is not asked again and again.
 */
import type { Channel, Ticker } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { FieldNames } from "../json/field_names.ts";
import { JsonMapper, malformed, NO_NEWS, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY, STRING } from "../json/tape.ts";
import { SymbolRoutes, tickerOf } from "./symbol_routes.ts";

/** Positions in a row, from 0. Longer rows are tomorrow's and read alike; shorter ones are damage. */
interface Columns {
  length: number;
  ticker: number;
  date: number;
  /** Where the price was made, for services that report several places. */
  exchange?: number;
}
export interface QuoteColumns extends Columns {
  bid: number;
  bid_quantity: number;
  ask: number;
  ask_quantity: number;
}
export interface TradeColumns extends Columns {
  price: number;
  quantity: number;
}
export interface ReferenceColumns extends Columns {
  price: number;
}
export interface ServiceLayout {
  venue: string;
  /** The envelope's word. */
  service: string;
  /** Rows that begin with "Q". */
  quote?: QuoteColumns;
  /** Rows that begin with "T". */
  trade?: TradeColumns;
  /** Rows without a letter. */
  reference?: ReferenceColumns;
}

const MAX_FRAME_BYTES = 64 * 1024;
const MAX_COLUMNS = 32;
const OK = 200;
/** The price is made from the last trade and the mid, so it is marked. */
const IS_REFERENCE: Ticker["extra"] = Object.freeze({ lastPriceIs: "referencePrice" });

export class TiingoMapper extends JsonMapper {
  readonly #envelope = new FieldNames(["messageType", "service", "data"]);
  readonly #cells = new Int32Array(MAX_COLUMNS);
  readonly #routes: SymbolRoutes | undefined;
  /** Of the row that is read. */
  #ticker = "";

  constructor(
    readonly layout: ServiceLayout,
    symbols?: Iterable<string>,
    readonly channels?: ReadonlySet<Channel>,
  ) {
    const wanted = symbols && [...symbols];
    super(wanted?.map(tickerOf), MAX_FRAME_BYTES);
    this.#routes = wanted && new SymbolRoutes(wanted);
  }
  override addSymbol(symbol: string): void {
    super.addSymbol(tickerOf(symbol));
    this.#routes?.add(symbol);
  }
  override removeSymbol(symbol: string): void {
    const ticker = tickerOf(symbol);
    if (this.#routes === undefined || this.#routes.remove(symbol)) super.removeSymbol(ticker);
  }

  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    tape.fields(0, this.#envelope);
    const type = this.#envelope.at[0];
    if (tape.is(type, "A") || tape.is(type, "U")) return this.#news(received_us, batch);
    const response = tape.field(0, "response");
    const code = tape.integer(tape.field(response, "code"));
    if (tape.is(type, "E") || (Number.isFinite(code) && code !== OK)) {
      const message = quoted(tape.text(tape.field(response, "message"))) || "refused without a reason";
      return { kind: "refused", message: Number.isFinite(code) ? `${code} ${message}` : message };
    }
    if (tape.is(type, "H")) return NO_NEWS;
    if (tape.is(type, "I")) {
      const id = tape.integer(tape.field(tape.field(0, "data"), "subscriptionId"));
      return { kind: "ack", session_id: Number.isFinite(id) ? id : undefined };
    }
    if (tape.kind(type) !== STRING) return malformed("no messageType");
    return { kind: "unknown", what: `messageType ${quoted(tape.text(type))}` };
  }

  #news(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape, layout } = this;
    const service = this.#envelope.at[1];
    const data = this.#envelope.at[2];
    if (!tape.is(service, layout.service)) {
      return { kind: "unknown", what: `service ${quoted(tape.text(service))}` };
    }
    if (tape.kind(data) !== ARRAY) return malformed("no row of data");
    const cells = this.#cells;
    let length = 0;
    for (let node = data + 1, end = tape.next(data); node < end && length < MAX_COLUMNS;) {
      cells[length++] = node;
      node = tape.next(node);
    }
    const { quote, trade, reference } = layout;
    if (length === 0 || tape.kind(cells[0]) !== STRING) return malformed("a row without a letter or date");
    if (quote && tape.is(cells[0], "Q")) return this.#quote(quote, length, received_us, batch);
    if (trade && tape.is(cells[0], "T")) return this.#trade(trade, length, received_us, batch);
    // A trade of before is withdrawn; no event says so.
    if (trade && tape.is(cells[0], "B")) return { kind: "unknown", what: "trade break" };
    // Letters are letters; a row of the reference level begins with its date.
    if (reference && tape.stop(cells[0]) - tape.start(cells[0]) > 1) {
      return this.#reference(reference, length, received_us, batch);
    }
    return { kind: "unknown", what: `row of kind ${quoted(tape.text(cells[0]))}` };
  }
  /** Why a row is none of ours: too short, without a time, a ticker that nobody asked for. */
  #refusal(columns: Columns, length: number): FrameOutcome | undefined {
    if (length < columns.length) return malformed(`row of ${length} columns, want ${columns.length}`);
    const ticker = this.#cells[columns.ticker];
    if (this.tape.kind(ticker) !== STRING) return malformed("row without a ticker");
    const name = this.symbol(ticker);
    if (name === undefined) return UNKNOWN_SYMBOL;
    this.#ticker = name;
    return undefined;
  }
  /** The symbols that want this row, most often one. */
  #symbols({ exchange }: Columns): readonly string[] {
    const place = exchange === undefined ? -1 : this.#cells[exchange];
    return this.#routes === undefined ? [this.#ticker] : this.#routes.of(this.#ticker, this.tape, place);
  }

  /** fx: `["Q","eurusd","2026-11-02T14:10:00.123000+00:00",bidSize,bidPrice,mid,askSize,askPrice]` */
  #quote(columns: QuoteColumns, length: number, received_us: number, batch: EventBatch): FrameOutcome {
    const refusal = this.#refusal(columns, length);
    if (refusal !== undefined) return refusal;
    if (this.channels?.has("quote") === false) return NO_NEWS;
    const cells = this.#cells;
    const exchange_ms = this.isoMilliseconds(cells[columns.date]);
    const bid = this.#side(cells[columns.bid]);
    const bid_quantity = this.#side(cells[columns.bid_quantity]);
    const ask = this.#side(cells[columns.ask]);
    const ask_quantity = this.#side(cells[columns.ask_quantity]);
    if (exchange_ms === undefined) return malformed("quote without a time");
    if (!(bid >= 0 && bid_quantity >= 0 && ask >= 0 && ask_quantity >= 0)) {
      return malformed("quote with a price or size that is none");
    }
    for (const symbol of this.#symbols(columns)) {
      const quote = batch.pushQuote();
      quote.venue = this.layout.venue;
      quote.symbol = symbol;
      quote.received_us = received_us;
      quote.exchange_ms = exchange_ms;
      quote.sent_ms = quote.update_id = undefined;
      quote.bid = bid > 0 ? bid : undefined;
      quote.bid_quantity = bid > 0 ? bid_quantity : undefined;
      quote.ask = ask > 0 ? ask : undefined;
      quote.ask_quantity = ask > 0 ? ask_quantity : undefined;
    }
    return EVENTS;
  }
  /** A side of a quote; 0, as the venue's null, where there is none, NaN for what is no number of at least 0. */
  #side(node: number): number {
    const value = this.tape.decimal(node);
    return this.tape.isNull(node) ? 0 : value;
  }

  /** crypto: `["T","btcusd","2026-11-02T14:10:00.512000+00:00","kraken",lastSize,lastPrice]` */
  #trade(columns: TradeColumns, length: number, received_us: number, batch: EventBatch): FrameOutcome {
    const refusal = this.#refusal(columns, length);
    if (refusal !== undefined) return refusal;
    if (this.channels?.has("trades") === false) return NO_NEWS;
    const cells = this.#cells;
    const exchange_ms = this.isoMilliseconds(cells[columns.date]);
    const price = this.tape.decimal(cells[columns.price]);
    const quantity = this.tape.decimal(cells[columns.quantity]);
    const exact_quantity = this.tape.exact_text;
    if (exchange_ms === undefined) return malformed("trade without a time");
    if (!(price >= 0 && quantity >= 0)) return malformed("trade without price or size");
    const { venue } = this.layout;
    for (const symbol of this.#symbols(columns)) {
      batch.push({ kind: "trade", venue, symbol, received_us, exchange_ms, price, quantity, exact_quantity });
    }
    return EVENTS;
  }

  /** iex, level 6: `["2026-11-02T09:35:00.123456789-05:00","aapl",231.07]` */
  #reference(
    columns: ReferenceColumns,
    length: number,
    received_us: number,
    batch: EventBatch,
  ): FrameOutcome {
    const refusal = this.#refusal(columns, length);
    if (refusal !== undefined) return refusal;
    if (this.channels?.has("ticker") === false) return NO_NEWS;
    const exchange_ms = this.isoMilliseconds(this.#cells[columns.date]);
    const last_price = this.amount(this.#cells[columns.price]);
    if (exchange_ms === undefined || last_price === undefined) {
      return malformed("reference price without a time or price");
    }
    const { venue } = this.layout;
    for (const symbol of this.#symbols(columns)) {
      const head = { venue, symbol, received_us, exchange_ms };
      batch.push({ kind: "ticker", ...head, last_price, extra: IS_REFERENCE });
    }
    return EVENTS;
  }
}
