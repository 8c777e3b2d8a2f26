/**
 * What the venue says of the instruments a source carries, asked at the start and every hour, and again when symbols are
 * added. An answer that can't be had is told and tried again with growing pauses; nothing waits for it.
 */
import { Backoff } from "../../base/backoff.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { TappedAnswer } from "../../flow/frame_tap.ts";
import type { InstrumentsSpec } from "../../feeds/feed.ts";
import type { InstrumentInfo } from "../../market/instrument_info.ts";
import { restRequest } from "./rest_request.ts";

const EVERY_MS = 3_600_000;
const RETRY = { first_ms: 5_000, max_ms: 600_000 };
/** Symbols whose names fit into one request line everywhere. */
const SYMBOLS_PER_REQUEST = 50;

export interface InstrumentListOptions {
  spec: InstrumentsSpec;
  rest_url: string;
  clock: Clock;
  log: Log;
  random: Random;
  signal: AbortSignal;
  symbols(): readonly string[];
  /** Told of every answer. */
  answered?(answer: TappedAnswer, received_us: number): void;
}

export class InstrumentList {
  readonly #known = new Map<string, InstrumentInfo>();
  readonly #backoff: Backoff;
  #timer: Timer | undefined;
  #asking = false;

  constructor(readonly options: InstrumentListOptions) {
    this.#backoff = new Backoff(RETRY, options.random);
    options.signal.addEventListener("abort", () => this.#timer?.cancel());
  }
  get(symbol: string): InstrumentInfo | undefined {
    return this.#known.get(symbol);
  }
  forget(symbol: string): void {
    this.#known.delete(symbol);
  }
  /** Asks now; one request after the other, single flight. */
  async refresh(): Promise<void> {
    const { signal, clock, log } = this.options;
    if (this.#asking || signal.aborted) return;
    this.#asking = true;
    this.#timer?.cancel();
    let next_ms = EVERY_MS;
    try {
      const symbols = [...this.options.symbols()];
      for (let i = 0; i < symbols.length && !signal.aborted; i += SYMBOLS_PER_REQUEST) {
        await this.#ask(symbols.slice(i, i + SYMBOLS_PER_REQUEST));
      }
      this.#backoff.reset();
    } catch (error) {
      next_ms = this.#backoff.next_ms();
      if (!signal.aborted) {
        log.warn("instruments unknown", { reason: reasonOf(error), retry_in_ms: Math.round(next_ms) });
      }
    } finally {
      this.#asking = false;
      if (!signal.aborted) this.#timer = clock.after(next_ms, () => void this.refresh());
    }
  }

  async #ask(symbols: readonly string[]): Promise<void> {
    const { rest_url, spec, clock, signal, log } = this.options;
    const url = rest_url + spec.path(symbols);
    const { status, body } = await restRequest(url, clock, signal);
    this.options.answered?.(
      { purpose: "instruments", url, status, body, used: status === 200 },
      clock.now_us(),
    );
    if (status !== 200) throw new Error(`HTTP ${status}`);
    const found = spec.parse(body, symbols);
    if (typeof found === "string") throw new Error(found);
    const wanted = new Set(this.options.symbols());
    for (const info of found) if (wanted.has(info.symbol)) this.#known.set(info.symbol, info);
    for (const symbol of symbols) {
      const info = this.#known.get(symbol);
      if (info === undefined) log.warn("the venue does not list this instrument", { symbol });
      else if (info.status !== undefined && info.status !== "trading") {
        log.warn("the instrument does not trade now", { symbol, status: info.status });
      }
    }
  }
}
