/**
 * One stream of frames on its way to this edge's clients. Clients with equal subscriptions that keep up stand in cohorts
 * and share every frame and every write; the others, the loners, are served one by one. The delivery modes (book, latest
 * value, kept) differ only in what a loner that is too slow loses.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { Variant } from "../stream_key.ts";
import type { Cohort } from "./cohort.ts";
import type { FrameHistory } from "./frame_history.ts";
import type { Subscription } from "./subscription.ts";
import { jsonFrame } from "../json_frame.ts";

/** Frame flags beside MERGEABLE (market_words.ts): a whole state, and a word without a sequence. */
export const WHOLE = 2;
export const CONTROL = 4;

export interface RelayTopic extends Variant {
  readonly stream: number;
  /** What a client can have one subscription of: the handle without options. */
  readonly target: number;
  readonly venue: string;
  readonly symbol: string;
}

/** What relays of one edge share. */
export interface RelayContext {
  readonly epoch: string;
  readonly history: FrameHistory;
  tellSnapshot(stream: number): void;
}

export abstract class Relay {
  readonly subscriptions = new Set<Subscription>();
  readonly loners = new Set<Subscription>();
  cohorts: Cohort[] = [];
  /** Of the last frame that came. */
  seq = 0;
  /** The market side makes it: before, nothing is known of its sequence. */
  opened = false;
  /** Bytes since the last look: which stream weighs most on a slow client. */
  recent_bytes = 0;

  constructor(readonly topic: RelayTopic, readonly context: RelayContext) {}

  add(subscription: Subscription): void {
    this.subscriptions.add(subscription);
    this.loners.add(subscription);
    if (this.opened) this.begin(subscription);
  }
  remove(subscription: Subscription): void {
    this.subscriptions.delete(subscription);
    this.loners.delete(subscription);
    subscription.end();
  }
  onOpened(seq: number): void {
    const was_opened = this.opened;
    const last_seq = this.seq;
    this.opened = true;
    this.seq = seq;
    for (const subscription of this.subscriptions) {
      // Told again, after this edge lost its place: what came between is lost.
      if (was_opened && seq > last_seq) subscription.skipRange(last_seq + 1, seq);
      this.begin(subscription);
    }
  }
  onFrame(seq: number, flags: number, frame: Frame): void {
    this.seq = seq;
    this.recent_bytes += frame.length;
    this.context.history.note(this, seq, frame);
    const { cohorts } = this;
    for (let i = 0; i < cohorts.length; i++) cohorts[i].push(this, seq, flags, frame);
    for (const subscription of this.loners) {
      if (subscription.served_seq !== seq) this.deliver(subscription, seq, flags, frame);
    }
  }
  /** A word that has no sequence: to every subscriber, never left out. */
  tell(frame: Frame): void {
    // Who leaves a cohort meanwhile has got it there.
    const loners = [...this.loners];
    const { cohorts } = this;
    for (let i = 0; i < cohorts.length; i++) cohorts[i].push(this, this.seq, CONTROL, frame);
    for (const { recipient } of loners) recipient.send(frame);
  }
  onSnapshot(_seq: number, _frame: Frame): void {}
  /** What was told is no longer true. */
  onHold(): void {}

  /** The first frames of a new subscription. */
  protected begin(subscription: Subscription): void {
    const { resume } = subscription;
    subscription.resume = undefined;
    if (resume === undefined || resume.epoch !== this.context.epoch) return this.start(subscription);
    if (!this.replay(subscription, resume.seq)) this.startLate(subscription, resume.seq);
  }
  protected abstract start(subscription: Subscription): void;
  /** It was here before and missed what cannot be replayed, from `seq` + 1 on. */
  protected startLate(subscription: Subscription, _seq: number): void {
    this.start(subscription);
  }
  /** One frame to one loner, as far as its mode and the client's state allow. */
  abstract deliver(subscription: Subscription, seq: number, flags: number, frame: Frame): void;
  /** Sends what the client was denied. False when it is not the time yet: keep owing. */
  abstract catchUp(subscription: Subscription): boolean;

  /** All that came after `seq`, or nothing of it: true when the client has everything now. */
  protected replay(subscription: Subscription, seq: number): boolean {
    const { recipient } = subscription;
    const frames = this.context.history.after(this, seq);
    if (frames === undefined || recipient.lagging) return false;
    let bytes = recipient.queued_bytes;
    for (const frame of frames) bytes += frame.length;
    if (bytes > recipient.limits.conflate_bytes) return false;
    const { venue, symbol, channel, depth, interval_ms, interval } = this.topic;
    const from_seq = seq + 1;
    recipient.send(jsonFrame({
      type: "resumed",
      venue,
      symbol,
      channel,
      depth,
      interval_ms,
      interval,
      from_seq,
      to_seq: this.seq,
    }));
    for (const frame of frames) recipient.send(frame);
    subscription.live = true;
    return true;
  }
}
