/**
 * Clean streams, spoiled: dropped, repeated, reordered, delayed, doubled and interrupted. Whatever comes in, what goes out
 * must be the venue's own book at that id, in sequence, never while out of sync, and the end must be the clean run's
 * book. The canary believes any delta and must be caught.
 */
import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { Random } from "../../../lib/base/random.ts";
import { binanceFutures } from "../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../lib/feeds/binance/spot.ts";
import { Instrument } from "../../../lib/flow/instrument.ts";
import type { SequenceRule } from "../../../lib/market/sequence_rule.ts";
import { is_long } from "../../services.ts";
import { type Delivery, MUTATIONS } from "./stream_mutations.ts";
import { StrictConsumer } from "./strict_consumer.ts";
import { VenueModel } from "./venue_model.ts";

const DELTAS = 250;
/** Undisturbed deltas at the end: time for the last snapshot to arrive. */
const TAIL_EVENTS = 60;
const SEEDS = is_long ? 300 : 12;

interface Options {
  seed: number;
  is_futures: boolean;
  mutation: string;
  /** Levels a snapshot has; absent: all. */
  depth_limit?: number;
  rule?: SequenceRule;
}

/** Answers each wish for a snapshot a few deliveries later, with the book of about that moment. */
class SnapshotDesk {
  readonly #due: number[] = [];
  asked = 0;
  constructor(
    readonly model: VenueModel,
    readonly random: Random,
    readonly depth_limit: number | undefined,
  ) {}

  ask(delivered: number, is_late: boolean): void {
    if (this.#due.length > 0) return;
    this.asked++;
    this.#due.push(delivered + this.random.integer(1, is_late ? 4 : 15));
  }
  /** The snapshot due at this delivery; `newest_id` is the newest id that any connection has brought. */
  due(delivered: number, newest_id: number) {
    if (this.#due.length === 0 || this.#due[0] > delivered) return undefined;
    this.#due.shift();
    const { ids } = this.model;
    let index = ids.findLastIndex((id) => id <= newest_id);
    index += this.random.integer(-12, 8);
    return this.model.snapshot(index, this.depth_limit);
  }
}

function run({ seed, is_futures, mutation, depth_limit, rule }: Options) {
  const random = new Random(`${mutation}:${seed}:${is_futures}`);
  const model = new VenueModel(random.fork("model"), is_futures, DELTAS);
  const consumer = new StrictConsumer((id) => model.stateAt(id));
  const desk = new SnapshotDesk(model, random.fork("desk"), depth_limit);
  const clock = new ManualClock();
  let delivered = 0;
  const body = model.events.length - TAIL_EVENTS;
  const instrument = new Instrument(
    "model",
    "BTCUSDT",
    rule ?? (is_futures ? binanceFutures : binanceSpot).sequence,
    {
      clock,
      log: silentLog,
      metrics: new Metrics(),
      can_refresh: true,
      publish: consumer.offer,
      requestSnapshot: () => desk.ask(delivered, delivered >= body),
    },
  );
  desk.ask(0, false);
  const spoiled = MUTATIONS[mutation](model.events.slice(0, body), random.fork("mutation"));
  const deliveries: Delivery[] = [...spoiled, ...model.events.slice(body)];
  let newest_id = model.ids[0];
  for (const delivery of deliveries) {
    delivered++;
    clock.advance(100);
    if (delivery === "interrupt") instrument.interrupted("disconnected", clock.now_us());
    else if (delivery.kind === "quote") instrument.onQuote(delivery);
    else {
      newest_id = Math.max(newest_id, delivery.last_id);
      instrument.onDelta(delivery);
    }
    const snapshot = desk.due(delivered, newest_id);
    if (snapshot) instrument.onSnapshot(snapshot);
  }
  return { instrument, consumer, model, desk };
}

function checkEnd({ instrument, consumer, model }: ReturnType<typeof run>): void {
  assert.ok(instrument.in_sync, `out of sync at the end: ${instrument.reason}`);
  assert.equal(instrument.last_update_id, model.ids.at(-1));
  // The strict consumer compared this very update with the venue's last book.
  assert.equal(consumer.last_update_id, model.ids.at(-1));
  assert.ok(consumer.updates > 30, `${consumer.updates} updates`);
}

for (const mutation of Object.keys(MUTATIONS)) {
  Deno.test(`${mutation}: what goes out is the venue's book, at every update and at the end`, () => {
    for (const is_futures of [true, false]) {
      for (const depth_limit of [undefined, 8]) {
        for (let seed = 0; seed < SEEDS; seed++) {
          const options = { seed, is_futures, mutation, depth_limit };
          try {
            checkEnd(run(options));
          } catch (error) {
            throw new Error(`with ${JSON.stringify(options)}`, { cause: error });
          }
        }
      }
    }
  });
}

Deno.test("a clean stream has no gap, no fault, one whole book, and agrees with every quote", () => {
  for (const is_futures of [true, false]) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { instrument, consumer, desk } = run({ seed, is_futures, mutation: "clean" });
      assert.equal(instrument.gaps, 0);
      assert.ok(instrument.audit.compared > 50, `${instrument.audit.compared} compared`);
      assert.equal(instrument.audit.differed, 0);
      assert.deepEqual(consumer.statuses.map((status) => status.in_sync), [true]);
      assert.equal(consumer.whole_books, 1);
      assert.ok(desk.asked < 5);
    }
  }
});

Deno.test("repeats alone never leave sync", () => {
  for (const is_futures of [true, false]) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { instrument, consumer } = run({ seed, is_futures, mutation: "repeat" });
      assert.equal(instrument.gaps, 0);
      assert.equal(consumer.statuses.length, 1);
    }
  }
});

Deno.test("the mutations do hurt: drops make gaps, reordering makes repairs, interruptions make resyncs", () => {
  const sums = { gaps: 0, repairs: 0, resyncs: 0 };
  for (let seed = 0; seed < SEEDS; seed++) {
    sums.gaps += run({ seed, is_futures: true, mutation: "drop" }).instrument.gaps;
    sums.repairs += run({ seed, is_futures: true, mutation: "reorder" }).instrument.metrics.repairs.value;
    sums.resyncs += run({ seed, is_futures: true, mutation: "interrupt" }).instrument.metrics.resyncs.value;
  }
  assert.ok(sums.gaps > SEEDS && sums.repairs > SEEDS && sums.resyncs > SEEDS, JSON.stringify(sums));
});

Deno.test("canary: a rule that takes any newer delta is caught in every spoiled run", () => {
  const credulous: SequenceRule = {
    afterSnapshot: (delta, id) => delta.last_id <= id ? "stale" : "next",
    afterDelta: (delta, id) => delta.last_id <= id ? "stale" : "next",
  };
  for (let seed = 0; seed < SEEDS; seed++) {
    assert.throws(
      () => checkEnd(run({ seed, is_futures: true, mutation: "drop", rule: credulous })),
      `seed ${seed}`,
    );
  }
});
