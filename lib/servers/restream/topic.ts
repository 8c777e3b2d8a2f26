/**
 * One stream of frames that clients subscribe to, and one client's standing in it. The three delivery modes differ only
 * in what a slow client loses: a book skips deltas and gets a snapshot, trades are dropped past a bound, the latest-value
 * channels keep the newest. Whatever a client did not get is announced by `lag` before anything newer: an owed
 * subscription gets nothing until it has caught up, so a newer value never overtakes.
 */
import type { Frame } from "../../wire/websocket_frame.ts";
import type { QueueLimits } from "./config.ts";
import type { Lag } from "./messages.ts";
import type { ChannelName, ErrorCode } from "./protocol.ts";

/** A client as a topic sees it. */
export interface Recipient {
  readonly limits: QueueLimits;
  readonly queued_bytes: number;
  /** Mergeable channels must conflate. */
  readonly lagging: boolean;
  /** Queues a frame; a client whose bound it breaks is closed, then this does nothing. */
  send(frame: Frame): void;
  /** Counts a frame this client will not get. */
  countSkip(channel: ChannelName): void;
  /** Asks to be called back (`Topic.catchUp`) when the client has drained. */
  owe(subscription: Subscription): void;
  /** Ends a subscription that can never be served, with a word to the client. */
  refuse(subscription: Subscription, code: ErrorCode, message: string): void;
  /** Ends a subscription. */
  drop(subscription: Subscription): void;
}

export interface Topic {
  readonly channel: ChannelName;
  readonly venue: string;
  readonly symbol: string;
  /** Levels a side; absent for the whole book and for other channels. */
  readonly depth?: number;
  readonly subscriptions: Set<Subscription>;
  /** Sequence of the last frame; a new subscriber's next one is this plus one. */
  readonly seq: number;
  /** The first frames of a new subscription. */
  start(subscription: Subscription): void;
  /** Sends what the client was denied. False when it is not the time yet: keep owing. */
  catchUp(subscription: Subscription): boolean;
}

/** Whether a mergeable frame of this length may be queued now. An empty queue takes any, or it would never come. */
export function hasRoom(recipient: Recipient, bytes: number): boolean {
  if (recipient.lagging) return false;
  const { queued_bytes, limits } = recipient;
  return queued_bytes === 0 || queued_bytes + bytes <= limits.conflate_bytes;
}

export class Subscription {
  /** Frames go out as they come. False: it is owed something first. */
  live = false;
  /** The newest value of a latest-value channel, waiting. */
  held: { frame: Frame; seq: number } | undefined;
  #skipped = 0;
  #from_seq = 0;
  #to_seq = 0;

  constructor(readonly recipient: Recipient, readonly topic: Topic) {}

  get skipped(): number {
    return this.#skipped;
  }
  /** Notes that the client will not get the frame with this sequence. */
  skip(seq: number): void {
    if (this.#skipped === 0) this.#from_seq = seq;
    this.#to_seq = seq;
    this.#skipped++;
    this.recipient.countSkip(this.topic.channel);
  }
  /** Stops the flow until the client has drained. */
  hold(): void {
    this.live = false;
    this.recipient.owe(this);
  }
  /** What was skipped since the last call; undefined when nothing was. */
  takeLag(): Lag | undefined {
    if (this.#skipped === 0) return undefined;
    const { venue, symbol, channel, depth } = this.topic;
    const lag = {
      venue,
      symbol,
      channel,
      depth,
      skipped: this.#skipped,
      from_seq: this.#from_seq,
      to_seq: this.#to_seq,
    };
    this.#skipped = 0;
    return lag;
  }
}
