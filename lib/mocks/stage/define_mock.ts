/**
 * A mock from a dialect on a generated market: the kit's front door for a new venue. The dialect says how the venue
 * talks; market, books, pace, faults and statistics come with the kit. The recipe is in lib/README.md.
 */
import type { Clock } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import type { Channel } from "../../market/event.ts";
import type { Fault, MarketState, MockKind, MockOptions } from "../mock.ts";
import type { CorruptionWords } from "./corruption.ts";
import type { ConnectionRules, Entry, Program, RestRules, Subscription } from "./dialect.ts";
import { GeneratedMarket } from "./generated_market.ts";
import type { Happening, QuoteHappening, TickerHappening, TradeHappening } from "./happening.ts";
import { type MockWorld, openStage } from "./stage.ts";
import { StageBook } from "./stage_book.ts";
import type { SymbolGrid, Tape } from "./tape.ts";

const RECENT_TRADES = 50;

/** The market as the dialect may look at it, at any moment. */
export interface StagedMarket {
  readonly symbols: ReadonlyMap<string, SymbolGrid>;
  readonly clock: Clock;
  /** What was announced last; undefined before the first, or for a symbol that is not served. */
  quote(symbol: string): QuoteHappening | undefined;
  ticker(symbol: string): TickerHappening | undefined;
  /** The latest, at most 50, oldest first. */
  trades(symbol: string): readonly TradeHappening[];
  /** Undefined for a symbol that is not served. In `render` it stands right after the happening. */
  book(symbol: string): StageBook | undefined;
}

/** What one opened mock says; made anew for each, so it may keep state. */
export interface VenueWords {
  /** Who talks on this path; undefined: the venue has no such path. */
  enter(path: string): Entry<Happening> | undefined;
  rest?: RestRules;
}

export interface VenueDialect {
  /** The feed's registry name. */
  readonly name: string;
  readonly summary: string;
  /** FAULTS, or STREAM_FAULTS where no snapshot comes by REST. */
  readonly faults: readonly Fault[];
  /** What it sends; without "book" a gateway is judged by the last quotes and last prices. */
  readonly channels: readonly Channel[];
  readonly trades_have_ids: boolean;
  /** As the venue writes them; served when the caller names none. */
  readonly default_symbols: readonly string[];
  /** The venue's spelling of what a caller wrote. Default: upper case. */
  symbol?(text: string): string;
  /** The symbol's name in the words of lib/simulation, where the venue's is none ("EURUSD=X"). */
  simulatedAs?(symbol: string): string;
  readonly rules: ConnectionRules;
  readonly words: CorruptionWords;
  open(market: StagedMarket): VenueWords;
}

export function defineMock(dialect: VenueDialect): MockKind {
  const { name, summary, faults, channels, trades_have_ids } = dialect;
  return {
    name,
    summary,
    faults,
    channels,
    trades_have_ids,
    // deno-lint-ignore require-await -- a wrong option is a rejection like every other failure to open
    async open(options, world) {
      return openStage(new GeneratedProgram(dialect, options, world), faults, options, world);
    },
  };
}

class GeneratedProgram implements Program<Happening>, StagedMarket {
  readonly name: string;
  readonly rules: ConnectionRules;
  readonly words: CorruptionWords;
  readonly tape: Tape<Happening>;
  readonly symbols: ReadonlyMap<string, SymbolGrid>;
  readonly clock: Clock;
  readonly gaps = 0;
  readonly rest: RestRules | undefined;
  readonly #venue: VenueWords;
  readonly #books: ReadonlyMap<string, StageBook>;
  readonly #quotes = new Map<string, QuoteHappening>();
  readonly #tickers = new Map<string, TickerHappening>();
  readonly #trades = new Map<string, { count: number; recent: TradeHappening[] }>();

  constructor(readonly dialect: VenueDialect, options: MockOptions, { clock }: MockWorld) {
    if (options.capture !== undefined) {
      throw new UserError(`open mock ${dialect.name}: it plays no captures, want none`, { code: 2 });
    }
    const { default_symbols, symbol = (text: string) => text.toUpperCase() } = dialect;
    const names = options.symbols.length > 0
      ? options.symbols.map((one) => symbol(one.trim()))
      : default_symbols;
    const market = new GeneratedMarket(names, options, clock, dialect.simulatedAs?.bind(dialect));
    this.name = dialect.name;
    this.rules = dialect.rules;
    this.words = dialect.words;
    this.clock = clock;
    this.symbols = market.symbols;
    this.#books = new Map(market.openings().map((opening) => [opening.symbol, new StageBook(opening)]));
    this.tape = {
      symbols: market.symbols,
      waits_for_subscriber: market.is_finite,
      progress: (item) => market.progress(item),
      async *batches() {
        yield* market.steps();
      },
    };
    this.#venue = dialect.open(this);
    this.rest = this.#venue.rest;
  }
  starts(_: Subscription<Happening>): boolean {
    return true;
  }
  enter(path: string): Entry<Happening> | undefined {
    return this.#venue.enter(path);
  }
  take(item: Happening): boolean {
    const { symbol } = item;
    if (item.kind === "book") this.#books.get(symbol)!.apply(item);
    if (item.kind === "quote") this.#quotes.set(symbol, item);
    if (item.kind === "ticker") this.#tickers.set(symbol, item);
    if (item.kind === "trade") this.#keepTrade(item);
    return true;
  }
  lastId(symbol: string): number {
    return this.#books.get(symbol)?.last_id ?? 0;
  }
  state(symbol: string): MarketState | undefined {
    const book = this.#books.get(symbol);
    if (!book) return undefined;
    const sells_books = this.dialect.channels.includes("book");
    const { last_id, bids, asks } = book;
    return {
      last_id,
      bids: sells_books ? [...bids] : [],
      asks: sells_books ? [...asks] : [],
      quote: this.#quotes.get(symbol),
      last_price: this.#tickers.get(symbol)?.last?.[0],
      trades: this.#trades.get(symbol)?.count ?? 0,
    };
  }
  /** The books are there from the beginning. */
  whenBook(_: string): undefined {}
  /** A venue without books has nothing else that tells a late client where the market stands. */
  encore(): readonly Happening[] {
    if (this.dialect.channels.includes("book")) return [];
    return [...this.#quotes.values(), ...this.#tickers.values()];
  }

  quote(symbol: string): QuoteHappening | undefined {
    return this.#quotes.get(symbol);
  }
  ticker(symbol: string): TickerHappening | undefined {
    return this.#tickers.get(symbol);
  }
  trades(symbol: string): readonly TradeHappening[] {
    return this.#trades.get(symbol)?.recent ?? [];
  }
  book(symbol: string): StageBook | undefined {
    return this.#books.get(symbol);
  }
  #keepTrade(trade: TradeHappening): void {
    const known = this.#trades.get(trade.symbol) ?? { count: 0, recent: [] };
    known.count++;
    known.recent.push(trade);
    if (known.recent.length > RECENT_TRADES) known.recent.shift();
    this.#trades.set(trade.symbol, known);
  }
}
