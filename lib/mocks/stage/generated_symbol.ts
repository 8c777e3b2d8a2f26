/**
 * One simulated symbol as happenings: quotes and trades as they come, one book change per step in which the book moved,
 * a ticker each second, the running minute's candle with it and once more when it closes.
 */
import { EventBuffer, LEVEL, QUOTE } from "../../simulation/event_buffer.ts";
import type { SimulatedMarket } from "../../simulation/market.ts";
import { ASK, BID, type Side } from "../../simulation/side.ts";
import type { Level } from "../mock.ts";
import type { CandleHappening, Happening, Opening } from "./happening.ts";
import { TradeTally } from "./trade_tally.ts";

const TICKER_MS = 1_000;
const CANDLE_MS = 60_000;

export class GeneratedSymbol {
  readonly #rows = new EventBuffer();
  /** Levels changed since the last book change: side → price in ticks → quantity in lots. */
  readonly #changed: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  #first_change = 0;
  #last_change = 0;
  #told_id: number;
  #bid: Level | undefined;
  #ask: Level | undefined;
  readonly #opened_ms: number;
  readonly #day: TradeTally;
  #bar: { open_ms: number; tally: TradeTally; told: number } | undefined;
  #ticker_due_ms: number;

  /**
   * @param symbol as the venue writes it
   * @param base_id added to the simulated ids, so that they rise across restarts
   */
  constructor(readonly symbol: string, readonly market: SimulatedMarket, readonly base_id: number) {
    this.#told_id = base_id + market.update_id;
    this.#opened_ms = Math.floor(market.now_ms);
    this.#ticker_due_ms = market.now_ms + TICKER_MS;
    this.#day = new TradeTally(market.instrument);
  }
  opening(): Opening {
    return {
      symbol: this.symbol,
      at_ms: this.#opened_ms,
      last_id: this.#told_id,
      bids: this.#levels(BID),
      asks: this.#levels(ASK),
    };
  }
  /** Lets the market act up to `to_ms` and appends what happened, in order. */
  advance(to_ms: number, items: Happening[]): void {
    for (let done = false; !done;) {
      this.#rows.clear();
      done = this.market.advance(to_ms, this.#rows);
      this.#read(items);
    }
    this.#tellBook(to_ms, items);
    if (to_ms < this.#ticker_due_ms) return;
    this.#ticker_due_ms += TICKER_MS;
    this.#tellTicker(to_ms, items);
    this.#tellCandle(to_ms, items);
  }

  #head<Kind extends string>(kind: Kind, at_ms: number) {
    return { kind, symbol: this.symbol, at_us: at_ms * 1000, at_ms: Math.floor(at_ms) };
  }
  #read(items: Happening[]): void {
    const rows = this.#rows;
    for (let row = 0; row < rows.size; row++) {
      if (rows.kind[row] === LEVEL) {
        const [bids, asks] = this.#changed;
        if (bids.size + asks.size === 0) this.#first_change = this.base_id + rows.id[row];
        this.#last_change = this.base_id + rows.id[row];
        this.#changed[rows.side[row] as Side].set(rows.price_ticks[row], rows.quantity_lots[row]);
      } else if (rows.kind[row] === QUOTE) {
        this.#tellQuote(row, items);
      } else {
        this.#tellTrade(row, items);
      }
    }
  }
  /** Venues tell no best price of an empty side. */
  #tellQuote(row: number, items: Happening[]): void {
    const rows = this.#rows;
    this.#bid = this.#touch(rows.price_ticks[row], rows.quantity_lots[row]);
    this.#ask = this.#touch(rows.askPriceTicks(row), rows.askQuantityLots(row));
    if (!this.#bid || !this.#ask) return;
    const id = this.base_id + rows.id[row];
    items.push({ ...this.#head("quote", rows.time_ms[row]), id, bid: this.#bid, ask: this.#ask });
  }
  #tellTrade(row: number, items: Happening[]): void {
    const rows = this.#rows;
    const at_ms = rows.time_ms[row];
    const id = this.base_id + rows.id[row];
    const [price, quantity] = this.#level(rows.price_ticks[row], rows.quantity_lots[row]);
    const aggressor = rows.side[row] === ASK ? "sell" : "buy";
    items.push({ ...this.#head("trade", at_ms), id, price, quantity, aggressor });
    this.#day.add(id, rows.price_ticks[row], rows.quantity_lots[row]);
    const open_ms = at_ms - at_ms % CANDLE_MS;
    if (this.#bar && this.#bar.open_ms !== open_ms) {
      this.#pushCandle(this.#bar.open_ms + CANDLE_MS, true, items);
    }
    this.#bar ??= { open_ms, tally: new TradeTally(this.market.instrument), told: 0 };
    this.#bar.tally.add(id, rows.price_ticks[row], rows.quantity_lots[row]);
  }
  #tellBook(to_ms: number, items: Happening[]): void {
    const [bids, asks] = this.#changed;
    if (bids.size + asks.size === 0) return;
    items.push({
      ...this.#head("book", to_ms),
      first_id: this.#first_change,
      last_id: this.#last_change,
      previous_id: this.#told_id,
      bids: [...bids].map(([ticks, lots]) => this.#level(ticks, lots)),
      asks: [...asks].map(([ticks, lots]) => this.#level(ticks, lots)),
    });
    this.#told_id = this.#last_change;
    bids.clear();
    asks.clear();
  }
  #tellTicker(to_ms: number, items: Happening[]): void {
    const day = this.#day;
    const prices = day.prices();
    items.push({
      ...this.#head("ticker", to_ms),
      open_ms: this.#opened_ms,
      bid: this.#bid,
      ask: this.#ask,
      ...day.volumes(),
      trade_count: day.trade_count,
      ...(prices && {
        last: [prices.close, prices.last_quantity],
        open: prices.open,
        high: prices.high,
        low: prices.low,
        first_trade_id: day.first_id,
        last_trade_id: day.last_id,
      }),
    });
  }
  #tellCandle(to_ms: number, items: Happening[]): void {
    const bar = this.#bar;
    if (!bar) return;
    const closed = to_ms >= bar.open_ms + CANDLE_MS;
    if (closed || bar.told < bar.tally.trade_count) this.#pushCandle(to_ms, closed, items);
  }
  #pushCandle(at_ms: number, closed: boolean, items: Happening[]): void {
    const { open_ms, tally } = this.#bar!;
    const { open, high, low, close } = tally.prices()!;
    const candle: CandleHappening = {
      ...this.#head("candle", at_ms),
      open_ms,
      end_ms: open_ms + CANDLE_MS,
      ...{ open, high, low, close },
      ...tally.volumes(),
      trade_count: tally.trade_count,
      closed,
    };
    items.push(candle);
    if (closed) this.#bar = undefined;
    else this.#bar!.told = tally.trade_count;
  }
  #touch(ticks: number, lots: number): Level | undefined {
    return lots === 0 ? undefined : this.#level(ticks, lots);
  }
  #level(ticks: number, lots: number): Level {
    const { instrument } = this.market;
    return [instrument.priceText(ticks), instrument.quantityText(lots)];
  }
  #levels(side: Side): Level[] {
    const ladder = this.market.book.ladders[side];
    return Array.from({ length: ladder.size }, (_, rank) => {
      const level = ladder.levelAt(rank);
      return this.#level(ladder.price_ticks[level], ladder.quantity_lots[level]);
    });
  }
}
