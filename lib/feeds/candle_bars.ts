/**
 * Bars of venues that never say when one is final: a bar is, once its successor opens. It is then told once more, closed,
 * before the new one. State belongs to one connection; after a reconnect the venue's history fills in.
 */
import type { Candle } from "../market/event.ts";
import type { EventBatch } from "../market/event_batch.ts";

/** Symbols times intervals; more would be damage. */
const MAX_BARS = 65_536;

export class CandleBars {
  readonly #forming = new Map<string, Candle>();

  /** Takes the bars of one frame, in any order, once the whole frame proved good. */
  push(bars: readonly Candle[], batch: EventBatch): void {
    for (const bar of bars) {
      const key = `${bar.interval} ${bar.symbol}`;
      const last = this.#forming.get(key);
      if (last !== undefined && bar.open_time_ms < last.open_time_ms) {
        bar.closed = true;
        continue;
      }
      if (last !== undefined && bar.open_time_ms > last.open_time_ms) {
        const { received_us, sent_ms } = bar;
        if (bars.includes(last)) last.closed = true;
        else batch.push({ ...last, closed: true, received_us, sent_ms });
      }
      if (last !== undefined || this.#forming.size < MAX_BARS) this.#forming.set(key, bar);
    }
    for (const bar of bars) batch.push(bar);
  }
}
