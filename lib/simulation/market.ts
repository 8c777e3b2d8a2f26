/**
 * One symbol's simulated market: arrival times, the scenario's phases, and the order flow on a matching book. Time is
 * what the caller says it is; equal options give equal output to the byte, however the caller slices the time.
 * Bound: the book steers to `target_orders` and never exceeds four times that; a full output pauses simulated time.
 */
import { Random } from "../base/random.ts";
import { type MboOrder, mboOrders, type MbpLevel, mbpLevels } from "./depth_view.ts";
import { EventBuffer } from "./event_buffer.ts";
import { FairPrice } from "./fair_price.ts";
import type { Instrument } from "./instrument.ts";
import { MatchingBook } from "./matching_book.ts";
import { type ActionCounts, min_target_orders, OrderFlow } from "./order_flow.ts";
import { none } from "./order_store.ts";
import { type Phase, type ScenarioName, scenarios } from "./scenarios.ts";
import type { Side } from "./side.ts";

export interface MarketOptions {
  instrument: Instrument;
  /** Markets with the same seed and instrument are identical; the symbol is mixed in, so one seed serves many. */
  seed: number | string;
  /** Simulated time of the opening, milliseconds (usually Unix epoch). */
  start_ms: number;
  /** Order actions per second in a quiet phase; above 0, at most 1,000,000. Default 20. */
  rate_per_s?: number;
  /** Annualised, as a fraction; 0 … 100. Default: what is typical of the instrument. */
  volatility?: number;
  /** Default "calm". */
  scenario?: ScenarioName;
  /** Resting orders to steer to, both sides together; 64 … 100,000. Default 400. */
  target_orders?: number;
}

/** Best price and the quantity there. */
export interface Touch {
  price: number;
  quantity: number;
}

export class SimulatedMarket {
  readonly instrument: Instrument;
  readonly book: MatchingBook;
  readonly #flow: OrderFlow;
  readonly #fair: FairPrice;
  readonly #arrivals: Random;
  readonly #phases: readonly Phase[];
  readonly #rate_per_ms: number;
  readonly #start_ms: number;
  #now_ms: number;
  /** All of these count from the start, so that it does not touch the rounding. */
  #next_action_ms = 0;
  #phase = 0;
  #phase_end_ms: number;

  constructor(options: MarketOptions) {
    const { instrument, start_ms, rate_per_s = 20, target_orders = 400, scenario = "calm" } = options;
    const { volatility = instrument.volatility } = options;
    requireWithin("rate", rate_per_s, Number.MIN_VALUE, 1_000_000);
    requireWithin("volatility", volatility, 0, 100);
    requireWithin("target orders", target_orders, min_target_orders, 100_000);
    const random = new Random(`${options.seed}:${instrument.symbol}`);
    this.instrument = instrument;
    this.book = new MatchingBook(Math.ceil(target_orders) * 4);
    this.#fair = new FairPrice(instrument.reference_ticks, volatility, random.fork("fair price"));
    this.#flow = new OrderFlow(instrument, this.book, this.#fair, random.fork("orders"), {
      target_orders,
      rate_per_s,
      volatility,
    });
    this.#arrivals = random.fork("arrivals");
    this.#phases = scenarios[scenario].phases;
    this.#phase_end_ms = this.#phases[0].duration_ms;
    this.#rate_per_ms = rate_per_s / 1000;
    this.#start_ms = start_ms;
    this.#now_ms = start_ms;
    // Nobody listens yet: a consumer begins with a snapshot, so what the opening did need not be told.
    this.#flow.open(start_ms, new EventBuffer());
    this.#drawNext();
  }

  /** Simulated time reached, milliseconds. */
  get now_ms(): number {
    return this.#now_ms;
  }
  /** Id of the last level change; the next one is one more. */
  get update_id(): number {
    return this.book.update_id;
  }
  /** Actions since the opening, by kind. */
  get actions(): Readonly<ActionCounts> {
    return this.#flow.counts;
  }
  get action_count(): number {
    const { added, modified, cancelled } = this.#flow.counts;
    return added + modified + cancelled;
  }
  /** Whether the scenario has halted trading at the time reached. */
  get halted(): boolean {
    return this.#phaseAt(this.#now_ms - this.#start_ms).rate === 0;
  }

  /**
   * Performs every action up to `to_ms` and appends what they did to `output`, whole actions only.
   * @returns false where `output` filled up first: read it, clear it, and call again with the same time
   */
  advance(to_ms: number, output: EventBuffer): boolean {
    const until_ms = to_ms - this.#start_ms;
    while (this.#next_action_ms <= until_ms) {
      if (output.full) return false;
      const time_ms = this.#start_ms + this.#next_action_ms;
      this.#now_ms = time_ms;
      this.#flow.act(time_ms, output);
      this.#drawNext();
    }
    this.#now_ms = Math.max(this.#now_ms, to_ms);
    return true;
  }

  /** Best price of a side; undefined where the side is empty. */
  best(side: Side): Touch | undefined {
    const ladder = this.book.ladders[side];
    const level = ladder.best();
    if (level === none) return undefined;
    return {
      price: this.instrument.price(ladder.price_ticks[level]),
      quantity: this.instrument.quantity(ladder.quantity_lots[level]),
    };
  }
  /** Market by price: up to `max_levels` levels of a side, best first. */
  levels(side: Side, max_levels: number): MbpLevel[] {
    return mbpLevels(this.book, this.instrument, side, max_levels);
  }
  /** Market by order: up to `max_orders` orders of a side in price–time priority. */
  orders(side: Side, max_orders: number): MboOrder[] {
    return mboOrders(this.book, this.instrument, side, max_orders, this.#now_ms);
  }

  /** Draws the next arrival. Exponential gaps have no memory, so one that passes a phase's end is drawn anew there. */
  #drawNext(): void {
    for (let at_ms = this.#next_action_ms;;) {
      const phase = this.#phases[this.#phase];
      const rate_per_ms = this.#rate_per_ms * phase.rate;
      const gap_ms = rate_per_ms > 0 ? this.#arrivals.exponential(1 / rate_per_ms) : Infinity;
      const end_ms = Math.min(at_ms + gap_ms, this.#phase_end_ms);
      const drift_per_s = phase.drift / phase.duration_ms * 1000;
      if (end_ms > at_ms) this.#fair.step((end_ms - at_ms) / 1000, phase.volatility, drift_per_s);
      at_ms = end_ms;
      if (at_ms < this.#phase_end_ms) {
        this.#next_action_ms = at_ms;
        return;
      }
      this.#phase = (this.#phase + 1) % this.#phases.length;
      this.#phase_end_ms += this.#phases[this.#phase].duration_ms;
    }
  }
  #phaseAt(elapsed_ms: number): Phase {
    const round_ms = this.#phases.reduce((sum, phase) => sum + phase.duration_ms, 0);
    let left_ms = elapsed_ms % round_ms;
    for (const phase of this.#phases) {
      if (left_ms < phase.duration_ms) return phase;
      left_ms -= phase.duration_ms;
    }
    return this.#phases[this.#phases.length - 1];
  }
}

function requireWithin(what: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) {
    throw new RangeError(`simulated ${what}: ${value}, want ${low} … ${high}`);
  }
}
