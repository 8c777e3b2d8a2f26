/**
 * Every resting order of one instrument as frames (market by order), all of them or those at the best N prices. As with
 * books, the whole passes the source's changes on under the hub's sequence of the book, so both channels stand at the
 * same state at the same `seq`; a limited one has a sequence of its own.
 */
import { type OrdersUpdate, timestampMs } from "../../../market/update.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { MessageType, OrdersStamp, TopicName } from "./encoding.ts";
import type { MakerContext, Output } from "./maker.ts";
import { OrdersView } from "./orders_view.ts";
import { WholeMaker } from "./whole_maker.ts";

export class OrdersMaker extends WholeMaker {
  protected readonly message_type: MessageType = "orders_delta";
  protected override readonly whole_type: MessageType = "orders_snapshot";
  #stamp: OrdersStamp | undefined;
  readonly #view: OrdersView | undefined;

  constructor(
    topic: TopicName,
    context: MakerContext,
    first_seq: number,
    readonly readOrders: () => OrdersUpdate | undefined,
  ) {
    super(topic, context, first_seq);
    if (topic.depth !== undefined) this.#view = new OrdersView(topic.depth);
  }

  onUpdate(update: OrdersUpdate): void {
    const was_in_sync = this.in_sync;
    this.in_sync = true;
    const changes = this.#view?.update(update.orders, update.changes) ?? update.changes;
    if (this.#view === undefined) {
      const follows = was_in_sync && changes !== undefined && update.sequence === this.seq + 1;
      this.seq = update.sequence;
      this.#setStamp(update);
      if (!follows) return this.emitWhole();
    } else {
      if (was_in_sync && changes!.length === 0) return this.payDebts();
      this.seq++;
      this.#setStamp(update);
      if (!was_in_sync) return this.emitWhole();
    }
    const stamp = this.#stamp!;
    this.emit(({ encoding, head }) => encoding.orderChanges(head, stamp, changes!));
    this.payDebts();
  }
  protected override adopt(): boolean {
    const state = this.readOrders();
    if (state === undefined) return false;
    if (this.#view === undefined) this.seq = state.sequence;
    else {
      this.#view.update(state.orders);
      this.seq++;
    }
    this.#setStamp(state);
    return true;
  }
  protected override whole({ encoding, whole_head }: Output): Frame | undefined {
    const stamp = this.#stamp!;
    const view = this.#view;
    if (view) return encoding.orders(whole_head, stamp, view.orders("bid"), view.orders("ask"));
    const orders = this.readOrders()?.orders;
    return orders && encoding.orders(whole_head, stamp, [...orders.orders("bid")], [...orders.orders("ask")]);
  }
  #setStamp(update: OrdersUpdate): void {
    this.#stamp = {
      seq: this.seq,
      last_update_id: update.last_update_id,
      timestamp: Math.floor(timestampMs(update)),
    };
  }
}
