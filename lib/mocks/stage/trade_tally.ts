/** Open, high, low, close, volumes and count of a run of trades, exact: sums are integers of ticks and lots. */
import type { Instrument } from "../../simulation/instrument.ts";

export class TradeTally {
  trade_count = 0;
  first_id = 0;
  last_id = 0;
  #open = 0;
  #high = 0;
  #low = 0;
  #close = 0;
  #last_lots = 0;
  #lots = 0n;
  #ticks_lots = 0n;

  constructor(readonly instrument: Instrument) {}

  add(id: number, ticks: number, lots: number): void {
    if (this.trade_count++ === 0) {
      this.#open = this.#high = this.#low = ticks;
      this.first_id = id;
    }
    this.last_id = id;
    this.#high = Math.max(this.#high, ticks);
    this.#low = Math.min(this.#low, ticks);
    this.#close = ticks;
    this.#last_lots = lots;
    this.#lots += BigInt(lots);
    this.#ticks_lots += BigInt(ticks) * BigInt(lots);
  }
  /** Undefined before the first trade. */
  prices(): { open: string; high: string; low: string; close: string; last_quantity: string } | undefined {
    if (this.trade_count === 0) return undefined;
    const { instrument } = this;
    return {
      open: instrument.priceText(this.#open),
      high: instrument.priceText(this.#high),
      low: instrument.priceText(this.#low),
      close: instrument.priceText(this.#close),
      last_quantity: instrument.quantityText(this.#last_lots),
    };
  }
  volumes(): { volume: string; quote_volume: string } {
    const { price_decimals, quantity_decimals } = this.instrument;
    return {
      volume: decimalText(this.#lots, quantity_decimals),
      quote_volume: decimalText(this.#ticks_lots, price_decimals + quantity_decimals),
    };
  }
}

function decimalText(count: bigint, decimals: number): string {
  const digits = String(count).padStart(decimals + 1, "0");
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
