/**
 * The source `simulator`: markets that need nobody else, for the embedded default, demos and load. Every `interval_ms`
 * each symbol's market moves on to the clock's time and what changed is sent: one book delta, the quotes, the trades.
 * A book starts with an in-band snapshot; ids rise by one per level change, so nothing can be missing unseen.
 */
import { z } from "zod";
import type { Timer } from "../base/clock.ts";
import type { BookDelta, BookSnapshot } from "../market/event.ts";
import { EventBatch } from "../market/event_batch.ts";
import { LevelList } from "../market/level_list.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";
import { EventBuffer, LEVEL, TRADE } from "../simulation/event_buffer.ts";
import { instrumentOf } from "../simulation/instruments.ts";
import { SimulatedMarket } from "../simulation/market.ts";
import { scenario_names, type ScenarioName } from "../simulation/scenarios.ts";
import { ASK, BID, type Side } from "../simulation/side.ts";
import { defineSource, type Source, type SourceContext, type SourceEvents } from "./source.ts";

const VENUE = "simulator";
/** More than the engine ever rests on a side at the default size. */
const SNAPSHOT_LEVELS = 100_000;

const schema = z.strictObject({
  symbols: z.array(z.string().min(1).max(32)).min(1).max(5_000).default(["BTCUSD", "ETHUSD", "ADAUSD"])
    .describe("any names; known ones have realistic prices"),
  interval_ms: z.int().min(1).max(60_000).default(100).describe("time between book updates"),
  rate: z.number().positive().max(100_000).default(20).describe("order actions a second and symbol"),
  volatility: z.number().min(0).max(100).optional().describe(
    "annualised, as a fraction; absent: typical of the symbol",
  ),
  scenario: z.enum(scenario_names as [ScenarioName, ...ScenarioName[]]).default("calm").describe(
    "how the market behaves",
  ),
  seed: z.union([z.string(), z.number()]).default("mdg").describe("the same seed gives the same market"),
});
type SimulatorConfig = z.output<typeof schema>;

const sequence: SequenceRule = {
  in_band_snapshots: true,
  afterSnapshot: (delta, snapshot_id) => chained(delta, snapshot_id),
  afterDelta: (delta, last_id) => chained(delta, last_id),
};
function chained(delta: BookDelta, last_id: number) {
  if (delta.last_id <= last_id) return "stale" as const;
  return delta.first_id === last_id + 1 ? "next" as const : "gap" as const;
}

export const simulator = defineSource({
  name: "simulator",
  summary: "Simulated markets, no venue needed",
  schema,
  create: (config, context) => new SimulatorSource(config, context),
});

class SimulatorSource implements Source {
  readonly name: string;
  readonly venue = VENUE;
  readonly sequence = sequence;
  readonly #markets = new Map<string, { market: SimulatedMarket; wants_snapshot: boolean }>();
  readonly #buffer = new EventBuffer();
  readonly #filling = new EventBatch();
  /** Level changes of one interval, last quantity per price; reused. */
  readonly #changes: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];

  constructor(readonly config: SimulatorConfig, readonly context: SourceContext) {
    this.name = context.name;
    this.#setMarkets(config.symbols);
  }
  get symbols(): readonly string[] {
    return [...this.#markets.keys()];
  }
  requestSnapshot(symbol: string): void {
    const found = this.#markets.get(symbol);
    if (found) found.wants_snapshot = true;
  }
  setSymbols(symbols: readonly string[]): void {
    this.#setMarkets(symbols);
  }
  notReady(): undefined {
    return undefined;
  }

  async *batches(signal: AbortSignal, _events: SourceEvents): AsyncIterable<EventBatch> {
    const { clock } = this.context;
    let wake: (() => void) | undefined;
    let due = true;
    const ticking: Timer = clock.every(this.config.interval_ms, () => {
      due = true;
      wake?.();
    });
    const stop = () => wake?.();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        if (!due) await new Promise<void>((resolve) => wake = resolve);
        wake = undefined;
        if (!due) continue;
        due = false;
        for (const symbol of this.#markets.keys()) this.#advance(symbol);
        if (this.#filling.size > 0) yield this.#filling;
        this.#filling.clear();
      }
    } finally {
      signal.removeEventListener("abort", stop);
      ticking.cancel();
    }
  }

  #setMarkets(symbols: readonly string[]): void {
    for (const symbol of this.#markets.keys()) if (!symbols.includes(symbol)) this.#markets.delete(symbol);
    const { rate, volatility, scenario, seed } = this.config;
    for (const symbol of symbols) {
      if (this.#markets.has(symbol)) continue;
      const market = new SimulatedMarket({
        instrument: instrumentOf(symbol),
        seed,
        start_ms: this.context.clock.now_ms(),
        rate_per_s: rate,
        volatility,
        scenario,
      });
      this.#markets.set(symbol, { market, wants_snapshot: true });
    }
  }
  #advance(symbol: string): void {
    const entry = this.#markets.get(symbol)!;
    const { market } = entry;
    const { clock } = this.context;
    if (entry.wants_snapshot) {
      entry.wants_snapshot = false;
      this.#filling.push(this.#snapshot(market));
    }
    const now_ms = clock.now_ms();
    for (let done = false; !done;) {
      this.#buffer.clear();
      done = market.advance(now_ms, this.#buffer);
      if (this.#buffer.size > 0) this.#emit(market, clock.now_us());
    }
  }
  /** The buffer's rows as one delta, then its trades, then the last quote. */
  #emit(market: SimulatedMarket, received_us: number): void {
    const { instrument } = market;
    const { symbol } = instrument;
    const buffer = this.#buffer;
    const [bids, asks] = this.#changes;
    bids.clear();
    asks.clear();
    let first_id = 0;
    let last_id = 0;
    let last_quote = -1;
    for (let row = 0; row < buffer.size; row++) {
      if (buffer.kind[row] === LEVEL) {
        if (first_id === 0) first_id = buffer.id[row];
        last_id = buffer.id[row];
        this.#changes[buffer.side[row]].set(buffer.price_ticks[row], buffer.quantity_lots[row]);
      } else if (buffer.kind[row] === TRADE) {
        this.#filling.push({
          kind: "trade",
          venue: VENUE,
          symbol,
          received_us,
          exchange_ms: Math.floor(buffer.time_ms[row]),
          trade_id: buffer.id[row],
          price: instrument.price(buffer.price_ticks[row]),
          quantity: instrument.quantity(buffer.quantity_lots[row]),
          aggressor: buffer.side[row] === BID ? "buy" : "sell",
        });
      } else last_quote = row;
    }
    if (last_id > 0) this.#emitDelta(market, first_id, last_id, received_us);
    if (last_quote >= 0) this.#emitQuote(market, last_quote, received_us);
  }
  #emitDelta(market: SimulatedMarket, first_id: number, last_id: number, received_us: number): void {
    const { instrument } = market;
    const delta = this.#filling.freeDelta();
    delta.venue = VENUE;
    delta.symbol = instrument.symbol;
    delta.received_us = received_us;
    delta.sent_ms = delta.exchange_ms = Math.floor(market.now_ms);
    delta.first_id = first_id;
    delta.last_id = last_id;
    delta.previous_id = undefined;
    for (const side of [BID, ASK] as const) {
      const list = side === BID ? delta.bids : delta.asks;
      for (const [ticks, lots] of this.#changes[side]) {
        list.push(instrument.price(ticks), instrument.quantity(lots));
      }
      list.noteDecimals(instrument.price_decimals, instrument.quantity_decimals);
    }
    this.#filling.pushDelta(delta);
  }
  #emitQuote(market: SimulatedMarket, row: number, received_us: number): void {
    const { instrument } = market;
    const buffer = this.#buffer;
    if (buffer.quantity_lots[row] === 0 || buffer.askQuantityLots(row) === 0) return;
    const quote = this.#filling.pushQuote();
    quote.venue = VENUE;
    quote.symbol = instrument.symbol;
    quote.received_us = received_us;
    quote.sent_ms = quote.exchange_ms = Math.floor(buffer.time_ms[row]);
    quote.update_id = buffer.id[row];
    quote.bid = instrument.price(buffer.price_ticks[row]);
    quote.bid_quantity = instrument.quantity(buffer.quantity_lots[row]);
    quote.ask = instrument.price(buffer.askPriceTicks(row));
    quote.ask_quantity = instrument.quantity(buffer.askQuantityLots(row));
  }
  #snapshot(market: SimulatedMarket): BookSnapshot {
    return {
      kind: "book_snapshot",
      venue: VENUE,
      symbol: market.instrument.symbol,
      received_us: this.context.clock.now_us(),
      sent_ms: Math.floor(market.now_ms),
      exchange_ms: Math.floor(market.now_ms),
      last_id: market.update_id,
      bids: levelList(market, BID),
      asks: levelList(market, ASK),
    };
  }
}

function levelList(market: SimulatedMarket, side: Side): LevelList {
  const list = new LevelList();
  for (const { price, quantity } of market.levels(side, SNAPSHOT_LEVELS)) list.push(price, quantity);
  list.noteDecimals(market.instrument.price_decimals, market.instrument.quantity_decimals);
  return list;
}
