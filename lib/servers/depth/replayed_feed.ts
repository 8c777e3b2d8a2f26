/**
 * A book by orders that a replay keeps, on the depth protocol: levels with their order counts, orders in the order of
 * their queues with their own ids, trades without the ids that the data does not tell. Whole books only.
 */
import type { OrderQueueBook } from "../../market/order_queue_book.ts";
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import type { DepthFeed } from "./depth_feed.ts";
import { writeTapeTrades } from "./depth_json.ts";
import type { TapeTrade, TradeTape } from "./trade_tape.ts";

/** A hint only: a number with more is printed exactly too. */
const USUAL_DECIMALS = 9;
const AGE_DECIMALS = 3;
const SIDES = ["bid", "ask"] as const;

export interface ReplayedBook {
  readonly symbol: string;
  /** Undefined before its first order. */
  orders(): OrderQueueBook | undefined;
  /** Market time, microseconds. */
  at_us(): number;
}

export class ReplayedFeed implements DepthFeed {
  readonly tapes = new Set<TradeTape>();

  constructor(readonly book: ReplayedBook) {}

  get symbol(): string {
    return this.book.symbol;
  }
  get at_us(): number {
    return this.book.at_us();
  }
  /** Its own player moves it on. */
  advance(): true {
    return true;
  }
  trade(trade: TapeTrade): void {
    for (const tape of this.tapes) tape.push(trade);
  }
  writeMbp(writer: ByteWriter, max_levels: number): void {
    writer.text('{"format":"MBP"');
    for (const side of SIDES) {
      writer.text(`,"${side}s":[`);
      let total = 0;
      const levels = this.book.orders()?.levels(side, max_levels) ?? [];
      for (const [rank, { price, quantity, order_count }] of levels.entries()) {
        total += quantity;
        writer.text(rank > 0 ? ',{"price":' : '{"price":');
        writer.decimal(price, USUAL_DECIMALS);
        writer.text(',"quantity":');
        writer.decimal(quantity, USUAL_DECIMALS);
        writer.text(`,"order_count":${order_count},"total_quantity":`);
        writer.decimal(total, USUAL_DECIMALS);
        writer.text("}");
      }
      writer.text("]");
    }
    writer.text("}");
  }
  writeMbo(writer: ByteWriter, max_levels: number): void {
    const orders = this.book.orders();
    const { at_us } = this;
    writer.text('{"format":"MBO"');
    for (const side of SIDES) {
      writer.text(`,"${side}s":[`);
      let is_first = true;
      for (const { id, price, quantity, since_us } of orders?.orders(side, max_levels) ?? []) {
        const id_text = typeof id === "string" ? JSON.stringify(id) : String(id);
        writer.text(`${is_first ? "" : ","}{"order_id":${id_text},"side":"${side}","price":`);
        is_first = false;
        writer.decimal(price, USUAL_DECIMALS);
        writer.text(',"quantity":');
        writer.decimal(quantity, USUAL_DECIMALS);
        writer.text(`,"timestamp":"${isoMicroseconds(Math.floor(since_us))}","age":`);
        writer.decimal(Math.round(Math.max(0, at_us - since_us)) / 1_000, AGE_DECIMALS);
        writer.text("}");
      }
      writer.text("]");
    }
    writer.text("}");
  }
  writeTrades(writer: ByteWriter, trades: readonly TapeTrade[]): void {
    writeTapeTrades(writer, USUAL_DECIMALS, USUAL_DECIMALS, trades);
  }
  changes(): undefined {
    return undefined;
  }
  describe(): Record<string, unknown> {
    const orders = this.book.orders();
    return { symbol: this.symbol, resting_orders: orders?.order_count ?? 0, anomalies: orders?.anomalies };
  }
}
