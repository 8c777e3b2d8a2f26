/**
 * Handshakes with one target at a steady pace. Each begins when it is due, whether earlier ones were answered or not, so
 * a server that stands still for a while is seen by every handshake that falls into that time (no coordinated omission).
 * A lost one counts in the percentiles as the whole timeout; one under way, once it has waited longer than the median,
 * as the time so far. What this process began or read too late tells nothing of the target: it is counted apart.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Series } from "../../tui/screen.ts";
import { type LatencyFigures, latencyFigures, LatencyWindows } from "../latency_windows.ts";
import type { Handshake } from "./handshake.ts";

/** Sockets under way to one target. */
export const MAX_UNDER_WAY = 500;
const MINUTE_MS = 60_000;
/** Ends that the trend goes back. */
const RECENT = 120;
/** Of a wait that may be our own before it counts for nothing. */
const MAX_OWN_SHARE = 0.1;

export interface ProberOptions {
  readonly clock: Clock;
  readonly interval_ms: number;
  readonly timeout_ms: number;
  /** Before the first one, so that many targets do not begin at once. */
  readonly begin_after_ms: number;
  /** How late this process came to what it did then (`LoopWatch`). */
  readonly late_ms: (at_ms: number, since_ms: number) => number;
  /** Settles by itself, within the timeout; the signal ends it sooner. */
  readonly shake: (signal: AbortSignal) => Promise<Handshake>;
}

export interface ProbeCounts {
  answered: number;
  lost: number;
  /** Tell nothing: this process was held up when they were due, or while they were under way. */
  not_measured: number;
}

/** Of the last minute. */
export interface ProbeReport extends ProbeCounts {
  latency: LatencyFigures;
  /** Under way now. */
  waiting: number;
  /** Undefined while nothing has ended. */
  loss_pct?: number;
  last?: Handshake;
  /** Why the last one was lost; gone once one is answered. */
  failure?: string;
  /** Microseconds of the last handshakes in the order of their ends; undefined for a lost one. */
  recent_us: Series;
  total: ProbeCounts;
}

export class Prober implements Disposable {
  readonly #windows = new LatencyWindows();
  /** One a second, oldest first. */
  readonly #slices: (ProbeCounts & { began_ms: number })[] = [];
  readonly #total: ProbeCounts = { answered: 0, lost: 0, not_measured: 0 };
  readonly #recent_us: (number | undefined)[] = [];
  readonly #under_way = new Set<number>();
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #due_ms: number;
  #last: Handshake | undefined;
  #failure: string | undefined;
  #first_end = Promise.withResolvers<void>();

  constructor(readonly options: ProberOptions) {
    this.#due_ms = options.clock.monotonic_ms() + options.begin_after_ms;
    this.#wait();
  }
  /** Settles when the first handshake ends, one way or the other, or with this prober. */
  get first_end(): Promise<void> {
    return this.#first_end.promise;
  }
  report(): ProbeReport {
    const { clock, interval_ms } = this.options;
    const now_ms = clock.monotonic_ms();
    const counts = { answered: 0, lost: 0, not_measured: 0 };
    for (const slice of this.#slices) {
      if (slice.began_ms < now_ms - MINUTE_MS) continue;
      counts.answered += slice.answered;
      counts.lost += slice.lost;
      counts.not_measured += slice.not_measured;
    }
    const ended = counts.answered + counts.lost;
    const { minute } = this.#windows.take(now_ms);
    const usual_us = Math.max(latencyFigures(minute).p50_us ?? 0, interval_ms * 1000);
    for (const began_ms of this.#under_way) {
      const so_far_us = (now_ms - began_ms) * 1000;
      if (so_far_us > usual_us) minute.record(so_far_us);
    }
    return {
      ...counts,
      latency: latencyFigures(minute),
      waiting: this.#under_way.size,
      loss_pct: ended === 0 ? undefined : 100 * counts.lost / ended,
      last: this.#last,
      failure: this.#failure,
      recent_us: [...this.#recent_us],
      total: { ...this.#total },
    };
  }
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#stopping.abort();
    this.#first_end.resolve();
  }

  #wait(): void {
    const { clock } = this.options;
    this.#timer = clock.after(Math.max(0, this.#due_ms - clock.monotonic_ms()), () => this.#begin());
  }
  #begin(): void {
    const { clock, interval_ms } = this.options;
    const now_ms = clock.monotonic_ms();
    const late = Math.floor(Math.max(0, now_ms - this.#due_ms) / interval_ms);
    if (late > 0) this.#count("not_measured", late);
    this.#due_ms += (late + 1) * interval_ms;
    this.#wait();
    void this.#shake(now_ms);
  }
  async #shake(began_ms: number): Promise<void> {
    const { clock, shake, timeout_ms, late_ms } = this.options;
    // two may begin in the same instant of a coarse clock
    while (this.#under_way.has(began_ms)) began_ms += 1e-3;
    this.#under_way.add(began_ms);
    let done: Handshake | undefined;
    let failure: string | undefined;
    try {
      done = await shake(this.#stopping.signal);
    } catch (error) {
      failure = reasonOf(error);
    }
    this.#under_way.delete(began_ms);
    if (this.#stopping.signal.aborted) return;
    const now_ms = clock.monotonic_ms();
    let [own_ms, since_ms] = [0, began_ms];
    for (const at_ms of stepEnds(done, began_ms, now_ms)) {
      own_ms += late_ms(at_ms, since_ms);
      since_ms = at_ms;
    }
    if (own_ms > MAX_OWN_SHARE * (now_ms - began_ms)) return this.#count("not_measured", 1);
    const latency_us = done ? done.total_ms * 1000 : undefined;
    this.#windows.record(latency_us ?? timeout_ms * 1000, now_ms);
    this.#recent_us.push(latency_us);
    if (this.#recent_us.length > RECENT) this.#recent_us.shift();
    this.#last = done ?? this.#last;
    this.#failure = failure;
    this.#count(done ? "answered" : "lost", 1);
    this.#first_end.resolve();
  }
  #count(what: keyof ProbeCounts, by: number): void {
    const now_ms = this.options.clock.monotonic_ms();
    let slice = this.#slices.at(-1);
    if (!slice || now_ms - slice.began_ms >= 1_000) {
      this.#slices.push(slice = { began_ms: now_ms, answered: 0, lost: 0, not_measured: 0 });
      while (this.#slices[0].began_ms < now_ms - MINUTE_MS) this.#slices.shift();
    }
    slice[what] += by;
    this.#total[what] += by;
  }
}

/** When this process had something to read: at the end of each step, or of the wait that was in vain. */
function stepEnds(done: Handshake | undefined, began_ms: number, now_ms: number): number[] {
  if (!done) return [now_ms];
  const { tcp_ms = 0, tls_ms = 0, websocket_ms = 0, total_ms } = done;
  const named_ms = began_ms + total_ms - tcp_ms - tls_ms - websocket_ms;
  const connected_ms = named_ms + tcp_ms;
  const ends = [named_ms, connected_ms];
  if (tls_ms > 0) ends.push(connected_ms + tls_ms);
  if (websocket_ms > 0) ends.push(connected_ms + tls_ms + websocket_ms);
  return ends;
}
