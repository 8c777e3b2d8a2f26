/**
 * One connection of the depth server. Publications go out in one write per turn; while more than `DATA_BYTES` wait
 * for the client, further ones are left out (and told), so nothing queues. Bounds: `MAX_WAITING_BYTES` per client and no
 * progress for `STALL_MS` both end in close code 4008, floods in 1008, binary in 1003, too long messages in 1009.
 */
import type { Socket } from "node:net";
// @ts-types="@types/ws"
import type { RawData, WebSocket } from "ws";
import type { Clock } from "../../base/clock.ts";
import { ByteWriter } from "../../wire/byte_writer.ts";
import {
  beginFrame,
  controlFrame,
  endTextFrame,
  type Frame,
  PING,
  PONG,
} from "../../wire/websocket_frame.ts";
import { RateBucket } from "../access/rate_bucket.ts";
import { readRequest, type Request, RequestProblem } from "./protocol.ts";
import type { Stream } from "./stream.ts";

/** Beyond this many bytes not yet taken by the kernel no publication is added; a single one may be larger. */
export const DATA_BYTES = 262_144;
/** The hard bound, answers and heartbeats included. */
export const MAX_WAITING_BYTES = 1_048_576;
const STALL_MS = 10_000;
const REQUESTS_PER_S = 100;
const REQUEST_BURST = 512;
const ERRORS_PER_S = 20;
const ERROR_BURST = 100;
/** Heartbeat periods without an answer to a ping, counted in periods so that our own stall kills nobody. */
const MAX_MISSED_PONGS = 3;

export type CloseReason = "left" | "lost" | "protocol_error" | "binary" | "flood" | "slow" | "shutdown";

/** RFC 6455 §7.4 codes, and of the private range. */
const CLOSES: Partial<Record<CloseReason, { code: number; text: string }>> = {
  binary: { code: 1003, text: "binary message: want JSON text" },
  flood: { code: 1008, text: "too many messages: slow down and come back" },
  slow: { code: 4008, text: "slow reader: come back and subscribe again" },
  shutdown: { code: 1001, text: "server shuts down" },
};

export interface ClientContext {
  readonly clock: Clock;
  /** @throws RequestProblem */
  onRequest(client: DepthClient, request: Request): void;
  /** It is being closed or gone: its streams are over. Called once or twice. */
  onEnd(client: DepthClient): void;
  onClose(client: DepthClient, reason: CloseReason): void;
  /** Publications (TRADES: trades) left out. */
  onSkip(count: number): void;
}

export class DepthClient {
  readonly streams = new Map<string, Stream>();
  readonly #compressed: boolean;
  readonly #requests: RateBucket;
  readonly #errors: RateBucket;
  #waiting_bytes = 0;
  #progress_ms: number;
  #missed_pongs = 0;
  #pong: Uint8Array | undefined;
  #pong_scheduled = false;
  #reason: CloseReason | undefined;
  #gone = false;
  /** Where publications begin, so that streams that did not fit come first the next time. */
  #turn = 0;

  constructor(readonly ws: WebSocket, readonly socket: Socket, readonly context: ClientContext) {
    const { clock } = context;
    this.#compressed = ws.extensions.includes("permessage-deflate");
    this.#requests = new RateBucket(clock, REQUESTS_PER_S, REQUEST_BURST);
    this.#errors = new RateBucket(clock, ERRORS_PER_S, ERROR_BURST);
    this.#progress_ms = clock.monotonic_ms();
    ws.on("message", (data, is_binary) => this.#onMessage(data, is_binary));
    ws.on("ping", (payload) => this.#onPing(payload));
    ws.on("pong", () => this.#missed_pongs = 0);
    ws.on("error", () => this.#reason ??= "protocol_error");
    ws.on("close", (code) => this.#onClose(code));
  }

  get open(): boolean {
    // Nothing may follow a close frame, also not where the other side began the closing.
    return !this.#gone && this.#reason === undefined && this.ws.readyState === OPEN;
  }
  /** Written to the socket, not yet taken by the kernel. */
  get waiting_bytes(): number {
    return this.#waiting_bytes;
  }

  /** An answer, as one text message. */
  answer(message: Record<string, unknown>): void {
    if (this.open) this.send(textFrame(message));
  }
  send(frame: Frame): void {
    if (!this.open) return;
    if (this.#waiting_bytes + frame.length > MAX_WAITING_BYTES) return this.close("slow");
    this.#write(frame);
  }
  /** Sends what is due on every stream, in one write. `writer` is scratch that all clients share. */
  publish(writer: ByteWriter): void {
    if (!this.open || this.streams.size === 0) return;
    if (this.#stalled()) return this.close("slow");
    this.#writeDue([...this.streams.values()], writer);
  }
  /** Sends what is due on one stream: the first message after subscribing. */
  publishStream(stream: Stream, writer: ByteWriter): void {
    if (this.open) this.#writeDue([stream], writer);
  }
  /** Once per heartbeat period. */
  beat(heartbeat: Frame): void {
    if (!this.open) return;
    if (this.#missed_pongs >= MAX_MISSED_PONGS || this.#stalled()) return this.close("slow");
    this.#missed_pongs++;
    this.send(controlFrame(PING, EMPTY));
    this.send(heartbeat);
  }
  /** Sends a close frame with the reason's code; the library ends the socket when the other side is silent. */
  close(reason: CloseReason): void {
    if (!this.open) return;
    this.#reason = reason;
    const { code, text } = CLOSES[reason] ?? { code: 1000, text: "" };
    this.ws.close(code, text);
    this.context.onEnd(this);
  }
  terminate(): void {
    this.ws.terminate();
  }

  #writeDue(streams: readonly Stream[], writer: ByteWriter): void {
    writer.reset();
    const first = this.#turn % streams.length;
    let has_skipped = false;
    for (let i = 0; i < streams.length; i++) {
      const at = (first + i) % streams.length;
      const stream = streams[at];
      const publication = stream.due();
      if (publication === undefined) continue;
      const waiting_bytes = this.#waiting_bytes + writer.length;
      const fits = waiting_bytes + stream.maxBytes(publication, this.#compressed) <= DATA_BYTES;
      if (fits || waiting_bytes === 0) {
        stream.write(writer, publication, this.#compressed);
        continue;
      }
      if (!has_skipped) this.#turn = at;
      has_skipped = true;
      stream.skip(publication);
      this.context.onSkip(publication.trades || 1);
    }
    if (writer.length > 0) this.#write(writer.copy());
  }
  #write(bytes: Frame): void {
    if (this.#waiting_bytes === 0) this.#progress_ms = this.context.clock.monotonic_ms();
    this.#waiting_bytes += bytes.length;
    this.socket.write(bytes, () => {
      this.#waiting_bytes -= bytes.length;
      this.#progress_ms = this.context.clock.monotonic_ms();
    });
  }
  #stalled(): boolean {
    return this.#waiting_bytes > 0 && this.context.clock.monotonic_ms() - this.#progress_ms >= STALL_MS;
  }

  #onMessage(data: RawData, is_binary: boolean): void {
    if (!this.open) return;
    if (is_binary) return this.close("binary");
    try {
      if (!this.#requests.take()) {
        const message = `Too many messages: more than ${REQUESTS_PER_S} a second, want fewer`;
        throw new RequestProblem(429, message);
      }
      this.context.onRequest(this, readRequest(data.toString()));
    } catch (problem) {
      if (!(problem instanceof RequestProblem)) throw problem;
      if (!this.#errors.take()) return this.close("flood");
      const { code, message, stream_id } = problem;
      this.answer({ type: "Error", code, message, stream_id });
    }
  }
  #onPing(payload: Uint8Array): void {
    if (!this.open) return;
    if (!this.#requests.take() && !this.#errors.take()) return this.close("flood");
    // Only the latest ping need be answered (RFC 6455 §5.5.3), so a burst of them makes one pong.
    this.#pong = payload.slice();
    if (this.#pong_scheduled) return;
    this.#pong_scheduled = true;
    queueMicrotask(() => {
      this.#pong_scheduled = false;
      if (this.#pong) this.send(controlFrame(PONG, this.#pong));
    });
  }
  #onClose(code: number): void {
    if (this.#gone) return;
    this.#reason ??= code === 1006 ? "lost" : "left";
    this.#gone = true;
    this.context.onEnd(this);
    this.context.onClose(this, this.#reason);
  }
}

const EMPTY = new Uint8Array(0);
/** WebSocket.OPEN; the constant would load the library where only its type is needed. */
const OPEN = 1;
const answer_writer = new ByteWriter();
const encoder = new TextEncoder();

/** One JSON message as a frame that many clients may share. */
export function textFrame(message: Record<string, unknown>): Frame {
  beginFrame(answer_writer);
  answer_writer.raw(encoder.encode(JSON.stringify(message)));
  return endTextFrame(answer_writer);
}
