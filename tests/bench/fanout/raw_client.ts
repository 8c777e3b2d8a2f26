/** A WebSocket client of the bench down to the handshake: what comes after it is left to the caller, byte by byte. */
const HEADER_END = "\r\n\r\n";

export interface RawClient {
  readonly conn: Deno.Conn;
  /** What came behind the handshake already. */
  readonly left: Uint8Array;
}

/** Connects, upgrades, sends the requests as masked frames. TLS believes what the process was told to believe. */
export async function openRawClient(
  address: string,
  requests: readonly string[] = [],
  opcode: 1 | 2 = 1,
  tls = false,
): Promise<RawClient> {
  const [hostname, port] = address.split(":");
  const target = { hostname, port: Number(port) };
  const conn = tls ? await Deno.connectTls(target) : await Deno.connect(target);
  if ("setNoDelay" in conn) conn.setNoDelay(true);
  await writeAll(
    conn,
    new TextEncoder().encode(
      `GET / HTTP/1.1\r\nHost: ${address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    ),
  );
  const left = await readHead(conn);
  const encoder = new TextEncoder();
  for (const request of requests) await writeAll(conn, maskedFrame(encoder.encode(request), opcode));
  return { conn, left };
}

async function readHead(conn: Deno.Conn): Promise<Uint8Array> {
  const buffer = new Uint8Array(4_096);
  let size = 0;
  for (;;) {
    const got = await conn.read(buffer.subarray(size));
    if (got === null || size === buffer.length) throw new Error("upgrade: no answer to the handshake");
    size += got;
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, size));
    const end = text.indexOf(HEADER_END);
    if (end < 0) continue;
    if (!text.startsWith("HTTP/1.1 101")) throw new Error(`upgrade: ${text.split("\r\n")[0]}`);
    return buffer.slice(end + HEADER_END.length, size);
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** What answers a ping with this payload. */
export function pongFrame(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return maskedFrame(payload, 0xa);
}

function maskedFrame(payload: Uint8Array, opcode: number): Uint8Array<ArrayBuffer> {
  const long = payload.length > 125;
  const frame = new Uint8Array(payload.length + (long ? 8 : 6));
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (long ? 126 : payload.length);
  if (long) new DataView(frame.buffer).setUint16(2, payload.length);
  // A zero mask is a mask.
  frame.set(payload, long ? 8 : 6);
  return frame;
}
