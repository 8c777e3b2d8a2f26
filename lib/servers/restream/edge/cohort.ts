/**
 * Clients with equal subscriptions that all keep up: what one gets, all get, so a frame is queued once and the batch is
 * joined once for everybody. A member that cannot take a batch leaves and is served alone, beginning with that very
 * batch; nothing of it is lost or told twice.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import { CONTROL, type Relay } from "./relay.ts";
import type { Subscription } from "./subscription.ts";

/** A batch this large goes out at once. */
const MAX_BATCH_BYTES = 65_536;

export interface CohortMember {
  cohort: Cohort | undefined;
  readonly by_stream: ReadonlyMap<number, Subscription>;
  /** Writes the batch, or says false: nothing was written. */
  takeBatch(bytes: Frame, frames: number): boolean;
  /** Queues a frame of its own. */
  send(frame: Frame): void;
  /** It left: from now on it is served alone. */
  onLeft(): void;
}

export class Cohort {
  readonly members = new Set<CohortMember>();
  #frames: Frame[] = [];
  #relays: Relay[] = [];
  #seqs: number[] = [];
  #flags: number[] = [];
  #bytes = 0;

  /** `wake` is called once when a batch begins, `emptied` when a batch was too much for the last ones. */
  constructor(
    readonly key: string,
    readonly relays: readonly Relay[],
    readonly wake: (cohort: Cohort) => void,
    readonly emptied: (cohort: Cohort) => void,
  ) {
    for (const relay of relays) relay.cohorts.push(this);
  }
  get pending_bytes(): number {
    return this.#bytes;
  }
  /** Whether a client with these subscriptions may join; the key alone could deceive, and so could a relay that was remade. */
  suits(by_stream: ReadonlyMap<number, Subscription>): boolean {
    if (by_stream.size !== this.relays.length) return false;
    return this.relays.every((relay) => by_stream.get(relay.topic.stream)?.relay === relay);
  }
  /** Only between batches, or the newcomer would get what it has had already. */
  join(member: CohortMember): void {
    this.flush();
    this.members.add(member);
    member.cohort = this;
    for (const subscription of member.by_stream.values()) subscription.relay.loners.delete(subscription);
  }
  /** Takes a member out; what waits in the batch goes to its own queue first. True when nobody is left. */
  leave(member: CohortMember): boolean {
    if (!this.members.delete(member)) return false;
    member.cohort = undefined;
    for (const subscription of member.by_stream.values()) {
      subscription.served_seq = subscription.relay.seq;
      subscription.relay.loners.add(subscription);
    }
    member.onLeft();
    for (let i = 0; i < this.#frames.length; i++) this.#deliver(member, i);
    return this.members.size === 0;
  }
  push(relay: Relay, seq: number, flags: number, frame: Frame): void {
    if (this.#frames.length === 0) this.wake(this);
    this.#frames.push(frame);
    this.#relays.push(relay);
    this.#seqs.push(seq);
    this.#flags.push(flags);
    this.#bytes += frame.length;
    if (this.#bytes >= MAX_BATCH_BYTES) this.flush();
  }
  flush(): void {
    const count = this.#frames.length;
    if (count === 0) return;
    const batch = count === 1 ? this.#frames[0] : join(this.#frames, this.#bytes);
    let leavers: CohortMember[] | undefined;
    for (const member of this.members) {
      if (!member.takeBatch(batch, count)) (leavers ??= []).push(member);
    }
    if (leavers) { for (const member of leavers) this.leave(member); }
    this.#frames = [];
    this.#relays = [];
    this.#seqs = [];
    this.#flags = [];
    this.#bytes = 0;
    if (leavers && this.members.size === 0) this.emptied(this);
  }
  /** Nobody is left: relays forget it. A relay may be handing out a frame just now, so its list is not shortened in place. */
  dissolve(): void {
    for (const relay of this.relays) relay.cohorts = relay.cohorts.filter((one) => one !== this);
  }
  #deliver(member: CohortMember, i: number): void {
    if (this.#flags[i] & CONTROL) return member.send(this.#frames[i]);
    const subscription = member.by_stream.get(this.#relays[i].topic.stream);
    if (subscription) this.#relays[i].deliver(subscription, this.#seqs[i], this.#flags[i], this.#frames[i]);
  }
}

function join(frames: readonly Frame[], bytes: number): Frame {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (let i = 0; i < frames.length; i++) {
    joined.set(frames[i], at);
    at += frames[i].length;
  }
  return joined;
}
