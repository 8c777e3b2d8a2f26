/**
 * The order book of one instrument as frames, whole or limited to the best N levels: a snapshot, then deltas that follow
 * each other by exactly one. Each frame is encoded once for all subscribers. The whole book passes the venue's deltas on
 * under the hub's own sequence; a limited one tells the changes of its N levels under a sequence of its own, and is
 * silent when an update changed nothing within them. Nothing leaves while the book is out of sync.
 */
import type { BookState } from "../../flow/hub.ts";
import { type BookUpdate, timestampMs } from "../../market/update.ts";
import type { Frame } from "../../wire/websocket_frame.ts";
import { DepthView } from "./depth_view.ts";
import { type BookStamp, type Head, type MessageEncoder, messageHead } from "./messages.ts";
import { hasRoom, type Subscription, type Topic } from "./topic.ts";

/** Room for the lag notice that may precede a snapshot. */
const LAG_NOTICE_BYTES = 1_024;

type ReadableState = Pick<
  BookUpdate,
  "book" | "sequence" | "last_update_id" | "exchange_ms" | "sent_ms" | "received_us"
>;

export class BookTopic implements Topic {
  readonly channel = "book";
  readonly subscriptions = new Set<Subscription>();
  seq = 0;
  #in_sync = false;
  #stamp: BookStamp | undefined;
  #snapshot: Frame | undefined;
  readonly #bids: DepthView | undefined;
  readonly #asks: DepthView | undefined;
  readonly #snapshot_head: Head;
  readonly #delta_head: Head;

  constructor(
    readonly venue: string,
    readonly symbol: string,
    readonly depth: number | undefined,
    readonly encoder: MessageEncoder,
    readonly readBook: () => BookState | undefined,
  ) {
    if (depth !== undefined) {
      this.#bids = new DepthView(depth);
      this.#asks = new DepthView(depth);
    }
    this.#snapshot_head = messageHead("snapshot", venue, symbol, depth);
    this.#delta_head = messageHead("delta", venue, symbol, depth);
  }

  start(subscription: Subscription): void {
    if (!this.catchUp(subscription)) subscription.hold();
  }
  catchUp(subscription: Subscription): boolean {
    const { recipient } = subscription;
    const frame = this.#snapshotFrame();
    if (frame === undefined) return false;
    if (frame.length + LAG_NOTICE_BYTES > recipient.limits.max_queue_bytes) {
      const message = `send the book of "${this.symbol}": ${frame.length} bytes, want at most ` +
        `${recipient.limits.max_queue_bytes}; subscribe with a depth`;
      recipient.refuse(subscription, "too_large", message);
      return true;
    }
    if (!hasRoom(recipient, frame.length)) return false;
    const lag = subscription.takeLag();
    if (lag) recipient.send(this.encoder.lag(lag));
    recipient.send(frame);
    subscription.live = true;
    return true;
  }

  /** The book left sync: subscribers wait for the snapshot after it comes back. */
  onOutOfSync(): void {
    this.#in_sync = false;
    this.#snapshot = undefined;
    for (const subscription of this.subscriptions) subscription.hold();
  }
  onUpdate(update: BookUpdate): void {
    const was_in_sync = this.#in_sync;
    this.#in_sync = true;
    if (this.#bids && this.#asks) {
      const bids_changed = this.#bids.update(update.book.bids);
      const asks_changed = this.#asks.update(update.book.asks);
      const changed = bids_changed || asks_changed || !was_in_sync;
      if (changed) this.seq++;
      this.#setStamp(update);
      if (!changed) return;
      if (!was_in_sync) return this.#offerWhole();
      this.#offerDelta(() =>
        this.encoder.changes(this.#delta_head, this.#stamp!, this.#bids!.changes, this.#asks!.changes)
      );
      return;
    }
    const { delta } = update;
    const follows = was_in_sync && update.sequence === this.seq + 1;
    this.seq = update.sequence;
    this.#setStamp(update);
    if (delta === undefined || !follows) return this.#offerWhole();
    this.#offerDelta(() => this.encoder.changes(this.#delta_head, this.#stamp!, delta.bids, delta.asks));
  }

  #offerWhole(): void {
    for (const subscription of this.subscriptions) {
      if (this.catchUp(subscription)) continue;
      if (subscription.live || subscription.skipped > 0) subscription.skip(this.seq);
      subscription.hold();
    }
  }
  #offerDelta(encode: () => Frame): void {
    let frame: Frame | undefined;
    for (const subscription of this.subscriptions) {
      const { recipient } = subscription;
      if (!subscription.live) {
        if (subscription.skipped > 0) subscription.skip(this.seq);
        continue;
      }
      frame ??= encode();
      if (hasRoom(recipient, frame.length)) {
        recipient.send(frame);
      } else {
        subscription.skip(this.seq);
        subscription.hold();
      }
    }
  }

  #setStamp(state: ReadableState): void {
    this.#snapshot = undefined;
    this.#stamp = {
      seq: this.seq,
      last_update_id: state.last_update_id,
      timestamp: Math.floor(timestampMs(state)),
      price_decimals: state.book.price_decimals,
      quantity_decimals: state.book.quantity_decimals,
    };
  }
  /** The book as last published, encoded once until the next update; undefined while it may not be sent. */
  #snapshotFrame(): Frame | undefined {
    if (!this.#in_sync) this.#adopt();
    if (!this.#in_sync || this.#stamp === undefined) return undefined;
    if (this.#snapshot) return this.#snapshot;
    if (this.#bids && this.#asks) {
      this.#snapshot = this.encoder.changes(
        this.#snapshot_head,
        this.#stamp,
        this.#bids.levels,
        this.#asks.levels,
      );
    } else {
      const book = this.#readable()?.book;
      if (book === undefined) return undefined;
      this.#snapshot = this.encoder.snapshot(this.#snapshot_head, this.#stamp, book.bids, book.asks);
    }
    return this.#snapshot;
  }
  /** A topic born while the book is live starts from what was last published. */
  #adopt(): void {
    const state = this.#readable();
    if (state === undefined) return;
    this.#in_sync = true;
    if (this.#bids && this.#asks) {
      this.#bids.update(state.book.bids);
      this.#asks.update(state.book.asks);
      this.seq++;
    } else {
      this.seq = state.sequence;
    }
    this.#setStamp(state);
  }
  /** A crossed book was changed by an update that is not published: not to be shown until the next one is. */
  #readable(): BookState | undefined {
    const state = this.readBook();
    if (state === undefined || !state.in_sync || state.sequence === 0) return undefined;
    const { best_bid, best_ask } = state.book;
    return best_bid !== undefined && best_ask !== undefined && best_bid >= best_ask ? undefined : state;
  }
}
