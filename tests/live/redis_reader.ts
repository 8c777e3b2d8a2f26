/** The source `redis` and a gateway's middle behind it: books, and the trades in the order they came. */
import type { Redis } from "ioredis";
import type { z } from "zod";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { Books } from "../../lib/flow/books.ts";
import { redis } from "../../lib/sources/registry.ts";
import type { Source } from "../../lib/sources/source.ts";
import { type SinkRig, VENUE } from "../contracts/sink_rig.ts";

export class RedisReader implements AsyncDisposable {
  readonly metrics = new Metrics();
  readonly trades = new Map<string, number[]>();
  readonly statuses: string[] = [];
  readonly source: Source;
  readonly books: Books;
  readonly #stopping = new AbortController();
  readonly #reading: Promise<void>;

  constructor(config: z.input<typeof redis.schema>) {
    const context = { clock: systemClock, log: silentLog, metrics: this.metrics, seed: "test" };
    this.source = redis.create(redis.schema.parse({ venue: VENUE, ...config }), {
      ...context,
      name: "redis",
      feeds: {},
    });
    this.books = new Books(this.source.venue, this.source.sequence, {
      ...context,
      can_refresh: true,
      requestSnapshot: (symbol, reason) => this.source.requestSnapshot(symbol, reason),
      publish: (update) => {
        if (update.kind === "book_status") this.statuses.push(`${update.symbol} ${update.reason}`);
        if (update.kind !== "trade") return;
        const ids = this.trades.get(update.symbol) ?? [];
        ids.push(update.trade_id!);
        this.trades.set(update.symbol, ids);
      },
    }, this.source.learns);
    for (const symbol of this.source.symbols) this.books.add(symbol);
    this.#reading = this.#read();
  }
  async #read(): Promise<void> {
    const interrupted = this.books.interrupted.bind(this.books);
    for await (const batch of this.source.batches(this.#stopping.signal, { interrupted })) {
      this.books.process(batch);
    }
  }
  /** The same best prices and ids as the publisher's. */
  mirrors(rig: SinkRig): boolean {
    return rig.books.entries().every(([symbol, { book, sequence }]) => {
      const own = this.books.instruments.get(symbol);
      return own?.in_sync === true && own.last_update_id === sequence &&
        own.book.best_bid === book.best_bid &&
        own.book.best_ask === book.best_ask;
    });
  }
  count(name: string): number {
    const [child] = this.metrics.families.get(name)?.children.values() ?? [];
    return (child?.value as { value: number } | undefined)?.value ?? 0;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
  }
}

/** Every latest book is the rig's newest. */
export async function latestWritten(client: Redis, rig: SinkRig): Promise<boolean> {
  const texts = await Promise.all(
    [...rig.books.keys()].map((symbol) => client.get(`orderbook:latest:${symbol}`)),
  );
  return [...rig.books.values()].every(({ sequence }, i) =>
    texts[i] !== null && JSON.parse(texts[i]).last_update_id === sequence
  );
}
