/**
 * The blocks between a recorder and its Worker: one being filled, some on their way, the rest free. Buffers go over and
 * come back without a copy. Bound: `max_bytes` of buffers in all; then `append` refuses and the recorder counts a loss.
 */
import { RecordBuffer, type RecordKind } from "../formats/recording/record.ts";
import type { BlockRequest } from "./messages.ts";

const BLOCK_ROOM_BYTES = 1024 * 1024;
/** Of a block, for what is said at its end. */
const CONCLUSION_BYTES = 64 * 1024;
const ROOM_FOR_RECORDS_BYTES = BLOCK_ROOM_BYTES - CONCLUSION_BYTES;

export class BlockQueue {
  #filling: RecordBuffer | undefined;
  readonly #free: ArrayBuffer[] = [];
  /** Of all buffers that exist. */
  #bytes = 0;
  /** On their way to the disk. */
  under_way = 0;

  constructor(readonly max_bytes: number, readonly post: (request: BlockRequest) => void) {}

  get is_empty(): boolean {
    return this.#filling === undefined || this.#filling.records === 0;
  }
  /** False when the present block has no room: flush, then `begin`. */
  append(kind: RecordKind, connection: number, at_us: number, payload: Uint8Array): boolean {
    const filling = this.#filling;
    return filling !== undefined && filling.length + payload.length < ROOM_FOR_RECORDS_BYTES &&
      filling.append(kind, connection, at_us, payload);
  }
  /** The first record of a new block. False when there is no buffer to be had. */
  begin(kind: RecordKind, connection: number, at_us: number, payload: Uint8Array): boolean {
    this.flush();
    const buffer = this.#filling = this.#take(payload.length + CONCLUSION_BYTES);
    return buffer?.append(kind, connection, at_us, payload) ?? false;
  }
  /** The last record of a block, for which room is kept; a long one gets a block of its own. */
  conclude(kind: RecordKind, at_us: number, payload: Uint8Array): boolean {
    return this.#filling?.append(kind, 0, at_us, payload) || this.begin(kind, 0, at_us, payload);
  }
  /** Hands on what is there. An empty block says that nothing came. */
  flush(empty_at_us?: number): void {
    const buffer = this.#filling ?? (empty_at_us === undefined ? undefined : this.#take(0));
    if (buffer === undefined) return;
    if (buffer.records === 0) {
      if (empty_at_us === undefined) return this.#put(buffer);
      buffer.first_s = buffer.last_s = Math.floor(empty_at_us / 1e6);
      buffer.first_ns = buffer.last_ns = Math.round((empty_at_us - buffer.first_s * 1e6) * 1_000);
    }
    this.#filling = undefined;
    this.under_way++;
    const { bytes, length, records, first_s, first_ns, last_s, last_ns } = buffer;
    this.post({ kind: "block", buffer: bytes.buffer, length, records, first_s, first_ns, last_s, last_ns });
  }
  returned(buffer: ArrayBuffer): void {
    this.under_way--;
    // A buffer made for one huge frame is not kept.
    if (buffer.byteLength === BLOCK_ROOM_BYTES) this.#free.push(buffer);
    else this.#bytes -= buffer.byteLength;
  }

  #put(buffer: RecordBuffer): void {
    this.#filling = undefined;
    const { byteLength } = buffer.bytes.buffer;
    if (byteLength === BLOCK_ROOM_BYTES) this.#free.push(buffer.bytes.buffer);
    else this.#bytes -= byteLength;
  }
  #take(bytes: number): RecordBuffer | undefined {
    const room = Math.max(bytes, BLOCK_ROOM_BYTES);
    const free = room === BLOCK_ROOM_BYTES ? this.#free.pop() : undefined;
    if (free) return new RecordBuffer(free);
    if (this.#bytes + room > this.max_bytes) return undefined;
    this.#bytes += room;
    return new RecordBuffer(room);
  }
}
