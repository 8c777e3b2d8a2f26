/**
 * The streams besides books. Kept (trades, candles): every frame in order, dropped past a bound and then announced; a bar
 * still forming gives way as soon as the client lags. Latest value (best bid and offer, ticker): a slow client gets only
 * the newest, older ones are announced as skipped. Status: rare and never dropped.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import { MERGEABLE } from "../market_words.ts";
import { CONTROL, Relay } from "./relay.ts";
import { hasRoom, type Subscription } from "./subscription.ts";

export class KeptRelay extends Relay {
  protected override start(subscription: Subscription): void {
    if (!this.catchUp(subscription)) subscription.hold();
  }
  protected override startLate(subscription: Subscription, seq: number): void {
    if (seq < this.seq) subscription.skipRange(seq + 1, this.seq);
    if (!this.catchUp(subscription)) subscription.hold();
  }
  override deliver(subscription: Subscription, seq: number, flags: number, frame: Frame): void {
    if (!subscription.live) return subscription.skip(seq);
    const { recipient } = subscription;
    const fits = flags & MERGEABLE
      ? hasRoom(recipient, frame.length)
      : recipient.queued_bytes + frame.length <= recipient.limits.trade_bytes;
    if (fits) {
      subscription.tellLag();
      return recipient.send(frame);
    }
    subscription.skip(seq);
    if (!(flags & MERGEABLE)) return subscription.hold();
    // It goes on, but must be told before it shares batches again, or before long.
    recipient.owe(subscription);
  }
  override catchUp(subscription: Subscription): boolean {
    if (subscription.recipient.lagging) return false;
    subscription.tellLag();
    subscription.live = true;
    return true;
  }
}

export class LatestRelay extends Relay {
  #last: { seq: number; frame: Frame } | undefined;

  override onFrame(seq: number, flags: number, frame: Frame): void {
    const is_news = seq !== this.seq || this.#last === undefined;
    this.#last = { seq, frame };
    if (seq !== this.seq) return super.onFrame(seq, flags, frame);
    // The value of now, told when the stream was opened: it has no sequence of its own to be replayed by.
    if (is_news) { for (const subscription of this.loners) this.deliver(subscription, seq, flags, frame); }
  }
  override onHold(): void {
    this.#last = undefined;
    for (const subscription of this.loners) {
      if (subscription.held) subscription.skip(subscription.held.seq);
      subscription.held = undefined;
    }
  }
  protected override start(subscription: Subscription): void {
    subscription.live = true;
    if (this.#last) this.deliver(subscription, this.#last.seq, MERGEABLE, this.#last.frame);
  }
  override deliver(subscription: Subscription, seq: number, _flags: number, frame: Frame): void {
    if (subscription.live && hasRoom(subscription.recipient, frame.length)) {
      return subscription.recipient.send(frame);
    }
    if (subscription.held) subscription.skip(subscription.held.seq);
    subscription.held = { frame, seq };
    subscription.hold();
  }
  override catchUp(subscription: Subscription): boolean {
    const { recipient, held } = subscription;
    if (recipient.lagging || (held && !hasRoom(recipient, held.frame.length))) return false;
    subscription.tellLag();
    subscription.held = undefined;
    if (held) recipient.send(held.frame);
    subscription.live = true;
    return true;
  }
}

/** The stream of words on whether a book is in sync; made by the edge itself from what the market side says. */
export class StatusRelay extends Relay {
  protected override start(subscription: Subscription): void {
    subscription.live = true;
  }
  override deliver({ recipient }: Subscription, _seq: number, flags: number, frame: Frame): void {
    if (flags & CONTROL) recipient.send(frame);
  }
  override catchUp(): boolean {
    return true;
  }
}
