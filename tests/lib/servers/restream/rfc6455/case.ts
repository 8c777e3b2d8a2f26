/** One case of the RFC 6455 suite: what a section asks for, and the bytes that show it. */
import assert from "node:assert/strict";
import {
  connectRaw,
  frame,
  handshake,
  type HandshakeOptions,
  type HttpAnswer,
  PONG,
  RawWebSocket,
  readHead,
  TEXT,
  writeAll,
} from "../../../../raw_websocket.ts";

export interface Peer {
  /** Connected and greeted. */
  open(options?: HandshakeOptions): Promise<RawWebSocket>;
  /** The answer to a handshake that need not succeed. */
  knock(options?: HandshakeOptions): Promise<HttpAnswer | undefined>;
}

export interface Rfc6455Case {
  readonly section: string;
  readonly says: string;
  run(peer: Peer): Promise<void>;
}

export function peerAt(address: string): Peer {
  return {
    async open(options) {
      const ws = await RawWebSocket.open(address, options);
      assert.equal((await ws.message("hello"))?.type, "hello");
      return ws;
    },
    async knock(options) {
      const conn = await connectRaw(address);
      try {
        await writeAll(conn, handshake(address, options));
        return await readHead(conn);
      } finally {
        conn.close();
      }
    },
  };
}

/** A request that the server answers with the same id: what it read, told back. */
export function pingText(id: string): string {
  return JSON.stringify({ type: "ping", id });
}

/** The connection lives and reads right. */
export async function expectAlive(ws: RawWebSocket, id = "alive"): Promise<void> {
  await ws.send(frame(TEXT, pingText(id)));
  await expectEcho(ws, id);
}
export async function expectEcho(ws: RawWebSocket, id: string): Promise<void> {
  assert.equal((await ws.message("pong"))?.id, id);
}
export async function expectPong(ws: RawWebSocket, payload: Uint8Array): Promise<void> {
  const pong = await ws.next(({ opcode }) => opcode === PONG);
  assert.deepEqual(pong?.payload, payload);
}
/** Failed with one of these codes, and the connection ends (§7.1.7). */
export async function expectFailed(ws: RawWebSocket, ...codes: number[]): Promise<void> {
  const closed = await ws.closed();
  assert.ok(closed !== undefined, `ended without a close frame, want ${codes.join(" or ")}`);
  assert.ok(
    codes.includes(closed.code!),
    `closed with ${closed.code} "${closed.reason}", want ${codes.join(" or ")}`,
  );
}
