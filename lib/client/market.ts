/**
 * All instruments of a client and what each message does to them. Nothing is handed on that does not follow what came
 * before it: a book message without its book, a trade a second time. What is lost is told.
 */
import { ClientInstrument } from "./instrument.ts";
import { KeptBook } from "./kept_book.ts";
import type { KeptOrders } from "./kept_orders.ts";
import type { KeptState } from "./kept_state.ts";
import {
  type BookMessage,
  type ControlMessage,
  type MarketMessage,
  type OrdersMessage,
  type TradeMessage,
  UnreadableMessage,
} from "./messages.ts";

/** A broken server must not grow memory. */
const MAX_INSTRUMENTS = 65_536;

/** lost: not to be used until a snapshot, or `resumed` where the connection ended. */
export type BookEvent = "snapshot" | "delta" | "lost" | "resumed";

export interface Gap {
  readonly venue: string;
  readonly symbol: string;
  readonly channel: string;
  /** How many; absent: nobody knows. */
  readonly missed?: number;
  /** lag: the server skipped them. missed: its numbering shows it. anew: its numbering started anew. */
  readonly reason: "lag" | "missed" | "anew";
}

export interface MarketEvents {
  market?(message: MarketMessage, received_us: number): void;
  book?(book: KeptBook, event: BookEvent): void;
  orders?(orders: KeptOrders, event: BookEvent): void;
  gap?(gap: Gap): void;
}

export class Market {
  /** Venue → symbol → instrument. */
  readonly #venues = new Map<string, Map<string, ClientInstrument>>();
  #count = 0;
  #epoch: string | undefined;

  constructor(readonly keeps_books: boolean, readonly events: MarketEvents) {}

  find(venue: string, symbol: string): ClientInstrument | undefined {
    return this.#venues.get(venue)?.get(symbol);
  }
  *instruments(): Iterable<ClientInstrument> {
    for (const symbols of this.#venues.values()) yield* symbols.values();
  }
  /** @throws UnreadableMessage past the bound */
  open(venue: string, symbol: string): ClientInstrument {
    let symbols = this.#venues.get(venue);
    if (!symbols) this.#venues.set(venue, symbols = new Map());
    let found = symbols.get(symbol);
    if (!found) {
      if (this.#count >= MAX_INSTRUMENTS) throw new UnreadableMessage(`over ${MAX_INSTRUMENTS} instruments`);
      this.#count++;
      symbols.set(symbol, found = new ClientInstrument(venue, symbol, this.keeps_books));
    }
    return found;
  }
  remove(venue: string, symbol: string): void {
    if (this.#venues.get(venue)?.delete(symbol)) this.#count--;
  }
  get epoch(): string | undefined {
    return this.#epoch;
  }
  /** A connection whose sequences are those of `epoch`. */
  begin(epoch: string): void {
    const goes_on = this.#epoch === epoch;
    this.#epoch = epoch;
    for (const instrument of this.instruments()) {
      if (goes_on) instrument.goOn();
      else if (instrument.startAnew()) this.#gap(instrument, "trades", "anew");
    }
  }
  /** The connection ended. */
  parted(reason: string): void {
    for (const { book, orders } of this.instruments()) {
      for (const kept of [book, orders]) if (kept?.part(reason)) this.#tell(kept, "lost");
    }
  }
  /** @throws UnreadableMessage where the sequence is broken */
  take(message: MarketMessage, received_us: number): void {
    const instrument = this.find(message.venue, message.symbol);
    // Unsubscribed from, or never subscribed to.
    if (instrument === undefined) return;
    switch (message.type) {
      case "snapshot":
      case "delta":
        return this.#kept(instrument.book, message, received_us);
      case "orders_snapshot":
      case "orders_delta":
        return this.#kept(instrument.orders, message, received_us);
      case "trade":
        return this.#trade(instrument, message, received_us);
      case "candle":
        if (!instrument.isNewCandle(message)) return;
        break;
    }
    this.events.market?.(message, received_us);
  }
  /** `status`, `lag`, `resumed`: what they mean to the instruments. */
  note(message: ControlMessage): void {
    const { type, venue, symbol } = message;
    if (typeof venue !== "string" || typeof symbol !== "string") return;
    const instrument = this.find(venue, symbol);
    if (instrument === undefined) return;
    if (type === "status" && message.in_sync === false) {
      const reason = typeof message.reason === "string" ? message.reason : "out of sync";
      for (const kept of ["book", "orders"]) this.lose(instrument, kept, reason);
    } else if (type === "lag") this.#lag(instrument, message);
    else if (type === "resumed") this.#resumed(instrument, message);
  }
  lose(instrument: ClientInstrument, channel: unknown, reason: string): void {
    const kept = instrument.kept(channel);
    if (kept?.lose(reason)) this.#tell(kept, "lost");
  }

  #kept<Message extends BookMessage | OrdersMessage>(
    kept: (KeptState<Message> & (KeptBook | KeptOrders)) | undefined,
    message: Message,
    received_us: number,
  ): void {
    if (kept === undefined) return;
    const was_in_sync = kept.in_sync;
    try {
      if (!kept.take(message)) return;
    } catch (error) {
      if (was_in_sync) this.#tell(kept, "lost");
      throw error;
    }
    this.events.market?.(message, received_us);
    const is_whole = message.type === "snapshot" || message.type === "orders_snapshot";
    this.#tell(kept, is_whole ? "snapshot" : "delta");
  }
  #tell(kept: KeptBook | KeptOrders, event: BookEvent): void {
    if (kept instanceof KeptBook) this.events.book?.(kept, event);
    else this.events.orders?.(kept, event);
  }
  #trade(instrument: ClientInstrument, message: TradeMessage, received_us: number): void {
    const missed = instrument.missedTrades(message);
    if (missed === undefined) return;
    if (missed > 0) this.#gap(instrument, "trades", "missed", missed);
    this.events.market?.(message, received_us);
  }
  #lag(instrument: ClientInstrument, { channel, interval, skipped, to_seq }: ControlMessage): void {
    if (typeof channel !== "string") return;
    this.lose(instrument, channel, "lag");
    const progress = instrument.progressOf(channel, typeof interval === "string" ? interval : undefined);
    if (progress !== undefined && Number.isSafeInteger(to_seq)) progress.skipTo(to_seq as number);
    const missed = Number.isSafeInteger(skipped) ? skipped as number : undefined;
    this.#gap(instrument, channel, "lag", missed);
  }
  #resumed(instrument: ClientInstrument, { channel, from_seq, to_seq }: ControlMessage): void {
    const kept = instrument.kept(channel);
    if (kept === undefined) return;
    if (!Number.isSafeInteger(from_seq) || !Number.isSafeInteger(to_seq)) {
      throw new UnreadableMessage('"resumed" without from_seq and to_seq');
    }
    kept.resume(from_seq as number, to_seq as number);
    this.#tell(kept, "resumed");
  }
  #gap({ venue, symbol }: ClientInstrument, channel: string, reason: Gap["reason"], missed?: number): void {
    this.events.gap?.({ venue, symbol, channel, missed, reason });
  }
}
