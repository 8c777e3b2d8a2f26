/** All that is subscribed to, by instrument, and the hub's updates on their way there. */
import type { Hub, Receiver } from "../../../flow/hub.ts";
import type { MarketUpdate } from "../../../market/update.ts";
import type { GrpcMetrics } from "../grpc_metrics.ts";
import { InstrumentStreams } from "./instrument_streams.ts";

export class MarketStreams implements Receiver {
  readonly name = "grpc";
  readonly #by_symbol = new Map<string, InstrumentStreams[]>();
  #dirty: InstrumentStreams[] = [];

  constructor(readonly hub: Hub, readonly metrics: GrpcMetrics, readonly out_of_sync_ms: number) {}

  /** Instruments that somebody reads: a leak check. */
  get instruments(): number {
    return this.#by_symbol.size;
  }
  of(venue: string, symbol: string): InstrumentStreams {
    const found = this.#find(venue, symbol);
    if (found) return found;
    const { hub, metrics, out_of_sync_ms } = this;
    const made = new InstrumentStreams(venue, symbol, {
      clock: hub.clock,
      metrics,
      out_of_sync_ms,
      now: () => hub.book(venue, symbol),
      lastTicker: () => hub.lastTicker?.(venue, symbol),
      onEmpty: () => this.#forget(made),
    });
    const same = this.#by_symbol.get(symbol);
    if (same) same.push(made);
    else this.#by_symbol.set(symbol, [made]);
    return made;
  }
  offer(update: MarketUpdate): void {
    const streams = this.#find(update.venue, update.symbol);
    if (streams === undefined) return;
    const was_dirty = streams.is_dirty;
    switch (update.kind) {
      case "book":
        streams.onBook();
        break;
      case "trade":
        streams.onTrade(update);
        break;
      case "ticker":
        streams.onTicker(update);
        break;
      case "book_status":
        streams.onStatus(update);
        break;
    }
    if (streams.is_dirty && !was_dirty) this.#dirty.push(streams);
  }
  flush(): void {
    if (this.#dirty.length === 0) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const streams of dirty) streams.flush();
  }
  stop(): void {
    for (const all of this.#by_symbol.values()) for (const one of all) one.stop();
  }

  #find(venue: string, symbol: string): InstrumentStreams | undefined {
    const same = this.#by_symbol.get(symbol);
    if (same === undefined) return undefined;
    for (const one of same) if (one.venue === venue) return one;
    return undefined;
  }
  #forget(gone: InstrumentStreams): void {
    const rest = this.#by_symbol.get(gone.symbol)?.filter((one) => one !== gone) ?? [];
    if (rest.length > 0) this.#by_symbol.set(gone.symbol, rest);
    else this.#by_symbol.delete(gone.symbol);
  }
}
