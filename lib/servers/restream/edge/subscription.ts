/**
 * One client's standing in one stream of frames. Whatever it did not get is announced by `lag` before anything newer: an
 * owed subscription gets nothing until it has caught up, so a newer value never overtakes.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { QueueLimits } from "../config.ts";
import { jsonFrame } from "../json_frame.ts";
import type { ChannelName, ErrorCode } from "../protocol.ts";
import type { Relay } from "./relay.ts";

/** A client as a relay sees it. */
export interface Recipient {
  readonly limits: QueueLimits;
  readonly queued_bytes: number;
  /** Mergeable channels must conflate. */
  readonly lagging: boolean;
  /** Subscriptions that are owed something first: while there is one, the client can't share batches with others. */
  owed: number;
  /** Queues a frame; a client whose bound it breaks is closed, then this does nothing. */
  send(frame: Frame): void;
  /** Counts a frame this client will not get. */
  countSkip(channel: ChannelName): void;
  /** Asks to be called back (`Relay.catchUp`) when the client has drained. */
  owe(subscription: Subscription): void;
  /** Ends a subscription that can never be served, with a word to the client. */
  refuse(subscription: Subscription, code: ErrorCode, message: string): void;
}

/** Whether a mergeable frame of this length may be queued now. An empty queue takes any, or it would never come. */
export function hasRoom(recipient: Recipient, bytes: number): boolean {
  if (recipient.lagging) return false;
  const { queued_bytes, limits } = recipient;
  return queued_bytes === 0 || queued_bytes + bytes <= limits.conflate_bytes;
}

/** Where a client was before it came back. */
export interface ResumePoint {
  readonly epoch: string;
  readonly seq: number;
}

export class Subscription {
  /** The newest value of a latest-value channel, waiting. */
  held: { frame: Frame; seq: number } | undefined;
  /**
   * The last sequence that it got with its cohort, when it left that: leaving may happen while the frame of this sequence is
   * being handed out, and it must not get it again as a loner.
   */
  served_seq: number | undefined;
  #live = false;
  #skipped = 0;
  #from_seq = 0;
  #to_seq = 0;

  constructor(readonly recipient: Recipient, readonly relay: Relay, public resume: ResumePoint | undefined) {
    recipient.owed++;
  }

  /** Frames go out as they come. False: it is owed something first. */
  get live(): boolean {
    return this.#live;
  }
  set live(live: boolean) {
    this.#change(live, this.#skipped);
  }
  /** It can't share batches: nothing flows, or a word on what was skipped must come before anything newer. */
  get owes(): boolean {
    return !this.#live || this.#skipped > 0;
  }
  /** It ends: the client's count of what is owed must not remember it. */
  end(): void {
    this.#change(true, 0);
  }
  get skipped(): number {
    return this.#skipped;
  }
  /** Notes that the client will not get the frame with this sequence. */
  skip(seq: number): void {
    this.skipRange(seq, seq);
  }
  skipRange(from_seq: number, to_seq: number): void {
    if (this.#skipped === 0) this.#from_seq = from_seq;
    this.#to_seq = to_seq;
    this.#change(this.#live, to_seq - this.#from_seq + 1);
    this.recipient.countSkip(this.relay.topic.channel);
  }
  /** Stops the flow until the client has drained. */
  hold(): void {
    this.live = false;
    this.recipient.owe(this);
  }
  /** Tells the client what was skipped since the last word, if anything was. */
  tellLag(): void {
    if (this.#skipped === 0) return;
    const { venue, symbol, channel, depth, interval_ms, interval } = this.relay.topic;
    this.recipient.send(jsonFrame({
      type: "lag",
      venue,
      symbol,
      channel,
      depth,
      interval_ms,
      interval,
      skipped: this.#skipped,
      from_seq: this.#from_seq,
      to_seq: this.#to_seq,
    }));
    this.#change(this.#live, 0);
  }
  #change(live: boolean, skipped: number): void {
    const before = this.owes;
    this.#live = live;
    this.#skipped = skipped;
    if (this.owes !== before) this.recipient.owed += before ? -1 : 1;
  }
}
