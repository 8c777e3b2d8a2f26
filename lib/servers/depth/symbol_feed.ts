/**
 * One symbol as the depth server sees it: the simulated market, moved on in slices so that no symbol starves the sockets,
 * and the tapes that want its trades.
 */
import { EventBuffer, TRADE } from "../../simulation/event_buffer.ts";
import type { SimulatedMarket } from "../../simulation/market.ts";
import { BID } from "../../simulation/side.ts";
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { type BookChanges, MboChanges, MbpChanges } from "./book_changes.ts";
import type { DepthFeed } from "./depth_feed.ts";
import { writeMbo, writeMbp, writeTrades } from "./depth_json.ts";
import type { TapeTrade, TradeTape } from "./trade_tape.ts";

/** A few milliseconds of work: after that the caller looks at the time. */
const SLICE_EVENTS = 8_192;

export class SymbolFeed implements DepthFeed {
  /** Filled as the market moves. Bound: one per publication phase. */
  readonly tapes = new Set<TradeTape>();
  readonly #buffer = new EventBuffer(SLICE_EVENTS);
  #at_us: number;

  constructor(readonly market: SimulatedMarket, start_us: number) {
    this.#at_us = start_us;
  }

  get symbol(): string {
    return this.market.instrument.symbol;
  }
  /** The time whose book this is, microseconds. */
  get at_us(): number {
    return this.#at_us;
  }
  /** One slice of work towards `to_us`; true when there. */
  advance(to_us: number): boolean {
    this.#buffer.clear();
    const done = this.market.advance(to_us / 1000, this.#buffer);
    this.#at_us = done ? to_us : Math.floor(this.market.now_ms * 1000);
    if (this.tapes.size > 0) this.#tellTrades();
    return done;
  }

  writeMbp(writer: ByteWriter, max_levels: number): void {
    writeMbp(writer, this.market, max_levels);
  }
  writeMbo(writer: ByteWriter, max_levels: number): void {
    writeMbo(writer, this.market, max_levels, this.#at_us);
  }
  writeTrades(writer: ByteWriter, trades: readonly TapeTrade[]): void {
    writeTrades(writer, this.market, trades);
  }
  changes(data_type: "MBP" | "MBO", max_levels: number): BookChanges {
    const { market } = this;
    return data_type === "MBP" ? new MbpChanges(market, max_levels) : new MboChanges(market, max_levels);
  }
  describe(): Record<string, unknown> {
    const { market, symbol } = this;
    return {
      symbol,
      halted: market.halted,
      actions: market.actions,
      trades: market.book.trade_id,
      resting_orders: market.book.orders.count(0) + market.book.orders.count(1),
    };
  }

  #tellTrades(): void {
    const buffer = this.#buffer;
    const { instrument } = this.market;
    for (let row = 0; row < buffer.size; row++) {
      if (buffer.kind[row] !== TRADE) continue;
      const trade = {
        trade_id: buffer.id[row],
        price: instrument.price(buffer.price_ticks[row]),
        quantity: instrument.quantity(buffer.quantity_lots[row]),
        side: buffer.side[row] === BID ? "buy" as const : "sell" as const,
        time_us: buffer.time_ms[row] * 1000,
        maker_order_id: buffer.makerId(row),
        taker_order_id: buffer.takerId(row),
      };
      for (const tape of this.tapes) tape.push(trade);
    }
  }
}
