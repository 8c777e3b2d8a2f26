/** The client of the protocol as a test's eyes: what it holds, which trades came, and whether anything came twice. */
import { systemClock } from "../../lib/base/clock.ts";
import { Random } from "../../lib/base/random.ts";
import { RestreamClient } from "../../lib/client/client.ts";
import type { KeptBook } from "../../lib/client/kept_book.ts";
import type { Wish } from "../../lib/client/wish.ts";

export class ClientFollower implements Disposable {
  readonly client: RestreamClient;
  /** Symbol → ids in the order they came. */
  readonly trades = new Map<string, number[]>();
  readonly ups: string[] = [];
  readonly downs: string[] = [];
  readonly losses: string[] = [];
  readonly gaps: string[] = [];
  readonly unreadable: string[] = [];
  /** Book messages of an older id than the one before, on one connection. */
  backwards = 0;
  readonly #last_ids = new Map<string, number>();

  constructor(urls: readonly string[], readonly wishes: readonly Wish[], options: { binary?: boolean } = {}) {
    this.client = new RestreamClient(
      { urls, reconnect: { first_ms: 20, max_ms: 200 }, ...options },
      { clock: systemClock, random: new Random(urls.join()) },
      {
        up: (_hello, url) => {
          this.ups.push(url);
          this.#last_ids.clear();
        },
        down: (reason) => void this.downs.push(reason),
        market: (message) => {
          if ("last_update_id" in message) {
            const { symbol, last_update_id } = message;
            if (last_update_id < (this.#last_ids.get(symbol) ?? 0)) this.backwards++;
            this.#last_ids.set(symbol, last_update_id);
          }
          if (message.type !== "trade" || typeof message.trade_id !== "number") return;
          const ids = this.trades.get(message.symbol);
          if (ids) ids.push(message.trade_id);
          else this.trades.set(message.symbol, [message.trade_id]);
        },
        book: ({ symbol, reason }, event) => {
          if (event === "lost") this.losses.push(`${symbol} ${reason}`);
        },
        gap: ({ symbol, channel, missed, reason }) =>
          void this.gaps.push(`${symbol} ${channel} ${missed} ${reason}`),
        unreadable: (reason) => void this.unreadable.push(reason),
      },
    );
    for (const wish of wishes) this.client.subscribe(wish);
  }
  book(venue: string, symbol: string): KeptBook | undefined {
    return this.client.book(venue, symbol);
  }
  /** The best `depth` levels a side as [price, quantity]; a side of the book that is not in sync is why. */
  top(venue: string, symbol: string, depth: number): string {
    const kept = this.book(venue, symbol);
    if (!kept?.in_sync) return kept?.reason ?? "never subscribed";
    const { bids, asks } = kept.book!;
    const levels = (side: typeof bids) =>
      Array.from({ length: Math.min(depth, side.size) }, (_, i) => [side.price(i), side.quantity(i)]);
    return JSON.stringify([levels(bids), levels(asks)]);
  }
  [Symbol.dispose](): void {
    this.client.close();
  }
}
