/**
 * A book's stream at the edge, in levels or in orders. A client that is too slow skips deltas and gets the book whole when
 * it has drained; the whole is asked of the market side, encoded once for all who wait. Between "out of sync" and the next
 * whole nothing flows.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import { Relay, WHOLE } from "./relay.ts";
import { hasRoom, type Subscription } from "./subscription.ts";

/** Room for the lag notice that may precede a snapshot. */
const LAG_NOTICE_BYTES = 1_024;

export class BookRelay extends Relay {
  /** The last whole, while no delta came after it. */
  #whole: { seq: number; frame: Frame } | undefined;
  #asked = false;
  /** Out of sync, or never yet in sync. */
  #out = true;

  override onFrame(seq: number, flags: number, frame: Frame): void {
    this.#whole = undefined;
    super.onFrame(seq, flags, frame);
  }
  override onSnapshot(seq: number, frame: Frame): void {
    this.#asked = false;
    const is_news = this.#out || seq !== this.seq;
    this.#out = false;
    if (is_news) super.onFrame(seq, WHOLE, frame);
    this.#whole = { seq, frame };
    if (is_news) return;
    for (const subscription of this.loners) if (!subscription.live) this.catchUp(subscription);
  }
  override onHold(): void {
    this.#whole = undefined;
    this.#asked = false;
    this.#out = true;
  }

  protected override start(subscription: Subscription): void {
    if (!this.catchUp(subscription)) subscription.hold();
  }
  protected override replay(subscription: Subscription, seq: number): boolean {
    return !this.#out && super.replay(subscription, seq);
  }
  override deliver(subscription: Subscription, seq: number, flags: number, frame: Frame): void {
    if (flags & WHOLE) return this.#offerWhole(subscription, seq, frame);
    if (!subscription.live) {
      if (subscription.skipped > 0) subscription.skip(seq);
      return;
    }
    const { recipient } = subscription;
    if (hasRoom(recipient, frame.length)) return recipient.send(frame);
    subscription.skip(seq);
    subscription.hold();
  }
  override catchUp(subscription: Subscription): boolean {
    if (this.#out || subscription.recipient.lagging) return false;
    if (this.#whole === undefined) {
      this.#ask();
      // In one thread the answer is there at once, and has served this subscription with the others.
      if (this.#whole === undefined) return false;
      if (subscription.live) return true;
    }
    return this.#send(subscription, this.#whole!.frame);
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.context.tellSnapshot(this.topic.stream);
  }
  #offerWhole(subscription: Subscription, seq: number, frame: Frame): void {
    if (this.#send(subscription, frame)) return;
    if (subscription.live || subscription.skipped > 0) subscription.skip(seq);
    subscription.hold();
  }
  #send(subscription: Subscription, frame: Frame): boolean {
    const { recipient } = subscription;
    const { max_queue_bytes } = recipient.limits;
    if (frame.length + LAG_NOTICE_BYTES > max_queue_bytes) {
      const message =
        `send ${this.topic.channel} of "${this.topic.symbol}": ${frame.length} bytes, want at most ` +
        `${max_queue_bytes}; subscribe with a depth`;
      recipient.refuse(subscription, "too_large", message);
      return true;
    }
    if (!hasRoom(recipient, frame.length)) return false;
    subscription.tellLag();
    recipient.send(frame);
    subscription.live = true;
    return true;
  }
}
