/**
 * One subscription of one client: its own sequence, strictly +1, and what it owes the client. A client that cannot take
 * a publication misses it whole; the next message says how much was missed, and where changes were asked for it is a
 * full book again, so what a client holds is never wrong, only older.
 */
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { MAX_FRAMING_BYTES, writeHeadedFrame } from "../../wire/headed_frame.ts";
import type { Publication, Topic } from "./topic.ts";

const encoder = new TextEncoder();
/** Digits of the two numbers and the name of the second. */
const MAX_NUMBERS_BYTES = 48;

export class Stream {
  readonly #start: Uint8Array;
  #sequence = 0;
  /** Publications (TRADES: trades) not sent since the last message. */
  #skipped = 0;
  /** The client has the book of the turn before, so changes are enough. */
  #is_current = false;

  constructor(
    readonly id: string,
    readonly topic: Topic,
    readonly delta: boolean,
  ) {
    const stream_id = JSON.stringify(id);
    const symbol = JSON.stringify(topic.feed.symbol);
    this.#start = encoder.encode(
      `{"type":"MarketData","stream_id":${stream_id},"symbol":${symbol},"sequence":`,
    );
  }

  /** What is to be sent now; undefined where there is nothing. */
  due(): Publication | undefined {
    return (this.delta && this.#is_current ? this.topic.difference() : undefined) ?? this.topic.full();
  }
  /** The most bytes that `write` appends for this publication. */
  maxBytes({ tail }: Publication, compressed: boolean): number {
    const tail_bytes = compressed ? tail.deflated.length : tail.plain.length;
    return MAX_FRAMING_BYTES + this.#start.length + MAX_NUMBERS_BYTES + tail_bytes;
  }
  write(writer: ByteWriter, publication: Publication, compressed: boolean): void {
    const skipped = this.#skipped + publication.lost;
    const numbers = skipped > 0 ? `${++this.#sequence},"skipped":${skipped}` : String(++this.#sequence);
    const head = new Uint8Array(this.#start.length + numbers.length);
    head.set(this.#start);
    encoder.encodeInto(numbers, head.subarray(this.#start.length));
    writeHeadedFrame(writer, head, publication.tail, compressed);
    this.#skipped = 0;
    this.#is_current = true;
  }
  /** The client could not take it. */
  skip(publication: Publication): void {
    this.#skipped += publication.lost + (publication.trades || 1);
    this.#is_current = false;
  }
}
