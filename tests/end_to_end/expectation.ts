/**
 * What a gateway must know in the end, from a side that had no part in its running: a recording read in the plainest way,
 * or the state of the mock itself.
 */
import type { BookState, Hub } from "../../lib/flow/hub.ts";
import { LevelList } from "../../lib/market/level_list.ts";
import { type BookView, OrderBook } from "../../lib/market/order_book.ts";
import type { Level, MarketState, MockKind, MockVenue } from "../../lib/mocks/mock.ts";
import { firstDifference } from "./clean_book.ts";
import type { WatchfulReceiver } from "./watchful_receiver.ts";

export interface Expectation {
  readonly symbols: readonly string[];
  /** What is not yet, or not at all, as it must be in the end. */
  missing(hub: Hub, watchful: WatchfulReceiver): string[];
}

/** A right book need not know all levels of the venue, but these many a side, where there are so many. */
const LEVELS_AT_LEAST = 5;

/** From a recording: the book at its last id is the recording's last. */
export function recordedEnd(venue: string, clean: ReadonlyMap<string, BookState>): Expectation {
  return {
    symbols: [...clean.keys()],
    missing(hub) {
      return [...clean].flatMap(([symbol, want]) => {
        const found = hub.book(venue, symbol);
        if (found?.in_sync && found.last_update_id === want.last_update_id) {
          return bookDifferences(symbol, found.book, want.book);
        }
        return [`${standOf(symbol, found)} at ${found?.last_update_id}, want ${want.last_update_id}`];
      });
    },
  };
}

/** From the mock, once it has played to its end: its own books, or its last quotes and prices where it sells no books. */
export function mockEnd(kind: MockKind, mock: MockVenue): Expectation {
  return {
    symbols: mock.symbols,
    missing(hub, watchful) {
      if (!mock.stats().finished) return [`${kind.name}: the market is not over`];
      return mock.symbols.flatMap((symbol) => {
        const state = mock.state(symbol)!;
        if (!kind.channels.includes("book")) return lastDifferences(symbol, kind, state, watchful);
        const found = hub.book(kind.name, symbol);
        if (!found?.in_sync) return [standOf(symbol, found)];
        return bookDifferences(symbol, found.book, bookOf(state.bids, state.asks));
      });
    },
  };
}

function standOf(symbol: string, found: BookState | undefined): string {
  return `${symbol}: ${found?.in_sync ? "in sync" : `out of sync (${found?.reason})`}`;
}

export function bookOf(bids: readonly Level[], asks: readonly Level[]): BookView {
  const book = new OrderBook();
  book.replace(listOf(bids), listOf(asks));
  return book;
}
function listOf(levels: readonly Level[]): LevelList {
  const list = new LevelList(levels.length);
  for (const [price, quantity] of levels) list.push(Number(price), Number(quantity));
  return list;
}

function bookDifferences(symbol: string, found: BookView, want: BookView): string[] {
  const wrong: string[] = [];
  for (const side of ["bids", "asks"] as const) {
    const difference = firstDifference(found[side], want[side]);
    if (difference !== undefined) wrong.push(`${symbol} ${side} ${difference}`);
    const { known } = found[side];
    const least = Math.min(LEVELS_AT_LEAST, want[side].size);
    if (known < least) wrong.push(`${symbol} ${side}: ${known} levels known, want at least ${least}`);
  }
  return wrong;
}

function lastDifferences(
  symbol: string,
  { channels }: MockKind,
  { quote, last_price }: MarketState,
  watchful: WatchfulReceiver,
): string[] {
  const wrong: string[] = [];
  if (channels.includes("quote")) {
    const found = watchful.quotes.get(symbol);
    const [bid, ask] = [Number(quote?.bid[0]), Number(quote?.ask[0])];
    if (found?.bid !== bid || found.ask !== ask) {
      wrong.push(`${symbol}: quote ${found?.bid}/${found?.ask}, want ${bid}/${ask}`);
    }
  }
  if (channels.includes("ticker")) {
    const found = watchful.last_prices.get(symbol);
    if (found !== Number(last_price)) wrong.push(`${symbol}: last price ${found}, want ${last_price}`);
  }
  return wrong;
}
