/** A source and a gateway's middle behind it: books, and the trades in the order they came. */
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { Books } from "../../lib/flow/books.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import type { Source, SourceContext } from "../../lib/sources/source.ts";
import type { SinkRig } from "../contracts/sink_rig.ts";

export class SourceReader implements AsyncDisposable {
  readonly metrics = new Metrics();
  readonly trades = new Map<string, number[]>();
  readonly statuses: string[] = [];
  /** All but books. */
  readonly updates: MarketUpdate[] = [];
  readonly source: Source;
  readonly books: Books;
  readonly #stopping = new AbortController();
  readonly #reading: Promise<void>;

  constructor(create: (context: SourceContext) => Source) {
    const context = { clock: systemClock, log: silentLog, metrics: this.metrics, seed: "test" };
    this.source = create({ ...context, name: "source", feeds: {} });
    this.books = new Books(this.source.venue, this.source.sequence, {
      ...context,
      can_refresh: true,
      requestSnapshot: (symbol, reason) => this.source.requestSnapshot(symbol, reason),
      publish: (update) => {
        if (update.kind !== "book" && update.kind !== "orders") this.updates.push(update);
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
