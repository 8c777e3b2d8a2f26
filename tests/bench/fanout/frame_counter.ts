/**
 * Counts WebSocket frames in a stream of bytes, cut anywhere. Payloads are not looked at, but for the time in every
 * `sample_every`th trade: its `trade_id` is the microsecond at which the feed meant to send it. Pings are no frames of the
 * market; what they hold is handed on, as every client must answer them (RFC 6455 §5.5.2).
 */
const DIGITS_AT = new TextEncoder().encode('_id":');
/** No trade of the bench has its id earlier or later than this. */
const SEARCH_FROM = 60;
const SEARCH_TO = 140;
const PING = 9;

export class FrameCounter {
  frames = 0;
  payload_bytes = 0;
  /** Lateness in microseconds of sampled frames, while somebody wants it. */
  samples: Float64Array | undefined;
  sampled = 0;
  sample_every = 1;
  /** Payload bytes of the frame at hand that have not come yet. */
  #missing = 0;
  readonly #header = new Uint8Array(10);
  #header_size = 0;
  /** The payload of a ping that comes in, and how much of it has come. */
  #ping: Uint8Array<ArrayBuffer> | undefined;
  #ping_size = 0;

  constructor(readonly onPing: (payload: Uint8Array<ArrayBuffer>) => void) {}

  take(chunk: Uint8Array, now_us = 0): void {
    const { length } = chunk;
    let at = 0;
    while (at < length) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, length - at);
        if (this.#ping) this.#takePing(chunk.subarray(at, at + step));
        this.#missing -= step;
        at += step;
        if (this.#missing === 0) this.#end();
        continue;
      }
      // The usual header, whole: two bytes, or four of a 16-bit length.
      if (this.#header_size === 0 && at + 4 <= length) {
        const short = chunk[at + 1] & 0x7f;
        if (short < 127) {
          const opcode = chunk[at] & 0x0f;
          const size = short < 126 ? short : chunk[at + 2] * 256 + chunk[at + 3];
          at += short < 126 ? 2 : 4;
          this.#begin(opcode, size, chunk, at, now_us);
          continue;
        }
      }
      this.#header[this.#header_size++] = chunk[at++];
      const size = this.#payloadLength();
      if (size === undefined) continue;
      this.#header_size = 0;
      this.#begin(this.#header[0] & 0x0f, size, chunk, at, now_us);
    }
  }
  #begin(opcode: number, size: number, chunk: Uint8Array, at: number, now_us: number): void {
    this.#missing = size;
    if (opcode === PING) {
      this.#ping = new Uint8Array(size);
      this.#ping_size = 0;
    } else this.payload_bytes += size;
    if (size === 0) this.#end();
    if (opcode === PING) return;
    if (this.samples === undefined || this.frames % this.sample_every !== 0) return;
    // A frame that is cut in two is no sample.
    if (at + size > chunk.length || this.sampled >= this.samples.length) return;
    const meant_us = idOf(chunk, at, size);
    if (meant_us > 0) this.samples[this.sampled++] = now_us - meant_us;
  }
  #takePing(part: Uint8Array): void {
    this.#ping!.set(part, this.#ping_size);
    this.#ping_size += part.length;
  }
  #end(): void {
    if (this.#ping === undefined) this.frames++;
    else this.onPing(this.#ping);
    this.#ping = undefined;
  }
  #payloadLength(): number | undefined {
    const header = this.#header;
    const size = this.#header_size;
    if (size < 2) return undefined;
    const short = header[1] & 0x7f;
    if (short < 126) return short;
    if (short === 126) return size < 4 ? undefined : header[2] * 256 + header[3];
    if (size < 10) return undefined;
    let length = 0;
    for (let i = 2; i < 10; i++) length = length * 256 + header[i];
    return length;
  }
}

function idOf(chunk: Uint8Array, from: number, size: number): number {
  const end = from + Math.min(size, SEARCH_TO);
  search: for (let at = from + SEARCH_FROM; at < end; at++) {
    for (let i = 0; i < DIGITS_AT.length; i++) if (chunk[at + i] !== DIGITS_AT[i]) continue search;
    let id = 0;
    for (let i = at + DIGITS_AT.length; chunk[i] >= 0x30 && chunk[i] <= 0x39; i++) {
      id = id * 10 + chunk[i] - 0x30;
    }
    return id;
  }
  return 0;
}
