/**
 * Everything that more than one connection of the same streams needs: repeats without ids go, what came too early waits
 * for its place, and each leg's share is counted. Idle but for repeats while nothing overlaps, so one connection costs
 * what it did.
 */
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import type { SourceContext } from "../source.ts";
import { LegTally } from "./leg_tally.ts";
import { OverlapMerge } from "./overlap_merge.ts";
import { Repeats } from "./repeats.ts";

export class Overlap {
  readonly #repeats = new Repeats();
  readonly #merge: OverlapMerge;
  readonly #tally: LegTally | undefined;
  readonly #metrics;
  #active: boolean;

  constructor(rule: SequenceRule | undefined, readonly legs: number, readonly context: SourceContext) {
    this.#merge = new OverlapMerge(rule, context.clock);
    this.#active = legs > 1;
    if (legs === 1) return;
    this.#tally = new LegTally(legs, context.clock);
    const family = context.metrics.counter(
      "feed_leg_updates_total",
      "Updates by redundant connection: brought first, repeated after another, missed though another brought it",
      ["source", "leg", "result"],
    );
    this.#metrics = this.#tally.counts.map((_, leg) => {
      const of = (result: string) => family.with(context.name, String(leg + 1), result);
      return { first: of("first"), repeated: of("repeated"), missed: of("missed") };
    });
  }
  /** Judges the events from `start` on, which one connection has just brought. */
  take(batch: EventBatch, start: number, connection: object, leg: number): void {
    const { events } = batch;
    let kept = start;
    for (let i = start; i < events.length; i++) {
      const event = events[i];
      this.#tally?.note(event, leg);
      if (this.#repeats.admits(event, connection)) events[kept++] = event;
    }
    events.length = kept;
    if (this.#active) this.#merge.merge(batch, start);
  }
  /** `overlaps`: some lane has two connections now. True when held events went into the batch. */
  tick(batch: EventBatch, overlaps: boolean): boolean {
    const before = batch.size;
    const active = overlaps || this.legs > 1;
    if (active !== this.#active) {
      this.#active = active;
      this.#merge.reset(batch);
    }
    this.#merge.expire(batch);
    this.#tally?.settle();
    this.#tell();
    return batch.size > before;
  }
  /** No connection carries the symbol's streams any more. */
  interrupted(symbol: string): void {
    this.#merge.forget(symbol);
  }
  /** The symbol is no longer wanted. */
  forget(symbol: string): void {
    this.#merge.forget(symbol);
    this.#repeats.forget(symbol);
  }
  /** The report at the end: what each leg brought and missed. */
  close(): void {
    if (this.#tally === undefined) return;
    this.#tally.settle(true);
    this.#tell();
    this.#tally.counts.forEach((count, leg) =>
      this.context.log.info("redundant connection", {
        source: this.context.name,
        leg: leg + 1,
        ...count,
        reordered: this.#merge.reordered,
      })
    );
  }

  #tell(): void {
    this.#tally?.counts.forEach(({ first, repeated, missed }, leg) => {
      const metrics = this.#metrics![leg];
      metrics.first.value = first;
      metrics.repeated.value = repeated;
      metrics.missed.value = missed;
    });
  }
}
