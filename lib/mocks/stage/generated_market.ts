/**
 * A market from the simulation, for any venue: endless, or over after a time of its own. Equal options and starting time
 * give equal happenings. Ids start from wall-clock milliseconds × 1000, so they rise across restarts.
 * A quote carries the id at which it is true, so a reader may compare its book with it.
 */
import type { Clock } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import { instrumentOf } from "../../simulation/instruments.ts";
import { SimulatedMarket } from "../../simulation/market.ts";
import type { MockOptions } from "../mock.ts";
import { GeneratedSymbol } from "./generated_symbol.ts";
import type { Happening, Opening } from "./happening.ts";
import type { SymbolGrid } from "./tape.ts";

const DEFAULT_INTERVAL_MS = 100;
const DEFAULT_RATE_PER_S = 20;
const MAX_SYMBOLS = 1_000;

export class GeneratedMarket {
  readonly symbols: ReadonlyMap<string, SymbolGrid>;
  readonly start_ms: number;
  readonly duration_ms: number;
  readonly #interval_ms: number;

  /**
   * @param names symbols as the venue writes them
   * @param simulatedAs the symbol's name in the words of lib/simulation, where the venue's is no such name
   * @throws UserError for a name that is no symbol, or too many
   */
  constructor(
    names: readonly string[],
    readonly options: Pick<MockOptions, "seed" | "interval_ms" | "rate_per_s" | "duration_ms">,
    clock: Clock,
    readonly simulatedAs: (symbol: string) => string = (symbol) => symbol,
  ) {
    const wanted = [...new Set(names)];
    if (wanted.length > MAX_SYMBOLS) {
      throw new UserError(`generate symbols: ${wanted.length}, want at most ${MAX_SYMBOLS}`, { code: 2 });
    }
    this.symbols = new Map(wanted.map((name) => {
      const { price_decimals, quantity_decimals } = instrumentOf(simulatedAs(name));
      return [name, { price_decimals, quantity_decimals }];
    }));
    this.start_ms = clock.now_ms();
    this.duration_ms = options.duration_ms ?? Infinity;
    this.#interval_ms = options.interval_ms ?? DEFAULT_INTERVAL_MS;
  }
  get is_finite(): boolean {
    return this.duration_ms !== Infinity;
  }
  /** Added to simulated ids. */
  get base_id(): number {
    return this.start_ms * 1000;
  }
  /** Share of the market's time that is over, 0 … 1; 0 when it has no end. */
  progress({ at_us }: { at_us: number }): number {
    return (at_us / 1000 - this.start_ms) / this.duration_ms;
  }
  /** The books before anything happens. */
  openings(): Opening[] {
    return this.#open().map((one) => one.opening());
  }
  /** What happens, one batch per interval, in order of time. Each call begins anew. */
  *steps(): Generator<Happening[]> {
    const markets = this.#open();
    for (let step = 1; step * this.#interval_ms <= this.duration_ms; step++) {
      const items: Happening[] = [];
      for (const one of markets) one.advance(this.start_ms + step * this.#interval_ms, items);
      yield items.sort((a, b) => a.at_us - b.at_us);
    }
  }
  #open(): GeneratedSymbol[] {
    const { seed, rate_per_s = DEFAULT_RATE_PER_S } = this.options;
    const { start_ms } = this;
    return [...this.symbols.keys()].map((name) => {
      const instrument = instrumentOf(this.simulatedAs(name));
      const market = new SimulatedMarket({ instrument, seed, start_ms, rate_per_s });
      return new GeneratedSymbol(name, market, this.base_id);
    });
  }
}
