/**
 * The other side of the fan-out bench: many WebSocket clients in one process that do nothing but count. Frames are walked by
 * their headers, payloads are not looked at. Commands come as lines on stdin, counts go out as lines on stdout.
 * Run: deno run -A counting_client.ts HOST:PORT CLIENTS PATH REQUEST-JSON…
 */
import { connect, type Socket } from "node:net";
import { systemClock } from "../../../lib/base/clock.ts";

const HEADER_END = new TextEncoder().encode("\r\n\r\n");

/** Counts whole frames in a stream of bytes, cut anywhere. */
export class FrameCounter {
  frames = 0;
  bytes = 0;
  /** Payload bytes of the frame at hand that have not come yet. */
  #missing = 0;
  #header = new Uint8Array(14);
  #header_size = 0;

  take(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, chunk.length - at);
        this.#missing -= step;
        at += step;
        if (this.#missing === 0) this.frames++;
        continue;
      }
      this.#header[this.#header_size++] = chunk[at++];
      const length = this.#payloadLength();
      if (length === undefined) continue;
      this.#header_size = 0;
      this.#missing = length;
      if (length === 0) this.frames++;
    }
  }
  #payloadLength(): number | undefined {
    const { size, header } = { size: this.#header_size, header: this.#header };
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

function maskedText(text: string): Uint8Array {
  const payload = new TextEncoder().encode(text);
  const long = payload.length > 125;
  const frame = new Uint8Array(payload.length + (long ? 8 : 6));
  frame[0] = 0x81;
  frame[1] = 0x80 | (long ? 126 : payload.length);
  if (long) new DataView(frame.buffer).setUint16(2, payload.length);
  // a zero mask is a mask
  frame.set(payload, long ? 8 : 6);
  return frame;
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let i = 0; i + part.length <= bytes.length; i++) {
    if (part.every((byte, k) => bytes[i + k] === byte)) return i;
  }
  return -1;
}

/** Connects, upgrades, sends the requests; resolves with the socket and its counter. */
export function openClient(
  address: string,
  path: string,
  requests: string[],
): Promise<[Socket, FrameCounter]> {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const counter = new FrameCounter();
    const socket = connect(Number(port), host);
    socket.setNoDelay(true);
    let head: Uint8Array | undefined = new Uint8Array(0);
    socket.on("error", reject);
    socket.on("connect", () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
    });
    socket.on("data", (chunk: Uint8Array) => {
      if (head === undefined) return counter.take(chunk);
      const joined = new Uint8Array(head.length + chunk.length);
      joined.set(head);
      joined.set(chunk, head.length);
      const end = indexOf(joined, HEADER_END);
      if (end < 0) return void (head = joined);
      head = undefined;
      for (const request of requests) socket.write(maskedText(request));
      counter.take(joined.subarray(end + 4));
      resolve([socket, counter]);
    });
  });
}

if (import.meta.main) {
  const [address, count, path, ...requests] = Deno.args;
  const clients: FrameCounter[] = [];
  for (let i = 0; i < Number(count); i++) clients.push((await openClient(address, path, requests))[1]);
  const say = (value: object) =>
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));
  say({ connected: clients.length });
  const buffer = new Uint8Array(1024);
  for (;;) {
    const read = await Deno.stdin.read(buffer);
    if (read === null) break;
    let frames = 0;
    let bytes = 0;
    for (const client of clients) {
      frames += client.frames;
      bytes += client.bytes;
    }
    say({ frames, bytes, at_ms: systemClock.monotonic_ms() });
  }
  Deno.exit(0);
}
