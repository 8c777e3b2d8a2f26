/**
 * Which symbols want a row. Coins are reported from several exchanges under one ticker: "btcusd" means all of them as they
 * come, "btcusd@kraken" one. Both may be wanted at once, and are one ticker to the venue.
 */
import type { JsonTape } from "../json/tape.ts";

const AT = "@";
const NONE: readonly string[] = [];

/** What the venue calls it. */
export function tickerOf(symbol: string): string {
  const at = symbol.indexOf(AT);
  return at < 0 ? symbol : symbol.slice(0, at);
}

interface Wanted {
  /** The ticker itself, once, or nothing. */
  plain: readonly string[];
  /** Exchange → the symbol for it, and the ticker itself if that is wanted too. */
  by_exchange: Map<string, readonly string[]>;
  symbols: Set<string>;
}

export class SymbolRoutes {
  readonly #tickers = new Map<string, Wanted>();

  constructor(symbols: Iterable<string>) {
    for (const symbol of symbols) this.add(symbol);
  }
  add(symbol: string): void {
    const ticker = tickerOf(symbol);
    const symbols = this.#tickers.get(ticker)?.symbols ?? new Set();
    this.#tickers.set(ticker, wantedOf(ticker, symbols.add(symbol)));
  }
  /** True when nothing of its ticker is wanted any more. */
  remove(symbol: string): boolean {
    const ticker = tickerOf(symbol);
    const symbols = this.#tickers.get(ticker)?.symbols ?? new Set();
    symbols.delete(symbol);
    if (symbols.size > 0) this.#tickers.set(ticker, wantedOf(ticker, symbols));
    else this.#tickers.delete(ticker);
    return symbols.size === 0;
  }
  /** @param exchange the node that names it; −1: the service names none */
  of(ticker: string, tape: JsonTape, exchange: number): readonly string[] {
    const wanted = this.#tickers.get(ticker);
    if (wanted === undefined) return NONE;
    if (wanted.by_exchange.size === 0) return wanted.plain;
    return wanted.by_exchange.get(tape.text(exchange).toLowerCase()) ?? wanted.plain;
  }
}

function wantedOf(ticker: string, symbols: Set<string>): Wanted {
  const plain = symbols.has(ticker) ? [ticker] : NONE;
  const by_exchange = new Map<string, readonly string[]>();
  for (const symbol of symbols) {
    if (symbol !== ticker) by_exchange.set(symbol.slice(ticker.length + 1), [...plain, symbol]);
  }
  return { plain, by_exchange, symbols };
}
