/**
 * A WebSocket client by hand, for tests that must say what no library would: any frame, whole or cut, at any pace. Built
 * from RFC 6455 §5.2 alone; shares no code with the server.
 */
import { systemClock, withDeadline } from "../lib/base/clock.ts";
import { concat } from "./raw_bytes.ts";

/** What never comes must not hold the tests up. */
const READ_LIMIT_MS = 60_000;

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

export interface RawFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** Bytes of the length field: 1, 3 or 9. */
  readonly length_bytes: number;
  readonly payload: Uint8Array;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly mask?: readonly [number, number, number, number] | false;
  /** A longer form of the length than is needed: 3 or 9 bytes. */
  readonly length_bytes?: 1 | 3 | 9;
  /** What the header claims, whatever the payload is. */
  readonly claimed_length?: number | bigint;
}

const encoder = new TextEncoder();

/** One frame as a client sends it. */
export function frame(
  opcode: number,
  payload: Uint8Array | string = "",
  options: FrameOptions = {},
): Uint8Array {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  const length = options.claimed_length ?? bytes.length;
  const form = options.length_bytes ?? (length < 126 ? 1 : length < 65_536 ? 3 : 9);
  const mask = options.mask === undefined ? [0x37, 0xfa, 0x21, 0x3d] : options.mask;
  const header = new Uint8Array(1 + form + (mask ? 4 : 0));
  const view = new DataView(header.buffer);
  header[0] = (options.fin === false ? 0 : 0x80) | ((options.rsv ?? 0) << 4) | opcode;
  header[1] = (mask ? 0x80 : 0) | (form === 1 ? Number(length) : form === 3 ? 126 : 127);
  if (form === 3) view.setUint16(2, Number(length));
  if (form === 9) view.setBigUint64(2, BigInt(length));
  if (mask) header.set(mask, 1 + form);
  return concat(header, mask ? bytes.map((byte, i) => byte ^ mask[i % 4]) : bytes);
}

/** A close frame with this code and reason. */
export function closeFrame(code: number, reason: Uint8Array | string = ""): Uint8Array {
  const text = typeof reason === "string" ? encoder.encode(reason) : reason;
  return frame(CLOSE, concat(Uint8Array.of(code >> 8, code & 0xff), text));
}

/** Takes frames out of a stream of bytes, cut anywhere. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0);

  *take(chunk: Uint8Array): Generator<RawFrame> {
    let bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk);
    for (;;) {
      const found = frameAt(bytes);
      if (found === undefined) break;
      yield found.frame;
      bytes = bytes.subarray(found.size);
    }
    // What is left is copied: the chunk may be a buffer that is read into again.
    this.#rest = bytes.slice();
  }
}

function frameAt(bytes: Uint8Array): { frame: RawFrame; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const length_bytes = short < 126 ? 1 : short === 126 ? 3 : 9;
  const masked = (bytes[1] & 0x80) !== 0;
  const header_size = 1 + length_bytes + (masked ? 4 : 0);
  if (bytes.length < header_size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = short < 126 ? short : short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
  const size = header_size + length;
  if (bytes.length < size) return undefined;
  const frame = {
    fin: (bytes[0] & 0x80) !== 0,
    rsv: (bytes[0] >> 4) & 7,
    opcode: bytes[0] & 0xf,
    masked,
    length_bytes,
    payload: bytes.subarray(header_size, size),
  };
  return { frame, size };
}

export interface HandshakeOptions {
  readonly path?: string;
  /** Replaces headers of the usual handshake; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The request line. */
  readonly request?: string;
  /** What is sent in the same write, before any answer. */
  readonly early?: Uint8Array;
  readonly tls?: { readonly ca: string };
}

/** The key of the RFC's own example (§1.3), and what must come back. */
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

export function handshake(address: string, options: HandshakeOptions = {}): Uint8Array {
  const headers: Record<string, string | undefined> = {
    Host: address,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    ...options.headers,
  };
  const lines = Object.entries(headers).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const request = options.request ?? `GET ${options.path ?? "/"} HTTP/1.1`;
  const head = encoder.encode(`${request}\r\n${lines.join("")}\r\n`);
  return options.early ? concat(head, options.early) : head;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** What came behind the head. */
  readonly left: Uint8Array;
}

/** Reads up to the end of an HTTP head; undefined when the other side ended before. */
export async function readHead(conn: Deno.Conn): Promise<HttpAnswer | undefined> {
  let bytes: Uint8Array = new Uint8Array(0);
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const text = new TextDecoder("latin1").decode(bytes);
    const end = text.indexOf("\r\n\r\n");
    if (end >= 0) {
      const [first, ...lines] = text.slice(0, end).split("\r\n");
      const headers = new Map(lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }));
      return { status: Number(first.split(" ")[1]), headers, left: bytes.slice(end + 4) };
    }
    const size = await withDeadline(systemClock, READ_LIMIT_MS, "read a head", readSome(conn, buffer));
    if (size === null) return undefined;
    bytes = concat(bytes, buffer.subarray(0, size));
  }
}

/** A reset counts as an end. */
export async function readSome(conn: Deno.Conn, buffer: Uint8Array): Promise<number | null> {
  try {
    return await conn.read(buffer);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.ConnectionAborted;
}

export async function connectRaw(address: string, tls?: { ca: string }): Promise<Deno.Conn> {
  const [hostname, port] = address.split(":");
  const target = { hostname, port: Number(port) };
  return tls ? await Deno.connectTls({ ...target, caCerts: [tls.ca] }) : await Deno.connect(target);
}

/** An upgraded connection. `frames` is what came and was not asked for yet. */
export class RawWebSocket implements Disposable {
  readonly frames: RawFrame[] = [];
  readonly #reader = new FrameReader();
  readonly #buffer: Uint8Array;
  #ended = false;

  private constructor(readonly conn: Deno.Conn, readonly answer: HttpAnswer, buffer_bytes: number) {
    this.#buffer = new Uint8Array(buffer_bytes);
    this.frames.push(...this.#reader.take(answer.left));
  }
  /** Rejects where the answer is not 101. */
  static async open(
    address: string,
    options: HandshakeOptions = {},
    buffer_bytes = 65_536,
  ): Promise<RawWebSocket> {
    const conn = await connectRaw(address, options.tls);
    try {
      await writeAll(conn, handshake(address, options));
      const answer = await readHead(conn);
      if (answer?.status !== 101) throw new Refused(answer);
      return new RawWebSocket(conn, answer, buffer_bytes);
    } catch (error) {
      conn.close();
      throw error;
    }
  }
  get ended(): boolean {
    return this.#ended;
  }
  /** Writes bytes as they are; what the other side no longer takes is lost without a word. */
  async send(...parts: Uint8Array[]): Promise<void> {
    try {
      await writeAll(this.conn, parts.length === 1 ? parts[0] : concat(...parts));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  async sendJson(message: object): Promise<void> {
    await this.send(frame(TEXT, JSON.stringify(message)));
  }
  /** Reads once; false at the end. */
  async read(): Promise<boolean> {
    if (this.#ended) return false;
    const size = await readSome(this.conn, this.#buffer);
    if (size === null) this.#ended = true;
    else this.frames.push(...this.#reader.take(this.#buffer.slice(0, size)));
    return size !== null;
  }
  /** The next frame that `wanted` accepts, dropping those before it; undefined at the end. */
  async next(wanted: (frame: RawFrame) => boolean = () => true): Promise<RawFrame | undefined> {
    for (;;) {
      while (this.frames.length > 0) {
        const one = this.frames.shift()!;
        if (wanted(one)) return one;
      }
      if (!await withDeadline(systemClock, READ_LIMIT_MS, "read a frame", this.read())) return undefined;
    }
  }
  /** The next text message of this type. */
  // deno-lint-ignore no-explicit-any -- messages under test are looked into freely
  async message(type: string, match: (message: any) => boolean = () => true): Promise<any> {
    // deno-lint-ignore no-explicit-any -- as above
    let found: any;
    await this.next((one) => {
      if (one.opcode !== TEXT) return false;
      const message = JSON.parse(new TextDecoder().decode(one.payload));
      if (message.type !== type || !match(message)) return false;
      found = message;
      return true;
    });
    return found;
  }
  /** Reads to the end: the code and reason of the close frame, undefined where there was none. */
  async closed(): Promise<{ code: number | undefined; reason: string } | undefined> {
    const found = await this.next(({ opcode }) => opcode === CLOSE);
    if (found === undefined) return undefined;
    const { payload } = found;
    const code = payload.length >= 2 ? payload[0] * 256 + payload[1] : undefined;
    return { code, reason: new TextDecoder().decode(payload.subarray(2)) };
  }
  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

/** The handshake was answered otherwise than 101, or not at all. */
export class Refused extends Error {
  constructor(readonly answer: HttpAnswer | undefined) {
    super(`upgrade: answered ${answer?.status ?? "by an end"}, want 101`);
  }
}

export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
