/**
 * A consumer that believes nothing: keeps its own book from the published updates, and complains when something is
 * published while out of sync, when a sequence number is missing, or when the deltas do not add up to the book.
 */
import type { Receiver } from "../../lib/flow/hub.ts";
import type { Trade } from "../../lib/market/event.ts";
import type { BookSide } from "../../lib/market/book_side.ts";
import type { LevelList } from "../../lib/market/level_list.ts";
import type { BookUpdate, MarketUpdate } from "../../lib/market/update.ts";

type Levels = Map<number, number>;
interface Watched {
  in_sync: boolean;
  sequence: number;
  bids: Levels;
  asks: Levels;
  updates: number;
}
/** Every so many updates the whole book is compared, which is slow. */
const COMPARE_EVERY = 500;
const MAX_COMPLAINTS = 20;

export class WatchfulReceiver implements Receiver {
  readonly name = "watchful";
  readonly complaints: string[] = [];
  readonly books = new Map<string, Watched>();
  /** The venue's ids, numbers or texts, in order of publication. */
  readonly trade_ids = new Map<string, (number | string)[]>();
  readonly trades = new Map<string, number>();
  /** The last of each symbol. */
  readonly quotes = new Map<string, { bid?: number; ask?: number }>();
  readonly last_prices = new Map<string, number | undefined>();
  unsynced = 0;

  offer(update: MarketUpdate): void {
    if (update.kind === "trade") this.#trade(update);
    if (update.kind === "ticker") this.last_prices.set(update.symbol, update.last_price);
    // Pooled: copied, since it is valid during the call only.
    if (update.kind === "quote") this.quotes.set(update.symbol, { bid: update.bid, ask: update.ask });
    if (update.kind === "book_status") {
      if (!update.in_sync) this.unsynced++;
      this.#watched(update.symbol).in_sync = update.in_sync;
    }
    if (update.kind === "book") this.#book(update);
  }

  #trade({ symbol, trade_id, venue_trade_id }: Trade): void {
    this.trades.set(symbol, (this.trades.get(symbol) ?? 0) + 1);
    const id = trade_id ?? venue_trade_id;
    if (id === undefined) return;
    const ids = this.trade_ids.get(symbol) ?? [];
    ids.push(id);
    this.trade_ids.set(symbol, ids);
  }
  #book(update: BookUpdate): void {
    const watched = this.#watched(update.symbol);
    const at = `${update.symbol} #${update.sequence}`;
    if (!watched.in_sync) this.#complain(`${at}: published while out of sync`);
    if (update.sequence !== watched.sequence + 1) this.#complain(`${at}: follows #${watched.sequence}`);
    watched.sequence = update.sequence;
    const { bids, asks } = update.book;
    if (bids.best_key >= -asks.best_key) this.#complain(`${at}: crossed`);
    if (update.delta) {
      applyTo(watched.bids, update.delta.bids);
      applyTo(watched.asks, update.delta.asks);
    } else {
      watched.bids = levelsOf(bids);
      watched.asks = levelsOf(asks);
    }
    if (++watched.updates % COMPARE_EVERY === 0) this.compare(update.symbol, bids, asks);
  }
  /** The book kept from deltas against the book itself. */
  compare(symbol: string, bids: BookSide, asks: BookSide): void {
    const watched = this.#watched(symbol);
    for (
      const [name, ours, theirs] of [["bids", watched.bids, bids], ["asks", watched.asks, asks]] as const
    ) {
      if (ours.size !== theirs.size) {
        this.#complain(
          `${symbol} ${name}: ${ours.size} levels by deltas, ${theirs.size} in the book`,
        );
      }
      for (let i = 0; i < theirs.size; i++) {
        if (ours.get(theirs.price(i)) !== theirs.quantity(i)) {
          this.#complain(
            `${symbol} ${name} ${theirs.price(i)}: ${ours.get(theirs.price(i))} by deltas, ${
              theirs.quantity(i)
            }`,
          );
          break;
        }
      }
    }
  }
  #watched(symbol: string): Watched {
    let found = this.books.get(symbol);
    if (!found) {
      found = { in_sync: false, sequence: 0, bids: new Map(), asks: new Map(), updates: 0 };
      this.books.set(symbol, found);
    }
    return found;
  }
  #complain(complaint: string): void {
    if (this.complaints.length < MAX_COMPLAINTS) this.complaints.push(complaint);
  }
}

function applyTo(levels: Levels, list: LevelList): void {
  for (let i = 0; i < list.size; i++) {
    if (list.quantities[i] === 0) levels.delete(list.prices[i]);
    else levels.set(list.prices[i], list.quantities[i]);
  }
}
function levelsOf(side: BookSide): Levels {
  const levels: Levels = new Map();
  for (let i = 0; i < side.size; i++) levels.set(side.price(i), side.quantity(i));
  return levels;
}
