/**
 * Tables and lines as Tardis publishes them: CSV (incremental_book_L2, trades, quotes, book_snapshot_N) and the
 * normalised NDJSON of its machine (book_change, book_snapshot, trade, quote). Rows of one message (same local time) are
 * one event. Ids of books are ours and count messages; a snapshot starts the book over.
 */
import { readDecimal } from "../../base/decimal.ts";
import { EVENTS, type FrameOutcome, type Mapper } from "../../feeds/feed.ts";
import type { BookSnapshot, Trade } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";

const decoder = new TextDecoder();
/** A file of more symbols than this is no file of theirs. */
const MAX_SYMBOLS = 100_000;
const OPEN_BRACE = 0x7b;

interface Head {
  symbol: string;
  received_us: number;
  exchange_ms: number | undefined;
}
type Row = Readonly<Record<string, string>>;
type LevelText = readonly [price: string, quantity: string];

export class TardisMapper implements Mapper {
  #columns: string[] = [];
  /** Symbol → id of its last book message. */
  readonly #ids = new Map<string, number>();

  constructor(readonly venue: string) {}

  addSymbol(): void {}
  removeSymbol(): void {}

  map(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    const { size } = batch;
    try {
      const text = decoder.decode(frame);
      if (frame[0] === OPEN_BRACE) return this.#line(JSON.parse(text), received_us, batch);
      if (text.startsWith("exchange,")) {
        this.#columns = text.trimEnd().split(",");
        return { kind: "pong" };
      }
      const rows = text.split("\n").filter((line) => line !== "").map((line) => this.#row(line));
      return this.#rows(rows, received_us, batch);
    } catch (error) {
      batch.truncate(size);
      return { kind: "malformed", why: error instanceof Error ? error.message : String(error) };
    }
  }

  #row(line: string): Row {
    const cells = line.split(",");
    if (cells.length !== this.#columns.length) {
      throw new Error(`row of ${cells.length} cells, want ${this.#columns.length}`);
    }
    return Object.fromEntries(this.#columns.map((name, i) => [name, cells[i]]));
  }
  #rows(rows: readonly Row[], received_us: number, batch: EventBatch): FrameOutcome {
    const [first] = rows;
    const head = { symbol: first.symbol, received_us, exchange_ms: Number(first.timestamp) / 1_000 };
    if ("is_snapshot" in first) {
      const side = (name: string): LevelText[] =>
        rows.filter((row) => row.side === name).map((row) => [row.price, row.amount]);
      this.#book(head, first.is_snapshot === "true", side("bid"), side("ask"), undefined, batch);
    } else if ("id" in first && "amount" in first) {
      for (const row of rows) this.#trade(head, row.id, row.side, row.price, row.amount, batch);
    } else if ("ask_amount" in first) {
      for (const { bid_price, bid_amount, ask_price, ask_amount } of rows) {
        this.#quote(head, [bid_price, bid_amount], [ask_price, ask_amount], batch);
      }
    } else if ("asks[0].price" in first) {
      for (const row of rows) {
        const depth = this.#columns.filter((name) => /^asks\[\d+\]\.price$/.test(name)).length;
        const side = (name: string): LevelText[] =>
          Array.from(
            { length: depth },
            (_, i): LevelText => [row[`${name}[${i}].price`], row[`${name}[${i}].amount`]],
          )
            .filter(([price]) => price !== "");
        this.#book(head, true, side("bids"), side("asks"), depth, batch);
      }
    } else return { kind: "unknown", what: `table with ${this.#columns.slice(4, 7).join(", ")}` };
    return EVENTS;
  }
  #line(line: Record<string, unknown>, received_us: number, batch: EventBatch): FrameOutcome {
    const { type, symbol, timestamp } = line;
    if (typeof symbol !== "string") return { kind: "malformed", why: "no symbol" };
    const exchange_ms = typeof timestamp === "string" ? Date.parse(timestamp) : NaN;
    const head = { symbol, received_us, exchange_ms: Number.isFinite(exchange_ms) ? exchange_ms : undefined };
    const levels = (side: unknown): LevelText[] =>
      (side as { price: number; amount: number }[]).map((
        { price, amount },
      ) => [String(price), String(amount)]);
    if (type === "book_change") {
      this.#book(head, line.isSnapshot === true, levels(line.bids), levels(line.asks), undefined, batch);
    } else if (type === "book_snapshot") {
      this.#book(head, true, levels(line.bids), levels(line.asks), Number(line.depth), batch);
    } else if (type === "trade") {
      const { id, side, price, amount } = line;
      this.#trade(head, String(id ?? ""), String(side), String(price), String(amount), batch);
    } else if (type === "disconnect") return { kind: "unknown", what: "disconnect" };
    else return { kind: "unknown", what: `line of type ${String(type).slice(0, 40)}` };
    return EVENTS;
  }

  #book(
    { symbol, received_us, exchange_ms }: Head,
    is_snapshot: boolean,
    bids: readonly LevelText[],
    asks: readonly LevelText[],
    depth: number | undefined,
    batch: EventBatch,
  ): void {
    const last_id = this.#ids.get(symbol) ?? 0;
    const id = last_id + 1;
    if (this.#ids.size >= MAX_SYMBOLS && last_id === 0) throw new Error(`more than ${MAX_SYMBOLS} symbols`);
    this.#ids.set(symbol, id);
    if (is_snapshot) {
      const snapshot: BookSnapshot = {
        kind: "book_snapshot",
        venue: this.venue,
        symbol,
        received_us,
        exchange_ms,
        last_id: id,
        depth_limit: depth,
        resets: true,
        bids: fill(new LevelList(Math.max(1, bids.length)), bids),
        asks: fill(new LevelList(Math.max(1, asks.length)), asks),
      };
      batch.push(snapshot);
      return;
    }
    const delta = batch.freeDelta();
    fill(delta.bids, bids);
    fill(delta.asks, asks);
    delta.venue = this.venue;
    delta.symbol = symbol;
    delta.received_us = received_us;
    delta.exchange_ms = exchange_ms;
    delta.sent_ms = undefined;
    delta.previous_id = last_id;
    delta.first_id = delta.last_id = id;
    delta.depth_limit = delta.checksum = delta.precision = undefined;
    batch.pushDelta(delta);
  }
  #trade(
    { symbol, received_us, exchange_ms }: Head,
    id: string,
    side: string,
    price: string,
    amount: string,
    batch: EventBatch,
  ): void {
    const number = /^\d{1,15}$/.test(id) ? Number(id) : undefined;
    const quantity = decimal(amount);
    const trade: Trade = {
      kind: "trade",
      venue: this.venue,
      symbol,
      received_us,
      exchange_ms,
      trade_id: number,
      venue_trade_id: number === undefined && id !== "" ? id : undefined,
      price: decimal(price).value,
      quantity: quantity.value,
      exact_quantity: quantity.text,
      aggressor: side === "buy" || side === "sell" ? side : undefined,
    };
    batch.push(trade);
  }
  #quote(
    { symbol, received_us, exchange_ms }: Head,
    bid: LevelText,
    ask: LevelText,
    batch: EventBatch,
  ): void {
    const [[bid_price, bid_quantity], [ask_price, ask_quantity]] = [bid, ask].map((side) =>
      side.map((text) => text === "" ? undefined : decimal(text).value)
    );
    const quote = batch.pushQuote();
    Object.assign(quote, { venue: this.venue, symbol, received_us, exchange_ms });
    quote.sent_ms = quote.update_id = undefined;
    quote.bid = bid_price;
    quote.bid_quantity = bid_quantity;
    quote.ask = ask_price;
    quote.ask_quantity = ask_quantity;
  }
}

function fill(list: LevelList, levels: readonly LevelText[]): LevelList {
  for (const [price_text, quantity_text] of levels) {
    const price = decimal(price_text);
    const quantity = decimal(quantity_text);
    if (quantity.text !== undefined) (list.exact_quantities ??= new Map()).set(list.size, quantity.text);
    list.push(price.value, quantity.value);
    list.noteDecimals(price.decimals, quantity.decimals);
  }
  return list;
}
function decimal(text: string): { value: number; decimals: number; text?: string } {
  const found = readDecimal(text);
  if (found === undefined) throw new Error(`${JSON.stringify(text.slice(0, 40))} is no number`);
  return found;
}
