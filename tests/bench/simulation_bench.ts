/**
 * The matching engine alone, and the market that drives it: actions per second on one core, absolute and against the
 * plain Map-and-sort book in the same run on the same actions. Target: ≥ 1 million order actions a second.
 * Run: deno run tests/bench/simulation_bench.ts [--json]
 */
import { systemClock } from "../../lib/base/clock.ts";
import { EventBuffer } from "../../lib/simulation/event_buffer.ts";
import { instrumentOf } from "../../lib/simulation/instruments.ts";
import { SimulatedMarket } from "../../lib/simulation/market.ts";
import { MatchingBook } from "../../lib/simulation/matching_book.ts";
import { NaiveMatchingBook } from "./naive_matching_book.ts";
import { type BookUnderTest, OrderTape, recordTape } from "./order_tape.ts";

interface Figure {
  name: string;
  actions_per_s: number;
  ns_per_action: number;
  /** Against the naive baseline of the same run; absent where there is none. */
  ratio?: number;
}

const rounds = 3;

/** The best of a few rounds, first one uncounted (warm-up); each round on a fresh book. */
function fastest(actions: number, round: () => void): number {
  let best_ms = Infinity;
  for (let i = 0; i <= rounds; i++) {
    const from_ms = systemClock.monotonic_ms();
    round();
    if (i > 0) best_ms = Math.min(best_ms, systemClock.monotonic_ms() - from_ms);
  }
  return actions / best_ms * 1000;
}

function play(tape: OrderTape, book: BookUnderTest): void {
  const output = new EventBuffer();
  for (let at = 0; at < tape.length; at++) {
    tape.play(at, book, output);
    if (output.full) output.clear();
  }
}

function figureOf(name: string, actions_per_s: number, baseline_per_s?: number): Figure {
  const figure: Figure = { name, actions_per_s, ns_per_action: 1e9 / actions_per_s };
  if (baseline_per_s !== undefined) figure.ratio = actions_per_s / baseline_per_s;
  return figure;
}

function measure(): Figure[] {
  const figures: Figure[] = [];
  for (const resting_orders of [200, 2_000, 10_000]) {
    const tape = recordTape({
      seed: 7,
      actions: 500_000,
      resting_orders,
      mean_distance_ticks: resting_orders / 10,
    });
    const naive = fastest(tape.length, () => play(tape, new NaiveMatchingBook()));
    const engine = fastest(tape.length, () => play(tape, new MatchingBook()));
    figures.push(figureOf(`naive book, ${resting_orders} resting orders`, naive));
    figures.push(figureOf(`matching book, ${resting_orders} resting orders`, engine, naive));
  }
  const actions = 500_000;
  const output = new EventBuffer();
  const market = fastest(actions, () => {
    const simulated = new SimulatedMarket({
      instrument: instrumentOf("BTCUSD"),
      seed: 7,
      start_ms: 0,
      rate_per_s: 1000,
    });
    while (simulated.action_count < actions) {
      simulated.advance(simulated.now_ms + 1000, output);
      output.clear();
    }
  });
  figures.push(figureOf("whole market, order flow included", market));
  return figures;
}

function render(figures: readonly Figure[]): string {
  const lines = figures.map((figure) => {
    const rate = (figure.actions_per_s / 1e6).toFixed(2).padStart(7);
    const cost = figure.ns_per_action.toFixed(0).padStart(6);
    const ratio = figure.ratio === undefined ? "" : `  ${figure.ratio.toFixed(1)} × naive`;
    return `${figure.name.padEnd(40)} ${rate} M actions/s ${cost} ns${ratio}`;
  });
  return lines.join("\n") + "\n";
}

if (import.meta.main) {
  const figures = measure();
  const text = Deno.args.includes("--json")
    ? JSON.stringify({ simulation: figures }) + "\n"
    : render(figures);
  await Deno.stdout.write(new TextEncoder().encode(text));
}
