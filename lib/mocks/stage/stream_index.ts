/** Which subscriptions of which sessions carry items of a kind and symbol. */
import type { Subscription } from "./dialect.ts";
import type { Session } from "./session.ts";
import type { StageItem } from "./tape.ts";

export interface Carrier<Item extends StageItem> {
  session: Session<Item>;
  subscription: Subscription<Item>;
}

export class StreamIndex<Item extends StageItem> {
  readonly #carriers = new Map<string, Map<Subscription<Item>, Carrier<Item>>>();

  of(item: Item): Iterable<Carrier<Item>> {
    return this.#carriers.get(keyOf(item.kind, item.symbol))?.values() ?? [];
  }
  add(session: Session<Item>, subscription: Subscription<Item>): void {
    for (const kind of subscription.kinds) {
      const key = keyOf(kind, subscription.symbol);
      const known = this.#carriers.get(key) ?? new Map();
      known.set(subscription, { session, subscription });
      this.#carriers.set(key, known);
    }
  }
  remove(subscription: Subscription<Item>): void {
    for (const kind of subscription.kinds) {
      const key = keyOf(kind, subscription.symbol);
      const known = this.#carriers.get(key);
      known?.delete(subscription);
      if (known?.size === 0) this.#carriers.delete(key);
    }
  }
}

function keyOf(kind: string, symbol: string): string {
  return `${kind} ${symbol}`;
}
