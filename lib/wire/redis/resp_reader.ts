/**
 * Replies of Redis from bytes (RESP 2): strings, errors, integers, nulls, arrays of these. Chunks may end anywhere; an
 * unfinished reply waits for the next. Integers, what most commands are answered with, cost no allocation. Refuses, by an
 * exception, what is no RESP: the connection can't be trusted any more.
 */
const decoder = new TextDecoder();
const RETURN = 13;
/** More than any reply we ask for. */
const MAX_REPLY_BYTES = 512 * 1024 * 1024;
const MAX_DEPTH = 16;

/** The replies of a transaction to each of its commands: read without a copy. */
export const OK = "OK";
export const QUEUED = "QUEUED";
const OK_BYTES = new TextEncoder().encode(`${OK}\r\n`);
const QUEUED_BYTES = new TextEncoder().encode(`${QUEUED}\r\n`);

/** An error reply; its first word is the code. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
}

export class RespReader {
  #rest: Uint8Array | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(readonly onReply: (reply: unknown) => void) {}

  /** @throws Error for bytes that are no reply */
  push(chunk: Uint8Array): void {
    this.#bytes = this.#rest === undefined ? chunk : joined(this.#rest, chunk);
    this.#rest = undefined;
    this.#at = 0;
    while (this.#at < this.#bytes.length) {
      const start = this.#at;
      const reply = this.#read(0);
      if (reply === undefined) {
        // A copy: the chunk is the socket's.
        this.#rest = this.#bytes.slice(start);
        if (this.#rest.length > MAX_REPLY_BYTES) throw new Error("redis reply: too large");
        return;
      }
      this.onReply(reply);
    }
  }

  /** Undefined: not all there yet. */
  #read(depth: number): unknown {
    const bytes = this.#bytes;
    const kind = bytes[this.#at++];
    switch (kind) {
      case 58: // :
        return this.#integer();
      case 36: // $
        return this.#bulk();
      case 43: // +
      case 45: { // -
        if (kind === 43) {
          const common = this.#isNext(OK_BYTES) ? OK : this.#isNext(QUEUED_BYTES) ? QUEUED : undefined;
          if (common !== undefined) return common;
        }
        const end = bytes.indexOf(RETURN, this.#at);
        if (end < 0 || end + 1 >= bytes.length) return undefined;
        const text = decoder.decode(bytes.subarray(this.#at, end));
        this.#at = end + 2;
        return kind === 43 ? text : new ReplyError(text);
      }
      case 42: // *
        if (depth >= MAX_DEPTH) throw new Error("redis reply: too deep");
        return this.#array(depth + 1);
      default:
        throw new Error(`redis reply: begins with byte ${kind}, want one of : $ + - *`);
    }
  }
  /** These bytes are all there; then they are read. */
  #isNext(wanted: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
    this.#at = at + wanted.length;
    return true;
  }
  #integer(): number | undefined {
    const bytes = this.#bytes;
    let at = this.#at;
    const is_negative = bytes[at] === 45;
    if (is_negative) at++;
    let value = 0;
    const first = at;
    for (; at < bytes.length && bytes[at] !== RETURN; at++) {
      const digit = bytes[at] - 48;
      if (!(digit >= 0 && digit <= 9)) throw new Error("redis reply: an integer that is none");
      value = value * 10 + digit;
    }
    if (at + 1 >= bytes.length) return undefined;
    if (at === first) throw new Error("redis reply: an integer that is none");
    this.#at = at + 2;
    return is_negative ? -value : value;
  }
  #bulk(): string | null | undefined {
    const length = this.#integer();
    if (length === undefined) return undefined;
    if (length < 0) return null;
    if (length > MAX_REPLY_BYTES) throw new Error("redis reply: too large");
    const end = this.#at + length;
    if (end + 2 > this.#bytes.length) return undefined;
    const text = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 2;
    return text;
  }
  #array(depth: number): unknown[] | null | undefined {
    const length = this.#integer();
    if (length === undefined) return undefined;
    if (length < 0) return null;
    const items: unknown[] = [];
    for (let i = 0; i < length; i++) {
      if (this.#at >= this.#bytes.length) return undefined;
      const item = this.#read(depth);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const all = new Uint8Array(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
