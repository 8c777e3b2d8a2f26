/**
 * A Binance market for the stage: books kept from the tape's own snapshots and diffs, streams by name, REST from the
 * books. A recording's snapshot names no symbol: it goes to the book that waits for ids closest to its own.
 */
import { type Channel, CHANNELS } from "../../market/event.ts";
import { FAULTS, type MarketState, type MockKind, type MockOptions } from "../mock.ts";
import type { ConnectionRules, Entry, Program, Subscription } from "../stage/dialect.ts";
import { type MockWorld, openStage } from "../stage/stage.ts";
import type { Tape } from "../stage/tape.ts";
import { openCaptureTape } from "./capture_tape.ts";
import { BinanceConversation } from "./conversation.ts";
import { binanceWords } from "./corruption_words.ts";
import type { BinanceDialect } from "./dialect.ts";
import { openGeneratedTape } from "./generated_tape.ts";
import type { BinanceItem } from "./item.ts";
import { BinanceRest } from "./rest_rules.ts";
import { FrameCache } from "./stream.ts";
import { parseStreamPath } from "./stream_path.ts";
import { TextBook } from "./text_book.ts";

const SENT: readonly Channel[] = CHANNELS.filter((channel) => channel !== "ticker" && channel !== "candles");

/** The mock of one of the two markets. */
export function binanceMock(dialect: BinanceDialect): MockKind {
  return {
    name: dialect.name,
    summary: dialect.summary,
    faults: FAULTS,
    channels: SENT,
    trades_have_ids: true,
    async open(options, world) {
      const tape = await openTape(dialect, options, world);
      return await openStage(new BinanceProgram(dialect, tape, world), FAULTS, options, world);
    },
  };
}

async function openTape(
  dialect: BinanceDialect,
  options: MockOptions,
  { clock, log }: MockWorld,
): Promise<Tape<BinanceItem>> {
  const symbols = options.symbols.map((one) => one.trim().toUpperCase());
  return options.capture === undefined
    ? openGeneratedTape(symbols, dialect, options, clock)
    : await openCaptureTape(options.capture, symbols, dialect, log);
}

class BinanceProgram implements Program<BinanceItem> {
  readonly name: string;
  readonly words = binanceWords;
  readonly rules: ConnectionRules;
  readonly rest: BinanceRest;
  readonly start_routes: readonly string[] | undefined;
  readonly #books: ReadonlyMap<string, TextBook>;
  readonly #frames = new FrameCache();
  readonly #trades = new Map<string, number>();
  /** Given a snapshot by the tape just now. */
  #anchored: TextBook[] = [];

  constructor(readonly dialect: BinanceDialect, readonly tape: Tape<BinanceItem>, { clock }: MockWorld) {
    this.name = dialect.name;
    this.start_routes = tape.total === undefined ? undefined : dialect.routes;
    this.rules = {
      max_client_messages_per_s: dialect.max_client_messages_per_s,
      ping: { interval_ms: dialect.ping_interval_ms, pong_timeout_ms: dialect.pong_timeout_ms },
    };
    this.#books = new Map(
      [...tape.symbols.keys()].map((one) => [one, new TextBook(one, dialect.chains_by_previous_id)]),
    );
    this.rest = new BinanceRest(dialect, this.#books, tape.symbols, clock);
  }
  get gaps(): number {
    return [...this.#books.values()].reduce((sum, book) => sum + book.gaps, 0);
  }
  starts({ kinds }: Subscription<BinanceItem>): boolean {
    return kinds.includes("depth");
  }
  enter(path: string): Entry<BinanceItem> | undefined {
    const { dialect } = this;
    const parsed = parseStreamPath(path, dialect.routes);
    if (!parsed) return undefined;
    return {
      route: parsed.route,
      converse: (line) => new BinanceConversation(line, parsed, dialect, this.#frames),
    };
  }
  take(item: BinanceItem): boolean {
    if (item.kind === "snapshot") {
      this.#anchor(item);
      return false;
    }
    if (item.kind === "depth") this.#books.get(item.symbol)?.applyDiff(item.data);
    if (item.kind === "trade") this.#trades.set(item.symbol, (this.#trades.get(item.symbol) ?? 0) + 1);
    return true;
  }
  lastId(symbol: string): number {
    return this.#books.get(symbol)?.last_update_id ?? 0;
  }
  state(symbol: string): MarketState | undefined {
    const book = this.#books.get(symbol);
    if (!book) return undefined;
    // A recording's trades may be of kinds that clients don't get.
    const trades = this.tape.total === undefined ? this.#trades.get(symbol) ?? 0 : undefined;
    return { ...book.state(), trades };
  }
  whenBook(symbol: string): Promise<void> | undefined {
    const book = this.#books.get(symbol);
    return book?.synced ? undefined : book?.whenSynced();
  }
  /** The first depth request for each book that got its snapshot just now. */
  holdUntil(): Promise<unknown> | undefined {
    const anchored = this.#anchored.splice(0);
    return anchored.length > 0 ? Promise.all(anchored.map((book) => book.whenServed())) : undefined;
  }

  #anchor(item: BinanceItem): void {
    const book = this.#books.get(item.symbol) ?? this.#bookWaitingFor(item);
    if (!book) return;
    book.applySnapshot(item.data);
    this.#anchored.push(book);
  }
  #bookWaitingFor(item: BinanceItem): TextBook | undefined {
    const id = Number(/"lastUpdateId":(\d+)/.exec(item.data)?.[1]);
    const waiting = [...this.#books.values()].filter((book) => !book.synced)
      .sort((a, b) => a.distance(id) - b.distance(id));
    return waiting[0];
  }
}
