/**
 * The orders at the best N prices as a client with `depth` N was last told, and the changes that turn them into what they
 * are now. Orders that leave these prices are cancelled, those that come into them are added, so a client that only
 * applies changes always holds exactly these queues. Only queues that changed are looked into.
 */
import type {
  BookSideName,
  OrderAction,
  OrderBookView,
  OrderChange,
  OrderId,
  RestingOrder,
} from "../../../market/order_queue_book.ts";

interface ToldQueue {
  readonly price: number;
  readonly version: number;
  readonly orders: readonly RestingOrder[];
}
const SIDES = ["bid", "ask"] as const;

export class OrdersView {
  readonly #told: Record<BookSideName, ToldQueue[]> = { bid: [], ask: [] };
  #book: OrderBookView | undefined;
  #reductions: OrderChange[] = [];
  #additions: OrderChange[] = [];
  /** Why orders changed, as far as the source said. */
  #reasons = new Map<OrderId, OrderAction>();

  constructor(readonly depth: number) {}

  /** Best first, in the order of their queues. */
  orders(side: BookSideName): RestingOrder[] {
    return this.#told[side].flatMap(({ orders }) => orders);
  }
  /** Takes the book as it is now; returns what to tell. */
  update(book: OrderBookView, why: readonly OrderChange[] = []): OrderChange[] {
    this.#book = book;
    this.#reductions = [];
    this.#additions = [];
    this.#reasons = new Map(why.map(({ id, action }) => [id, action]));
    for (const side of SIDES) this.#side(side, book);
    // An order may go from one queue to another: it must be gone before it is added.
    return [...this.#reductions, ...this.#additions];
  }
  #side(side: BookSideName, book: OrderBookView): void {
    const told = this.#told[side];
    const next: ToldQueue[] = [];
    const is_better = (price: number, than: number) => side === "bid" ? price > than : price < than;
    let i = 0;
    for (const { price, version, orders } of book.queues(side, this.depth)) {
      while (i < told.length && is_better(told[i].price, price)) this.#gone(told[i++].orders);
      const before = i < told.length && told[i].price === price ? told[i++] : undefined;
      if (before?.version === version) {
        next.push(before);
        continue;
      }
      const queue = { price, version, orders: [...orders()] };
      this.#compare(before?.orders ?? [], queue.orders);
      next.push(queue);
    }
    while (i < told.length) this.#gone(told[i++].orders);
    this.#told[side] = next;
  }
  /**
   * Orders leave a queue anywhere and join at its end, so what stayed is the longest beginning of `after` that is found in
   * `before` in this order and did not grow. The rest is told as gone and come, which is right however it came about.
   */
  #compare(before: readonly RestingOrder[], after: readonly RestingOrder[]): void {
    let stayed = 0;
    for (const old of before) {
      const now = after[stayed];
      if (
        now === undefined || now.id !== old.id || now.quantity > old.quantity || now.since_us !== old.since_us
      ) {
        this.#gone([old]);
        continue;
      }
      stayed++;
      if (now.quantity < old.quantity) this.#reductions.push({ ...now, action: this.#reason(now.id) });
    }
    for (const order of after.slice(stayed)) this.#additions.push({ ...order, action: "add" });
  }
  #gone(orders: readonly RestingOrder[]): void {
    for (const order of orders) {
      const is_filled = this.#reasons.get(order.id) === "execute" && !this.#book?.order(order.id);
      this.#reductions.push({ ...order, quantity: 0, action: is_filled ? "execute" : "cancel" });
    }
  }
  #reason(id: OrderId): OrderAction {
    const said = this.#reasons.get(id);
    return said === undefined || said === "add" ? "cancel" : said;
  }
}
