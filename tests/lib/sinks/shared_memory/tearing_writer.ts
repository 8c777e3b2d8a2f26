/**
 * The canary: a writer that breaks the protocol on purpose. It stores the lock of a complete event first, then the right
 * checksum, then the content, slowly. Readers that do not detect it are worth nothing.
 */
import { checksum } from "../../../../lib/sinks/shared_memory/checksum.ts";
import {
  EVENT,
  EVENT_CHECKED_FROM,
  EVENT_SLOT_BYTES,
  type Geometry,
  HEADER,
  KIND,
} from "../../../../lib/sinks/shared_memory/layout.ts";
import type { Trade } from "../../../../lib/market/event.ts";

const LENGTH = EVENT.payload + 5 * 8;

export class TearingWriter {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #whole = new ArrayBuffer(EVENT_SLOT_BYTES);

  constructor(readonly buffer: ArrayBuffer, readonly geometry: Geometry, readonly now_us: () => number) {
    this.#words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }
  trade(trade: Trade, sequence: number): void {
    const whole = new Float64Array(this.#whole);
    const whole_words = new Int32Array(this.#whole);
    whole[EVENT.sequence / 8] = sequence;
    whole_words[EVENT.instrument / 4] = 0;
    whole_words[EVENT.shape / 4] = KIND.trade | LENGTH << 16;
    whole[EVENT.exchange_ms / 8] = trade.exchange_ms!;
    whole[EVENT.received_us / 8] = trade.received_us;
    whole[EVENT.published_us / 8] = this.now_us();
    const payload = [trade.price, trade.quantity, trade.trade_id!, trade.first_fill_id!, trade.last_fill_id!];
    whole.set(payload, EVENT.payload / 8);
    const { ring_offset, ring_slots } = this.geometry;
    const slot = ring_offset + (sequence & (ring_slots - 1)) * EVENT_SLOT_BYTES;
    const words = this.#words;
    Atomics.store(words, slot / 4, (2 * sequence) | 0);
    Atomics.store(
      words,
      (slot + EVENT.checksum) / 4,
      checksum(whole_words, EVENT_CHECKED_FROM / 4, LENGTH / 4),
    );
    for (let word = EVENT_CHECKED_FROM / 4; word < LENGTH / 4; word++) {
      Atomics.store(words, slot / 4 + word, whole_words[word]);
    }
    this.#doubles[HEADER.head / 8] = sequence;
  }
}
