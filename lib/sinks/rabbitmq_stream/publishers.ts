/**
 * The publishers of one connection: one per reference, at most as many as the protocol numbers, the longest idle giving
 * way to a new one. Each remembers what it sent until the broker confirms it, so that a broken connection tells exactly
 * which records are in doubt.
 */
import { Key, MAX_PUBLISHERS } from "../../wire/rabbitmq_stream/protocol.ts";
import type { StreamSession } from "../../wire/rabbitmq_stream/session.ts";
import type { StreamRecord } from "./stream_record.ts";

/** Told of each record of a batch by its index. */
export interface Confirmable {
  confirmed(index: number): void;
}

/** Records of one reference out of those of a write. */
export interface RecordGroup {
  readonly reference: string;
  readonly records: readonly StreamRecord[];
  readonly indices: number[];
  readonly batch: Confirmable;
}

interface Sent {
  readonly high: number;
  readonly low: number;
  readonly batch: Confirmable;
  readonly index: number;
  is_confirmed: boolean;
}

interface Publisher {
  readonly id: number;
  readonly reference: string;
  /** In the order sent, ids rising; the confirmed ones at the front are gone. */
  sent: Sent[];
  /** How many of `sent` are gone. */
  first: number;
  used: number;
}

/** Confirmed records are cut off the array when so many have gathered. */
const COMPACT_AFTER = 1_024;
/** Frame head: size, key, version, publisher, count; per message: id and length. */
const FRAME_HEAD_BYTES = 13;
const MESSAGE_HEAD_BYTES = 12;

export class Publishers {
  readonly #by_reference = new Map<string, Publisher>();
  readonly #by_id: Publisher[] = [];
  /** In order; no longer than the writes under way. */
  readonly #waiting: RecordGroup[] = [];
  #uses = 0;

  constructor(
    readonly session: StreamSession,
    readonly stream: string,
    /** A publisher was refused: nothing it sent will be taken. */
    readonly onRefused: (error: Error) => void,
  ) {}

  /** False when the record can never be sent: it is larger than a frame. */
  fits(record: StreamRecord): boolean {
    return FRAME_HEAD_BYTES + MESSAGE_HEAD_BYTES + record.bytes.length <= this.session.frame_max_bytes;
  }
  /** Sends records of one reference, in order; when every publisher is busy with others, as soon as one is not. */
  send(group: RecordGroup): void {
    if (this.#waiting.length > 0 || !this.#trySend(group)) this.#waiting.push(group);
  }
  confirm(id: number, high: number, low: number): void {
    const publisher = this.#by_id[id];
    const at = publisher === undefined ? -1 : find(publisher, high, low);
    if (at < 0) return;
    const { sent } = publisher;
    sent[at].is_confirmed = true;
    sent[at].batch.confirmed(sent[at].index);
    while (publisher.first < sent.length && sent[publisher.first].is_confirmed) publisher.first++;
    if (publisher.first === sent.length) {
      sent.length = publisher.first = 0;
      while (this.#waiting.length > 0 && this.#trySend(this.#waiting[0])) this.#waiting.shift();
    } else if (publisher.first >= COMPACT_AFTER) {
      sent.splice(0, publisher.first);
      publisher.first = 0;
    }
  }

  #trySend(group: RecordGroup): boolean {
    const { reference, records, indices, batch } = group;
    const publisher = this.#publisher(reference);
    if (publisher === undefined) return false;
    publisher.used = ++this.#uses;
    const { frame_max_bytes } = this.session;
    for (let from = 0; from < indices.length;) {
      let bytes = FRAME_HEAD_BYTES;
      let to = from;
      while (to < indices.length) {
        const size = MESSAGE_HEAD_BYTES + records[indices[to]].bytes.length;
        if (to > from && bytes + size > frame_max_bytes) break;
        bytes += size;
        to++;
      }
      this.session.send(publishFrame(publisher.id, records, indices.slice(from, to), bytes));
      from = to;
    }
    for (const index of indices) {
      const { high, low } = records[index];
      publisher.sent.push({ high, low, batch, index, is_confirmed: false });
    }
    return true;
  }
  #publisher(reference: string): Publisher | undefined {
    const known = this.#by_reference.get(reference);
    if (known) return known;
    const id = this.#by_id.length < MAX_PUBLISHERS ? this.#by_id.length : this.#freeOne();
    if (id === undefined) return undefined;
    const made: Publisher = { id, reference, sent: [], first: 0, used: 0 };
    this.#by_reference.set(reference, made);
    this.#by_id[id] = made;
    // Not awaited: the broker takes frames in order, and what it would refuse after it is refused, too.
    this.session.request(
      `declare publisher ${JSON.stringify(reference)} on stream ${JSON.stringify(this.stream)}`,
      Key.declare_publisher,
      (frame) => frame.u8(id).string(reference).string(this.stream),
    ).catch(this.onRefused);
    return made;
  }
  #freeOne(): number | undefined {
    let idle: Publisher | undefined;
    for (const publisher of this.#by_id) {
      if (publisher.sent.length === 0 && (idle === undefined || publisher.used < idle.used)) idle = publisher;
    }
    if (idle === undefined) return undefined;
    const { id, reference } = idle;
    this.#by_reference.delete(reference);
    this.session.request(
      `delete publisher ${JSON.stringify(reference)}`,
      Key.delete_publisher,
      (frame) => frame.u8(id),
    ).catch(this.onRefused);
    return id;
  }
}

/** Ids rise, and the broker confirms in any order. Only where somebody sent a lower id again must all be looked at. */
function find({ sent, first }: Publisher, high: number, low: number): number {
  let from = first;
  let to = sent.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const one = sent[middle];
    if (one.high < high || (one.high === high && one.low < low)) from = middle + 1;
    else to = middle;
  }
  const isIt = (one: Sent | undefined) => one?.high === high && one.low === low && !one.is_confirmed;
  return isIt(sent[from]) ? from : sent.findIndex((one, i) => i >= first && isIt(one));
}

function publishFrame(
  publisher: number,
  records: readonly StreamRecord[],
  indices: readonly number[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  view.setUint32(0, size - 4);
  view.setUint16(4, Key.publish);
  view.setUint16(6, 1);
  frame[8] = publisher;
  view.setUint32(9, indices.length);
  let at = FRAME_HEAD_BYTES;
  for (const index of indices) {
    const { high, low, bytes } = records[index];
    view.setUint32(at, high);
    view.setUint32(at + 4, low);
    view.setUint32(at + 8, bytes.length);
    frame.set(bytes, at + MESSAGE_HEAD_BYTES);
    at += MESSAGE_HEAD_BYTES + bytes.length;
  }
  return frame;
}
