/**
 * Stands between a client's socket and the HTTP/2 library, and sees what the library does not tell on this runtime: how
 * much of each stream has really gone to the kernel. node:http2 on Deno calls back at once and buffers without bound when
 * a client stops reading; but DATA frames leave only as the client's flow control lets them, so counting them here is
 * true back-pressure. Also rations the frames that cost much and carry nothing (resets, pings, settings).
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import {
  DATA,
  Http2Frames,
  PING,
  PREFACE_BYTES,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
} from "../../../wire/http2_frames.ts";
import type { RateBucket } from "../../access/rate_bucket.ts";

type Done = (error?: Error | null) => void;

export class SocketTap extends Duplex {
  readonly #watchers = new Map<number, (sent_bytes: number) => void>();
  readonly #outgoing: Http2Frames;
  readonly #incoming: Http2Frames;
  /** Stream → DATA bytes in the piece that is being written. */
  #passing = new Map<number, number>();

  constructor(readonly socket: Socket, readonly control_frames: RateBucket, onFlood: () => void) {
    super({ allowHalfOpen: false });
    this.#outgoing = new Http2Frames({
      onPayload: (type, stream, bytes) => {
        if (type === DATA) this.#passing.set(stream, (this.#passing.get(stream) ?? 0) + bytes);
      },
    });
    this.#incoming = new Http2Frames({
      onFrame: (type) => {
        if (COSTLY.has(type) && !control_frames.take()) onFlood();
      },
    }, PREFACE_BYTES);
    socket.on("data", (piece: Uint8Array) => {
      this.#incoming.pass(piece);
      if (!this.destroyed && !this.push(piece)) socket.pause();
    });
    socket.on("end", () => this.push(null));
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }
  /** What the library looks for on a socket. */
  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }
  /** Told of DATA bytes of the stream once the kernel has them. Returns how to stop. */
  watch(stream: number, onSent: (sent_bytes: number) => void): () => void {
    this.#watchers.set(stream, onSent);
    return () => void this.#watchers.delete(stream);
  }
  /** Streams that are watched: a leak check. */
  get watched(): number {
    return this.#watchers.size;
  }

  override _read(): void {
    this.socket.resume();
  }
  override _write(piece: Uint8Array, _encoding: string, done: Done): void {
    this.#outgoing.pass(piece);
    const passed = this.#passing;
    if (passed.size > 0) this.#passing = new Map();
    this.socket.write(piece, (error) => {
      done(error);
      if (error) return;
      for (const [stream, bytes] of passed) this.#watchers.get(stream)?.(bytes);
    });
  }
  override _final(done: Done): void {
    this.socket.end(() => done());
  }
  override _destroy(error: Error | null, done: Done): void {
    this.#watchers.clear();
    this.socket.destroy();
    done(error);
  }
}

const COSTLY: ReadonlySet<number> = new Set([RST_STREAM, PING, SETTINGS, PRIORITY]);
