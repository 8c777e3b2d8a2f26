/**
 * One book of orders as the protocol's rules keep it (`kept_state.ts`), each order in its place of the queue; the levels
 * come from it. A change that does not fit what is kept breaks the protocol.
 */
import { OrderQueueBook } from "../market/order_queue_book.ts";
import { KeptState } from "./kept_state.ts";
import { type OrdersMessage, UnreadableMessage } from "./messages.ts";

export class KeptOrders extends KeptState<OrdersMessage> {
  /** Undefined where the client keeps none and only watches the sequence. */
  readonly book: OrderQueueBook | undefined;

  constructor(venue: string, symbol: string, keeps_orders: boolean) {
    super(venue, symbol, keeps_orders);
    this.book = keeps_orders ? new OrderQueueBook() : undefined;
  }

  protected override isWhole({ type }: OrdersMessage): boolean {
    return type === "orders_snapshot";
  }
  protected override lay(message: OrdersMessage): void {
    const { book } = this;
    if (book === undefined) return;
    const misfits = misfitsOf(book);
    if (message.type === "orders_snapshot") {
      book.clear();
      for (const { id, side, price, quantity, since_us } of [...message.bids, ...message.asks]) {
        book.add(id, side, price, quantity, since_us);
      }
    } else for (const change of message.changes) book.apply(change);
    if (misfitsOf(book) === misfits) return;
    this.lose("orders broken");
    throw new UnreadableMessage(`orders of ${this.symbol} do not fit at seq ${message.seq}`);
  }
}

function misfitsOf(
  { anomalies: { duplicate_adds, unknown_orders, excess_quantity } }: OrderQueueBook,
): number {
  return duplicate_adds + unknown_orders + excess_quantity;
}
