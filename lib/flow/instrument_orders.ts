/**
 * Market by order of one instrument, kept beside its book of levels and told in step with it: an update of orders has the
 * sequence of the book update that it follows, and is not told where that was not. Events that do not belong to the book
 * as it stands make the orders unknown until the source tells them whole again.
 */
import type { OrderEvents } from "../market/event.ts";
import { OrderQueueBook } from "../market/order_queue_book.ts";
import type { OrdersUpdate } from "../market/update.ts";
import type { BookState } from "./hub.ts";

/** The book of levels that they belong to. */
type Levels = Pick<BookState, "in_sync" | "sequence" | "last_update_id">;

export class InstrumentOrders {
  readonly book = new OrderQueueBook();
  /** `book` holds all orders as of this id; undefined: it does not. */
  #known_id: number | undefined;
  /** As last told; undefined while something was applied that was not. */
  #told: OrdersUpdate | undefined;

  constructor(readonly venue: string, readonly symbol: string) {}

  /** As last told, while the book of levels is in sync and nothing of it is untold. */
  readable({ in_sync, sequence }: Levels): OrdersUpdate | undefined {
    return in_sync && this.#told?.sequence === sequence ? this.#told : undefined;
  }
  /** What to publish, if anything. */
  take(event: OrderEvents, levels: Levels, is_crossed: boolean): OrdersUpdate | undefined {
    // Redundant connections may bring it twice.
    if (!event.whole && event.last_id === this.#known_id) return undefined;
    const before = this.#told;
    this.#told = undefined;
    const is_ours = levels.in_sync && event.last_id === levels.last_update_id;
    if (!is_ours || !(event.whole || this.#known_id !== undefined)) {
      this.#known_id = undefined;
      return undefined;
    }
    if (event.whole) this.book.clear();
    for (const change of event.changes) this.book.apply(change);
    this.#known_id = event.last_id;
    if (is_crossed) return undefined;
    const { sequence } = levels;
    const follows = !event.whole && before?.sequence === sequence - 1;
    const { venue, symbol, exchange_ms, sent_ms, received_us } = event;
    return this.#told = {
      kind: "orders",
      venue,
      symbol,
      orders: this.book,
      changes: follows ? event.changes : undefined,
      sequence,
      last_update_id: event.last_id,
      exchange_ms,
      sent_ms,
      received_us,
    };
  }
}
