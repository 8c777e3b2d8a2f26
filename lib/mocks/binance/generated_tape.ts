/**
 * The generated market in Binance's words: per symbol a snapshot first, then `{"e":"depthUpdate",…}`, bookTicker and
 * trade. Ids are contiguous on spot and jump on futures: venue id = base + simulated id × stride.
 */
import type { Clock } from "../../base/clock.ts";
import type { MockOptions } from "../mock.ts";
import { GeneratedMarket } from "../stage/generated_market.ts";
import type { BookChange, Happening, Opening, QuoteHappening, TradeHappening } from "../stage/happening.ts";
import type { Tape } from "../stage/tape.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { BinanceItem, ItemKind } from "./item.ts";

const DEFAULT_SYMBOLS = ["BTCUSDT", "ETHUSDT"] as const;
const FUTURES_STRIDE = 7;

/** @throws UserError for a name that is no symbol, or too many */
export function openGeneratedTape(
  wanted: readonly string[],
  dialect: BinanceDialect,
  options: MockOptions,
  clock: Clock,
): Tape<BinanceItem> {
  const market = new GeneratedMarket(wanted.length > 0 ? wanted : DEFAULT_SYMBOLS, options, clock);
  const words = new GeneratedWords(dialect.chains_by_previous_id, market.base_id);
  return {
    symbols: market.symbols,
    waits_for_subscriber: market.is_finite,
    progress: (item) => market.progress(item),
    async *batches() {
      yield market.openings().map((one) => words.snapshot(one));
      for (const step of market.steps()) yield step.flatMap((one) => words.of(one) ?? []);
    },
  };
}

class GeneratedWords {
  readonly #stride: number;

  constructor(readonly is_futures: boolean, readonly base_id: number) {
    this.#stride = is_futures ? FUTURES_STRIDE : 1;
  }
  /** `{"lastUpdateId":…,"E":…,"T":…,"bids":[["p","q"]],"asks":[…]}`; spot: no times. */
  snapshot({ symbol, at_ms, last_id, bids, asks }: Opening): BinanceItem {
    const times = this.is_futures ? { E: at_ms, T: at_ms } : {};
    const data = JSON.stringify({ lastUpdateId: this.#id(last_id), ...times, bids, asks });
    return { kind: "snapshot", symbol, suffix: "", at_us: at_ms * 1000, data };
  }
  /** Undefined: not sold here. */
  of(happening: Happening): BinanceItem | undefined {
    switch (happening.kind) {
      case "book":
        return item("depth", "depth@100ms", happening, this.#depth(happening));
      case "quote":
        return item("quote", "bookTicker", happening, this.#quote(happening));
      case "trade":
        return item("trade", "trade", happening, this.#trade(happening));
      default:
        return undefined;
    }
  }

  #id(neutral: number): number {
    return this.base_id + (neutral - this.base_id) * this.#stride;
  }
  #depth({ symbol, at_ms, first_id, last_id, previous_id, bids, asks }: BookChange): string {
    const time = this.is_futures ? `"T":${at_ms},` : "";
    const family = this.is_futures ? `"ps":"${symbol}","st":1,` : "";
    const chain = this.is_futures ? `"pu":${this.#id(previous_id)},` : "";
    return `{"e":"depthUpdate","E":${at_ms},${time}"s":"${symbol}",${family}` +
      `"U":${this.#id(first_id)},"u":${this.#id(last_id)},${chain}` +
      `"b":${JSON.stringify(bids)},"a":${JSON.stringify(asks)}}`;
  }
  /** `{"e":"bookTicker","u":…,"E":…,"T":…,"s":"BTCUSDT","b":"…","B":"…","a":"…","A":"…"}`; spot: no e, no times. */
  #quote({ symbol, at_ms, id, bid, ask }: QuoteHappening): string {
    return JSON.stringify({
      ...(this.is_futures ? { e: "bookTicker" } : {}),
      u: this.#id(id),
      ...(this.is_futures ? { E: at_ms, T: at_ms } : {}),
      s: symbol,
      ...(this.is_futures ? { ps: symbol, st: 1 } : {}),
      b: bid[0],
      B: bid[1],
      a: ask[0],
      A: ask[1],
    });
  }
  /** `{"e":"trade","E":…,"T":…,"s":"BTCUSDT","t":…,"p":"…","q":"…","X":"MARKET","m":false}`; spot: `M` for `X`. */
  #trade({ symbol, at_ms, id, price, quantity, aggressor }: TradeHappening): string {
    return JSON.stringify({
      e: "trade",
      E: at_ms,
      T: at_ms,
      s: symbol,
      t: id,
      p: price,
      q: quantity,
      ...(this.is_futures ? { X: "MARKET" } : {}),
      m: aggressor === "sell",
      ...(this.is_futures ? {} : { M: true }),
    });
  }
}

function item(kind: ItemKind, suffix: string, { symbol, at_us }: Happening, data: string): BinanceItem {
  return { kind, symbol, suffix, at_us, data };
}
