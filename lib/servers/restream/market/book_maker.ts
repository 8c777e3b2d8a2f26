/**
 * The order book of one instrument as frames, whole or limited to the best N levels: a snapshot, then deltas that follow
 * each other by exactly one. The whole book passes the venue's deltas on under the hub's own sequence; a limited one tells
 * the changes of its N levels under a sequence of its own, and is silent when an update changed nothing within them; with
 * an interval it tells the changes of that time at once. Nothing leaves while the book is out of sync.
 */
import type { BookState } from "../../../flow/hub.ts";
import { type BookUpdate, timestampMs } from "../../../market/update.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";
import { DepthView } from "./depth_view.ts";
import type { BookStamp, MessageType, TopicName } from "./encoding.ts";
import type { MakerContext, Output } from "./maker.ts";
import type { Pace } from "./pace.ts";
import { WholeMaker } from "./whole_maker.ts";

type ReadableState = Pick<
  BookUpdate,
  "book" | "sequence" | "last_update_id" | "exchange_ms" | "sent_ms" | "received_us"
>;

export class BookMaker extends WholeMaker {
  protected readonly message_type: MessageType = "delta";
  #stamp: BookStamp | undefined;
  readonly #bids: DepthView | undefined;
  readonly #asks: DepthView | undefined;

  constructor(
    topic: TopicName,
    context: MakerContext,
    first_seq: number,
    readonly readBook: () => BookState | undefined,
    override readonly pace?: Pace,
  ) {
    super(topic, context, first_seq);
    if (topic.depth !== undefined) {
      this.#bids = new DepthView(topic.depth);
      this.#asks = new DepthView(topic.depth);
    }
  }

  onUpdate(update: BookUpdate): void {
    if (this.topic.depth === undefined) return this.#onWholeUpdate(update);
    if (!this.in_sync || this.pace === undefined) return this.#onView(update);
    this.pace.request(() => {
      const state = this.#readable();
      if (state && this.in_sync) this.#onView(state);
    });
  }
  #onWholeUpdate(update: BookUpdate): void {
    const { delta } = update;
    const follows = this.in_sync && update.sequence === this.seq + 1;
    this.in_sync = true;
    this.seq = update.sequence;
    this.#setStamp(update);
    if (delta === undefined || !follows) return this.emitWhole();
    const stamp = this.#stamp!;
    this.emit(({ encoding, head }) => encoding.changes(head, stamp, delta.bids, delta.asks));
    this.payDebts();
  }
  #onView(state: ReadableState): void {
    const was_in_sync = this.in_sync;
    this.in_sync = true;
    const bids_changed = this.#bids!.update(state.book.bids);
    const asks_changed = this.#asks!.update(state.book.asks);
    if (!bids_changed && !asks_changed && was_in_sync) return this.payDebts();
    this.seq++;
    this.#setStamp(state);
    if (!was_in_sync) return this.emitWhole();
    const stamp = this.#stamp!;
    this.emit(({ encoding, head }) =>
      encoding.changes(head, stamp, this.#bids!.changes, this.#asks!.changes)
    );
    this.payDebts();
  }
  #setStamp(state: ReadableState): void {
    this.#stamp = {
      seq: this.seq,
      last_update_id: state.last_update_id,
      timestamp: Math.floor(timestampMs(state)),
      price_decimals: state.book.price_decimals,
      quantity_decimals: state.book.quantity_decimals,
    };
  }
  protected override whole({ encoding, whole_head }: Output): Frame | undefined {
    const stamp = this.#stamp!;
    if (this.#bids && this.#asks) {
      return encoding.changes(whole_head, stamp, this.#bids.levels, this.#asks.levels);
    }
    const book = this.#readable()?.book;
    return book && encoding.snapshot(whole_head, stamp, book.bids, book.asks);
  }
  protected override adopt(): boolean {
    const state = this.#readable();
    if (state === undefined) return false;
    if (this.#bids && this.#asks) {
      this.#bids.update(state.book.bids);
      this.#asks.update(state.book.asks);
      this.seq++;
    } else {
      this.seq = state.sequence;
    }
    this.#setStamp(state);
    return true;
  }
  /** A crossed book was changed by an update that is not published: not to be shown until the next one is. */
  #readable(): BookState | undefined {
    const state = this.readBook();
    if (state === undefined || !state.in_sync || state.sequence === 0) return undefined;
    const { best_bid, best_ask } = state.book;
    return best_bid !== undefined && best_ask !== undefined && best_bid >= best_ask ? undefined : state;
  }
}
