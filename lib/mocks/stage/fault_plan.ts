/**
 * Which fault hits what. Every draw is seeded by (seed, what, position, connection slot, stream), never by time, so a
 * client that subscribes alike meets the same faults. At most one fault hits a frame. Each fault has its own draw:
 * adding one to a run does not move the others.
 * The slot is the lowest free number among a route's live connections: redundant connections lose different frames.
 */
import { Random } from "../../base/random.ts";
import { type Fault, FAULTS, type FaultSpec } from "../mock.ts";

const FRAME_FAULTS = ["disconnect", "stall", "drop", "corrupt", "delay", "reorder", "duplicate"] as const;
export type FrameFault = typeof FRAME_FAULTS[number];

/** How a depth answer is spoilt. */
export interface RequestFault {
  refuse: boolean;
  late: boolean;
  /** With `late`: how long the answer is held, milliseconds. */
  delay_ms: number;
  /** With `late`: an earlier answer is given again. */
  old: boolean;
}

export class FaultPlan {
  readonly injected: Record<Fault, number>;
  /** False once the faulty part is over; nothing is injected then. */
  active: boolean;
  readonly #rates: ReadonlyMap<Fault, number>;
  readonly #hits_frames: boolean;
  #requests = 0;
  readonly #attempts = new Map<string, number>();

  constructor(faults: readonly FaultSpec[], readonly seed: string) {
    this.injected = Object.fromEntries(FAULTS.map((name) => [name, 0])) as Record<Fault, number>;
    this.#rates = new Map(faults.map(({ name, rate }) => [name, rate]));
    this.active = faults.length > 0;
    this.#hits_frames = FRAME_FAULTS.some((name) => this.#rates.has(name));
  }

  /** The fault of one delivery, and the randomness to carry it out with. Counts it. */
  ofFrame(
    position: number,
    slot: number,
    stream: string,
  ): { fault: FrameFault; random: Random } | undefined {
    if (!this.active || !this.#hits_frames) return undefined;
    const random = new Random(`${this.seed}:frame:${position}:${slot}:${stream}`);
    let hit: FrameFault | undefined;
    for (const fault of FRAME_FAULTS) {
      const drawn = random.unit();
      if (hit === undefined && drawn < this.#rate(fault)) hit = fault;
    }
    if (hit === undefined) return undefined;
    this.injected[hit]++;
    return { fault: hit, random };
  }

  /** The fault of the next REST request. Counts it. */
  ofRequest(is_depth: boolean): RequestFault {
    const random = new Random(`${this.seed}:request:${this.#requests++}`);
    const refuse = this.active && random.chance(this.#rate("429"));
    const late = this.active && is_depth && random.chance(this.#rate("late-snapshot"));
    if (refuse) this.injected["429"]++;
    else if (late) this.injected["late-snapshot"]++;
    const shape = random.integer(0, 2);
    return {
      refuse,
      late: late && !refuse,
      delay_ms: shape === 1 ? 0 : random.integer(50, 500),
      old: shape > 0,
    };
  }

  /** Whether this subscription's acknowledgement is a lie. A later attempt at the same stream is drawn anew. */
  ofSubscription(stream: string): { lies: boolean; attempt: number } {
    const attempt = this.#attempts.get(stream) ?? 0;
    if (!this.active) return { lies: false, attempt };
    // One entry per stream name that clients asked for; a flood of invented names starts the count again.
    if (this.#attempts.size >= 10_000) this.#attempts.clear();
    this.#attempts.set(stream, attempt + 1);
    if (!this.#rates.has("lying-ack")) return { lies: false, attempt };
    const lies = new Random(`${this.seed}:subscription:${stream}:${attempt}`).chance(this.#rate("lying-ack"));
    if (lies) this.injected["lying-ack"]++;
    return { lies, attempt };
  }

  #rate(fault: Fault): number {
    return this.#rates.get(fault) ?? 0;
  }
}
