/**
 * The channels besides the book. Trades: every one in order, dropped past a bound and then announced. Latest value (best
 * bid and offer, ticker): a slow client gets only the newest, older ones are announced as skipped. Status: rare and
 * never dropped. Each frame is encoded once, and only when somebody wants it.
 */
import type { Trade } from "../../market/event.ts";
import type { Frame } from "../../wire/websocket_frame.ts";
import { type Head, type MessageEncoder, messageHead } from "./messages.ts";
import { hasRoom, type Subscription, type Topic } from "./topic.ts";

export class TradesTopic implements Topic {
  readonly channel = "trades";
  readonly subscriptions = new Set<Subscription>();
  seq = 0;
  readonly #head: Head;

  constructor(readonly venue: string, readonly symbol: string, readonly encoder: MessageEncoder) {
    this.#head = messageHead("trade", venue, symbol);
  }
  start(subscription: Subscription): void {
    subscription.live = true;
  }
  catchUp(subscription: Subscription): boolean {
    if (subscription.recipient.lagging) return false;
    const lag = subscription.takeLag();
    if (lag) subscription.recipient.send(this.encoder.lag(lag));
    subscription.live = true;
    return true;
  }
  onTrade(trade: Trade): void {
    this.seq++;
    let frame: Frame | undefined;
    for (const subscription of this.subscriptions) {
      if (!subscription.live) {
        subscription.skip(this.seq);
        continue;
      }
      const { recipient } = subscription;
      frame ??= this.encoder.trade(this.#head, this.seq, trade);
      if (recipient.queued_bytes + frame.length <= recipient.limits.trade_bytes) {
        recipient.send(frame);
      } else {
        subscription.skip(this.seq);
        subscription.hold();
      }
    }
  }
}

export class LatestTopic implements Topic {
  readonly subscriptions = new Set<Subscription>();
  seq = 0;
  #last: Frame | undefined;

  /** `current` makes the value of now for a newcomer, when there is one and none was encoded. */
  constructor(
    readonly channel: "bbo" | "ticker",
    readonly venue: string,
    readonly symbol: string,
    readonly encoder: MessageEncoder,
    readonly current: (seq: number) => Frame | undefined = () => undefined,
  ) {}
  start(subscription: Subscription): void {
    subscription.live = true;
    const frame = this.#last ??= this.current(this.seq);
    if (frame) this.#offer(subscription, frame);
  }
  catchUp(subscription: Subscription): boolean {
    const { recipient, held } = subscription;
    if (recipient.lagging || (held && !hasRoom(recipient, held.frame.length))) return false;
    const lag = subscription.takeLag();
    if (lag) recipient.send(this.encoder.lag(lag));
    subscription.held = undefined;
    if (held) recipient.send(held.frame);
    subscription.live = true;
    return true;
  }
  /** `keep`: encode even without subscribers, for values too rare to wait for the next. */
  onValue(encode: (seq: number) => Frame, keep: boolean): void {
    this.seq++;
    this.#last = undefined;
    if (this.subscriptions.size === 0 && !keep) return;
    const frame = this.#last = encode(this.seq);
    for (const subscription of this.subscriptions) this.#offer(subscription, frame);
  }
  /** The last value is no longer true; newcomers wait for the next. */
  forget(): void {
    this.#last = undefined;
    for (const subscription of this.subscriptions) {
      if (subscription.held) subscription.skip(subscription.held.seq);
      subscription.held = undefined;
    }
  }
  #offer(subscription: Subscription, frame: Frame): void {
    if (subscription.live && hasRoom(subscription.recipient, frame.length)) {
      subscription.recipient.send(frame);
      return;
    }
    if (subscription.held) subscription.skip(subscription.held.seq);
    subscription.held = { frame, seq: this.seq };
    subscription.hold();
  }
}

export class StatusTopic implements Topic {
  readonly channel = "status";
  readonly subscriptions = new Set<Subscription>();
  seq = 0;

  constructor(readonly venue: string, readonly symbol: string, readonly current: () => Frame) {}
  start(subscription: Subscription): void {
    subscription.live = true;
    subscription.recipient.send(this.current());
  }
  catchUp(): boolean {
    return true;
  }
  onStatus(frame: Frame): void {
    this.seq++;
    for (const { recipient } of this.subscriptions) recipient.send(frame);
  }
}
