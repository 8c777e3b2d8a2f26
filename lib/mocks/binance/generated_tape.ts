/**
 * An endless tape from the simulation: per symbol a snapshot first, then quotes and trades as they happen and one diff per
 * interval in which the book changed. Update ids start from wall-clock milliseconds × 1000, so they rise across restarts.
 * A quote carries the id at which it is true, so a reader may compare its book with it.
 */
import type { Clock } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import { instrumentOf } from "../../simulation/instruments.ts";
import { SimulatedMarket } from "../../simulation/market.ts";
import type { MockOptions } from "../mock.ts";
import type { BinanceDialect } from "./dialect.ts";
import { GeneratedSymbol } from "./generated_symbol.ts";
import type { Tape, TapeItem } from "./tape.ts";

const DEFAULT_SYMBOLS = ["BTCUSDT", "ETHUSDT"] as const;
const DEFAULT_INTERVAL_MS = 100;
const DEFAULT_RATE_PER_S = 20;
const MAX_SYMBOLS = 1_000;

/** @throws UserError for a name that is no symbol, or too many */
export function openGeneratedTape(
  wanted: readonly string[],
  dialect: BinanceDialect,
  options: MockOptions,
  clock: Clock,
): Tape {
  const names = [...new Set(wanted.length > 0 ? wanted : DEFAULT_SYMBOLS)];
  if (names.length > MAX_SYMBOLS) {
    throw new UserError(`generate symbols: ${names.length}, want at most ${MAX_SYMBOLS}`, { code: 2 });
  }
  const instruments = names.map(instrumentOf);
  const interval_ms = options.interval_ms ?? DEFAULT_INTERVAL_MS;
  return {
    symbols: new Map(
      instruments.map((one) => [one.symbol, {
        price_decimals: one.price_decimals,
        quantity_decimals: one.quantity_decimals,
      }]),
    ),
    waits_for_subscriber: false,
    async *batches() {
      const start_ms = clock.now_ms();
      const markets = instruments.map((instrument) => {
        const market = new SimulatedMarket({
          instrument,
          seed: options.seed,
          start_ms,
          rate_per_s: options.rate_per_s ?? DEFAULT_RATE_PER_S,
        });
        return new GeneratedSymbol(market, dialect, start_ms * 1000);
      });
      yield markets.map((one) => one.snapshot(start_ms));
      for (let step = 1;; step++) {
        const items: TapeItem[] = [];
        for (const one of markets) one.advance(start_ms + step * interval_ms, items);
        yield items.sort((a, b) => a.at_us - b.at_us);
      }
    },
  };
}
