/**
 * A market-by-order book (L3): every resting order with its place in the queue of its price, kept from add, modify,
 * cancel, execute and clear events. Aggregated levels (MBP) are derived, never kept twice. An order loses its place when
 * its price changes or its quantity grows, and keeps it when it shrinks. Events that don't fit (unknown order, more
 * executed than rests) are counted and do the least that is certainly right; nothing throws.
 */

import { exactDecimal, ExactSum } from "../base/exact_sum.ts";

export type BookSideName = "bid" | "ask";
/** As the venue numbers them: integers below 2^53, else bigint or text. */
export type OrderId = number | bigint | string;

export interface RestingOrder {
  readonly id: OrderId;
  readonly side: BookSideName;
  readonly price: number;
  readonly quantity: number;
  /** When it got its place, Unix epoch, microseconds. */
  readonly since_us: number;
}

/** What happened to one order, told so that whoever applies it stands where the teller stands. */
export interface OrderChange extends RestingOrder {
  readonly action: OrderAction;
  /** What rests of it now; 0: it is gone. */
  readonly quantity: number;
}
export const ORDER_ACTIONS = ["add", "modify", "cancel", "execute"] as const;
export type OrderAction = typeof ORDER_ACTIONS[number];

/** The queue at one price. */
export interface OrderQueue {
  readonly price: number;
  /** Another one after every change to it, never one that it had before. */
  readonly version: number;
  orders(): Iterable<RestingOrder>;
}

/** One aggregated level. */
export interface OrderLevel {
  price: number;
  quantity: number;
  order_count: number;
}

export interface QueuePosition {
  side: BookSideName;
  price: number;
  /** Better prices that are filled first. */
  better_levels: number;
  /** Orders and quantity at the same price that come before it. */
  orders_ahead: number;
  quantity_ahead: number;
}

/** What may be read of it. */
export type OrderBookView = Pick<
  OrderQueueBook,
  "order_count" | "order" | "position" | "levelAt" | "levels" | "orders" | "queues"
>;

export interface BookAnomalies {
  /** Added although it rests: taken as the venue's newest word. */
  duplicate_adds: number;
  /** Modified, cancelled or executed, and not there. */
  unknown_orders: number;
  /** More cancelled or executed than there was. */
  excess_quantity: number;
}

interface Node {
  id: OrderId;
  quantity: number;
  since_us: number;
  level: Level;
  before: Node | undefined;
  after: Node | undefined;
}
interface Level {
  readonly side: BookSideName;
  readonly price: number;
  first: Node | undefined;
  last: Node | undefined;
  count: number;
  /** Of the whole quantities, and how many are none. */
  whole_sum: number;
  fractions: number;
  version: number;
}

/** Prices of one side, best first, with their queues. */
class Ladder {
  readonly levels: Level[] = [];
  readonly #by_price = new Map<number, Level>();

  constructor(readonly side: BookSideName) {}

  at(price: number): Level | undefined {
    return this.#by_price.get(price);
  }
  take(price: number): Level {
    let level = this.#by_price.get(price);
    if (level === undefined) {
      level = {
        side: this.side,
        price,
        first: undefined,
        last: undefined,
        count: 0,
        whole_sum: 0,
        fractions: 0,
        version: 0,
      };
      this.#by_price.set(price, level);
      this.levels.splice(this.rank(price), 0, level);
    }
    return level;
  }
  remove(level: Level): void {
    this.#by_price.delete(level.price);
    this.levels.splice(this.rank(level.price), 1);
  }
  clear(): void {
    this.levels.length = 0;
    this.#by_price.clear();
  }
  /** How many levels are better than this price. */
  rank(price: number): number {
    const sign = this.side === "bid" ? -1 : 1;
    let low = 0;
    let high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.levels[middle].price * sign < price * sign) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class OrderQueueBook {
  readonly #orders = new Map<OrderId, Node>();
  readonly #ladders = { bid: new Ladder("bid"), ask: new Ladder("ask") };
  #version = 0;
  readonly anomalies: BookAnomalies = { duplicate_adds: 0, unknown_orders: 0, excess_quantity: 0 };

  /** Told of each price whose level changed; may be told twice. */
  constructor(readonly changed: (side: BookSideName, price: number) => void = () => {}) {}

  get order_count(): number {
    return this.#orders.size;
  }
  add(id: OrderId, side: BookSideName, price: number, quantity: number, at_us: number): void {
    const known = this.#orders.get(id);
    if (known) {
      this.anomalies.duplicate_adds++;
      this.#unlink(known);
    }
    if (quantity > 0) this.#link(id, side, price, quantity, at_us);
  }
  /** New price and quantity; 0 removes. An order that is not there is added, when its side is told. */
  modify(id: OrderId, price: number, quantity: number, at_us: number, side?: BookSideName): void {
    const node = this.#orders.get(id);
    if (node === undefined) {
      this.anomalies.unknown_orders++;
      if (side !== undefined && quantity > 0) this.#link(id, side, price, quantity, at_us);
      return;
    }
    if (quantity <= 0) return this.#unlink(node);
    const { level } = node;
    if (price !== level.price || quantity > node.quantity) {
      this.#unlink(node);
      return this.#link(id, level.side, price, quantity, at_us);
    }
    setQuantity(node, quantity);
    this.#touched(level);
  }
  /** So much less; absent: all of it. */
  cancel(id: OrderId, quantity?: number): void {
    this.#reduce(id, quantity);
  }
  /** So much of it was filled. */
  execute(id: OrderId, quantity: number): void {
    this.#reduce(id, quantity);
  }
  /** What another book told; the order then rests, and stands, as it does there. */
  apply({ action, id, side, price, quantity, since_us }: OrderChange): void {
    if (action === "add") this.add(id, side, price, quantity, since_us);
    else if (quantity > 0) this.modify(id, price, quantity, since_us, side);
    else this.cancel(id);
  }
  /** Everything, or one side. */
  clear(side?: BookSideName): void {
    for (const name of side === undefined ? ["bid", "ask"] as const : [side]) {
      const ladder = this.#ladders[name];
      const gone = [...ladder.levels];
      for (const level of gone) {
        for (let node = level.first; node; node = node.after) this.#orders.delete(node.id);
      }
      ladder.clear();
      for (const { price } of gone) this.changed(name, price);
    }
  }

  order(id: OrderId): RestingOrder | undefined {
    const node = this.#orders.get(id);
    return node && orderOf(node);
  }
  /** Where an order stands; undefined when it rests not. */
  position(id: OrderId): QueuePosition | undefined {
    const node = this.#orders.get(id);
    if (node === undefined) return undefined;
    const { side, price } = node.level;
    let orders_ahead = 0;
    const ahead: number[] = [];
    for (let one = node.before; one; one = one.before) {
      orders_ahead++;
      ahead.push(one.quantity);
    }
    return {
      side,
      price,
      better_levels: this.#ladders[side].rank(price),
      orders_ahead,
      quantity_ahead: sumOf(ahead),
    };
  }
  /** The level at a price; quantity and count 0 where there is none. */
  levelAt(side: BookSideName, price: number): OrderLevel {
    const level = this.#ladders[side].at(price);
    return level ? levelOf(level) : { price, quantity: 0, order_count: 0 };
  }
  /** MBP: the best levels, best first. */
  levels(side: BookSideName, max_levels = Infinity): OrderLevel[] {
    return this.#ladders[side].levels.slice(0, max_levels).map(levelOf);
  }
  /** MBO: the orders of the best levels, best price first, in the order of their queue. */
  *orders(side: BookSideName, max_levels = Infinity): Iterable<RestingOrder> {
    for (const level of this.#ladders[side].levels.slice(0, max_levels)) yield* ordersOf(level);
  }
  /** The same by price, for who compares with what he saw before. Read them before the book changes. */
  *queues(side: BookSideName, max_levels = Infinity): Iterable<OrderQueue> {
    const { levels } = this.#ladders[side];
    for (let i = 0; i < levels.length && i < max_levels; i++) {
      const level = levels[i];
      yield { price: level.price, version: level.version, orders: () => ordersOf(level) };
    }
  }

  #reduce(id: OrderId, quantity: number | undefined): void {
    const node = this.#orders.get(id);
    if (node === undefined) {
      this.anomalies.unknown_orders++;
      return;
    }
    if (quantity === undefined) return this.#unlink(node);
    if (quantity > node.quantity) this.anomalies.excess_quantity++;
    const rest = sumOf([node.quantity, -quantity]);
    if (rest <= 0) return this.#unlink(node);
    setQuantity(node, rest);
    this.#touched(node.level);
  }
  #link(id: OrderId, side: BookSideName, price: number, quantity: number, since_us: number): void {
    const level = this.#ladders[side].take(price);
    const node: Node = { id, quantity, since_us, level, before: level.last, after: undefined };
    if (level.last) level.last.after = node;
    else level.first = node;
    level.last = node;
    level.count++;
    count(level, quantity, 1);
    this.#orders.set(id, node);
    this.#touched(level);
  }
  #unlink(node: Node): void {
    const { level, before, after } = node;
    if (before) before.after = after;
    else level.first = after;
    if (after) after.before = before;
    else level.last = before;
    this.#orders.delete(node.id);
    count(level, node.quantity, -1);
    if (--level.count === 0) this.#ladders[level.side].remove(level);
    this.#touched(level);
  }
  #touched(level: Level): void {
    level.version = ++this.#version;
    this.changed(level.side, level.price);
  }
}

function* ordersOf(level: Level): Iterable<RestingOrder> {
  for (let node = level.first; node; node = node.after) yield orderOf(node);
}
function orderOf({ id, quantity, since_us, level: { side, price } }: Node): RestingOrder {
  return { id, side, price, quantity, since_us };
}
function levelOf({ price, first, count, whole_sum, fractions }: Level): OrderLevel {
  if (fractions === 0) return { price, quantity: whole_sum, order_count: count };
  const quantities: number[] = [];
  for (let node = first; node; node = node.after) quantities.push(node.quantity);
  return { price, quantity: sumOf(quantities), order_count: count };
}
function count(level: Level, quantity: number, sign: 1 | -1): void {
  if (Number.isInteger(quantity)) level.whole_sum += sign * quantity;
  else level.fractions += sign;
}
function setQuantity(node: Node, quantity: number): void {
  count(node.level, node.quantity, -1);
  node.quantity = quantity;
  count(node.level, quantity, 1);
}

/** Without a lost digit: whole numbers as they are, decimals on a grid of their own. */
function sumOf(quantities: readonly number[]): number {
  let sum = 0;
  for (const one of quantities) sum += one;
  if (Number.isSafeInteger(sum) && quantities.every(Number.isInteger)) return sum;
  const exact = new ExactSum();
  for (const one of quantities) exact.add(exactDecimal(one));
  return exact.value;
}
