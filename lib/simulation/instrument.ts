/**
 * A simulated instrument: its decimal grid and what is typical of it. Prices and quantities live as integer ticks and
 * lots; the doubles given out are one division by a power of ten of an integer below 2^53, hence the double nearest to
 * the decimal. Refuses ticks that are not a power of ten: none of the simulated venues needs one.
 */
import { POWERS_OF_TEN } from "../base/decimal.ts";

export interface InstrumentOptions {
  symbol: string;
  /** The tick is 10^-price_decimals; 0 … 12. */
  price_decimals: number;
  /** The lot is 10^-quantity_decimals; 0 … 12. */
  quantity_decimals: number;
  /** Where the price starts and what it reverts to, over days. */
  reference_ticks: number;
  /** Median order size. */
  typical_lots: number;
  /** May be fractional; ≥ 1. */
  typical_spread_ticks: number;
  /** Annualised, as a fraction. */
  volatility: number;
}

export class Instrument {
  readonly symbol: string;
  readonly price_decimals: number;
  readonly quantity_decimals: number;
  readonly reference_ticks: number;
  readonly typical_lots: number;
  readonly typical_spread_ticks: number;
  readonly volatility: number;
  readonly #ticks_per_unit: number;
  readonly #lots_per_unit: number;

  constructor(options: InstrumentOptions) {
    this.symbol = options.symbol;
    this.price_decimals = options.price_decimals;
    this.quantity_decimals = options.quantity_decimals;
    this.reference_ticks = options.reference_ticks;
    this.typical_lots = options.typical_lots;
    this.typical_spread_ticks = options.typical_spread_ticks;
    this.volatility = options.volatility;
    this.#ticks_per_unit = POWERS_OF_TEN[options.price_decimals];
    this.#lots_per_unit = POWERS_OF_TEN[options.quantity_decimals];
  }
  /** Smallest price step, in quote currency. */
  get tick_size(): number {
    return 1 / this.#ticks_per_unit;
  }
  /** Smallest quantity step, in base currency or shares. */
  get lot_size(): number {
    return 1 / this.#lots_per_unit;
  }
  /** The double nearest to the price. */
  price(ticks: number): number {
    return ticks / this.#ticks_per_unit;
  }
  /** The double nearest to the quantity. */
  quantity(lots: number): number {
    return lots / this.#lots_per_unit;
  }
  /** The price as text with all decimals of the grid, as venues write it: "61500.10". */
  priceText(ticks: number): string {
    return fixedText(ticks, this.price_decimals);
  }
  /** The quantity as text with all decimals of the grid: "0.250". */
  quantityText(lots: number): string {
    return fixedText(lots, this.quantity_decimals);
  }
}

/** A non-negative integer count of 10^-decimals, written out; digits only, no rounding anywhere. */
function fixedText(count: number, decimals: number): string {
  const digits = String(count);
  if (decimals === 0) return digits;
  const padded = digits.padStart(decimals + 1, "0");
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}
