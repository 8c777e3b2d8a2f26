/** One book of levels as the protocol's rules keep it (`kept_state.ts`). */
import { OrderBook } from "../market/order_book.ts";
import type { LevelList } from "../market/level_list.ts";
import { KeptState } from "./kept_state.ts";
import type { BookMessage } from "./messages.ts";

export class KeptBook extends KeptState<BookMessage> {
  /** Undefined where the client keeps none and only watches the sequence. */
  readonly book: OrderBook | undefined;

  constructor(venue: string, symbol: string, keeps_levels: boolean) {
    super(venue, symbol, keeps_levels);
    this.book = keeps_levels ? new OrderBook() : undefined;
  }

  protected override isWhole({ type }: BookMessage): boolean {
    return type === "snapshot";
  }
  protected override lay(message: BookMessage): void {
    if (message.type === "snapshot") this.#replace(message);
    else this.book?.apply(message.bids, message.asks);
  }
  #replace({ bids, asks, bid_bound, ask_bound }: BookMessage): void {
    const { book } = this;
    if (book === undefined) return;
    book.price_decimals = book.quantity_decimals = 0;
    book.replace(bids, asks);
    if (bid_bound !== undefined) book.bids.bound_key = bid_bound;
    if (ask_bound !== undefined) book.asks.bound_key = -ask_bound;
  }
}

/**
 * The depth limit of a snapshot event, which has one for both sides. A side that reaches it counts as known to its last
 * level only: with a bound on one side the other may be taken for known to less than it is, never to more.
 */
export function depthLimitOf(
  { bids, asks, bid_bound, ask_bound }: {
    bids: LevelList;
    asks: LevelList;
    bid_bound?: number;
    ask_bound?: number;
  },
): number | undefined {
  const limit = Math.min(
    bid_bound === undefined ? Infinity : bids.size,
    ask_bound === undefined ? Infinity : asks.size,
  );
  return limit === Infinity ? undefined : limit;
}
