/**
 * Turns updates into records: normalised JSON in an AMQP message that names schema, venue, symbol and kind, under a
 * reference per instrument and kind whose publishing ids come from the feed (publishing_id.ts). What the feed does not
 * order goes under a reference of this process alone: trades late or without an id, states of our own books, subscriptions.
 */
import type { MetricValue } from "../../base/metrics.ts";
import type { UpdateKind } from "../../flow/delivery_target.ts";
import type { Trade } from "../../market/event.ts";
import type { SubscriptionChange } from "../../market/subscription_change.ts";
import type { MarketUpdate } from "../../market/update.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import { messageBytes, messageHead } from "../../wire/rabbitmq_stream/amqp_message.ts";
import { MAX_REFERENCE_BYTES } from "../../wire/rabbitmq_stream/protocol.ts";
import { UPDATE_JSON_VERSION, writeUpdateJson } from "../../flow/update_json.ts";
import { FactIds, type PublishingId, publishingId, StateIds } from "./publishing_id.ts";
import type { StreamRecord } from "./stream_record.ts";

/** One instrument and kind (for candles: and interval). */
interface Lane {
  readonly reference: string;
  readonly head: Uint8Array<ArrayBuffer>;
  readonly facts: FactIds;
  readonly states: StateIds;
}

export interface RecordMakerOptions {
  /** Producers with the same name publish the same facts under the same references. */
  readonly producer: string;
  /** Unlike that of any other process, now or before. */
  readonly instance: string;
  readonly depth: number;
}

const encoder = new TextEncoder();

export class RecordMaker {
  readonly #lanes = new Map<string, Map<string, Map<string, Lane>>>();
  readonly #writer = new ByteWriter();
  readonly #own_reference: string;
  #own_sequence = 0;

  constructor(
    readonly options: RecordMakerOptions,
    /** Counts trades without an id that rises: no producer but this one could tell them from repetitions. */
    readonly unordered: MetricValue,
  ) {
    this.#own_reference = referenceOf(options.producer, options.instance);
  }

  /** The record of an update, to be made while the update is true. */
  record(update: MarketUpdate): StreamRecord {
    const { head, reference, facts, states } = this.#lane(update);
    this.#writer.reset();
    writeUpdateJson(this.#writer, update, this.options.depth);
    const bytes = messageBytes(head, this.#writer.bytes.subarray(0, this.#writer.length));
    if (update.kind === "book_status") return this.#own(bytes, true);
    let id: PublishingId | undefined;
    if (update.kind === "trade") {
      id = factId(facts, update);
      if (id === undefined) {
        this.unordered.value++;
        return this.#own(bytes, false);
      }
    } else id = stateId(states, update);
    return { reference, high: id.high, low: id.low, bytes, is_barrier: false };
  }
  subscription(change: SubscriptionChange): StreamRecord {
    const { venue, symbol } = change;
    const payload = encoder.encode(JSON.stringify({ kind: "subscription", ...change }));
    return this.#own(messageBytes(headOf("subscription", venue, symbol), payload), false);
  }
  /** The instrument is gone. */
  forget(venue: string, symbol: string): void {
    this.#lanes.get(venue)?.delete(symbol);
  }

  #own(bytes: Uint8Array, is_barrier: boolean): StreamRecord {
    const { high, low } = publishingId(undefined, ++this.#own_sequence);
    return { reference: this.#own_reference, high, low, bytes, is_barrier };
  }
  #lane(update: MarketUpdate): Lane {
    const { venue, symbol } = update;
    let symbols = this.#lanes.get(venue);
    if (!symbols) this.#lanes.set(venue, symbols = new Map());
    let lanes = symbols.get(symbol);
    if (!lanes) symbols.set(symbol, lanes = new Map());
    const kind = update.kind === "candle" ? `candle.${update.interval}` : update.kind;
    const known = lanes.get(kind);
    if (known) return known;
    const made: Lane = {
      reference: referenceOf(this.options.producer, venue, symbol, kind),
      head: headOf(update.kind, venue, symbol),
      facts: new FactIds(),
      states: new StateIds(),
    };
    lanes.set(kind, made);
    return made;
  }
}

function headOf(kind: UpdateKind | "subscription", venue: string, symbol: string): Uint8Array<ArrayBuffer> {
  return messageHead("application/json", {
    schema: `mdg.update/${UPDATE_JSON_VERSION}`,
    kind,
    venue,
    symbol,
  });
}

function referenceOf(...parts: string[]): string {
  const reference = parts.join("/");
  const { length } = encoder.encode(reference);
  if (length > MAX_REFERENCE_BYTES) {
    throw new RangeError(
      `name producer "${reference}": ${length} bytes, want at most ${MAX_REFERENCE_BYTES}`,
    );
  }
  return reference;
}

/** Undefined for a trade that comes after a later one, or that its venue does not number. */
function factId(ids: FactIds, { trade_id, exchange_ms }: Trade): PublishingId | undefined {
  return trade_id === undefined ? undefined : ids.next(exchange_ms, trade_id);
}

function stateId(
  ids: StateIds,
  update: Exclude<MarketUpdate, { kind: "trade" | "book_status" }>,
): PublishingId {
  const time_ms = update.exchange_ms ?? update.sent_ms ?? update.received_us / 1_000;
  switch (update.kind) {
    case "book":
      return ids.next(time_ms, update.last_update_id, update.sequence);
    case "quote":
      return ids.next(time_ms, update.update_id ?? 0);
    case "ticker":
    case "candle":
      return ids.next(time_ms, 0);
  }
}
