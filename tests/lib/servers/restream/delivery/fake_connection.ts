/** A connection whose other side the test decides: what the kernel takes, when; what the client reads is kept as messages. */
import type { Socket } from "node:net";
// @ts-types="@types/ws"
import type { WebSocket } from "ws";
import { FrameReader, PING, TEXT } from "../../../../raw_websocket.ts";
import type { Message } from "../test_client.ts";

type Listener = (...args: unknown[]) => void;

export class FakeConnection {
  /** Written and not yet taken by the kernel, oldest first. */
  readonly unacked: { bytes: number; done: () => void }[] = [];
  unacked_bytes = 0;
  /** In the order they were written. */
  readonly messages: Message[] = [];
  /** Pings whose answer is still to be given. */
  readonly pings: Uint8Array[] = [];
  closed_with: number | undefined;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #reader = new FrameReader();

  /** As `Client` sees it. */
  get ws(): WebSocket {
    return {
      on: (event: string, listener: Listener) => {
        this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener]);
      },
      close: (code: number) => this.closed_with ??= code,
      terminate: () => this.end(1006),
    } as unknown as WebSocket;
  }
  get socket(): Socket {
    return {
      write: (bytes: Uint8Array, done: () => void) => {
        this.unacked.push({ bytes: bytes.length, done });
        this.unacked_bytes += bytes.length;
        for (const { opcode, payload } of this.#reader.take(bytes)) {
          if (opcode === TEXT) this.messages.push(JSON.parse(new TextDecoder().decode(payload)));
          else if (opcode === PING) this.pings.push(payload.slice());
        }
        return true;
      },
    } as unknown as Socket;
  }
  /** The kernel takes so many of the writes. */
  accept(writes = Infinity): void {
    for (let i = 0; i < writes && this.unacked.length > 0; i++) {
      const { bytes, done } = this.unacked.shift()!;
      this.unacked_bytes -= bytes;
      done();
    }
  }
  answerPings(): void {
    for (const payload of this.pings.splice(0)) this.#emit("pong", payload);
  }
  /** It is over, for the server too. */
  end(code: number): void {
    this.closed_with ??= code;
    this.#emit("close", code);
  }
  #emit(event: string, value: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value);
  }
}
