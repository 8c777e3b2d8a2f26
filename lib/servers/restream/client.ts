/**
 * One connected client: the socket, its bounded queue, its subscriptions, its limits. Everything that goes out passes
 * `send`: data, answers, pings, pongs; only the close frame is the library's, once, at the end. Frames are written whole
 * to the socket that the HTTP upgrade handed over, many in one write. A slow client harms only itself.
 */
import type { Socket } from "node:net";
// @ts-types="@types/ws"
import type { RawData, WebSocket } from "ws";
import type { Clock } from "../../base/clock.ts";
import { controlFrame, type Frame, PING, PONG } from "../../wire/websocket_frame.ts";
import { ClientQueue } from "./client_queue.ts";
import type { QueueLimits } from "./config.ts";
import type { Flushable, Flusher } from "./flusher.ts";
import type { ChannelName, ErrorCode, RequestId } from "./protocol.ts";
import type { MessageEncoder } from "./messages.ts";
import type { ServerMetrics } from "./server_metrics.ts";
import { TokenBucket } from "./token_bucket.ts";
import type { Recipient, Subscription } from "./topic.ts";

/** More answers of kind `error` than this within the window, and the client is closed. */
const MAX_ERRORS = 20;
const ERROR_WINDOW_MS = 5_000;
/** Pings without an answer before the client counts as dead. Counted in periods, so that our own stall kills nobody. */
const MAX_MISSED_PONGS = 2;

export type CloseReason =
  | "left"
  | "lost"
  | "protocol_error"
  | "binary"
  | "flood"
  | "slow"
  | "no_pong"
  | "shutdown";

/** RFC 6455 §7.4 codes, and of the private range: 4000–4499 come back, 4500–4999 do not. */
const CLOSES: Partial<Record<CloseReason, { code: number; text: string }>> = {
  binary: { code: 1003, text: "binary message: want JSON text" },
  flood: { code: 1008, text: "too many errors or requests: slow down and come back" },
  slow: { code: 4008, text: "slow reader: queue full, come back and subscribe again" },
  shutdown: { code: 1001, text: "server shuts down" },
};

export interface ClientContext {
  readonly clock: Clock;
  readonly limits: QueueLimits;
  readonly max_requests_per_second: number;
  readonly flusher: Flusher;
  readonly encoder: MessageEncoder;
  readonly metrics: ServerMetrics;
  onMessage(client: Client, text: string): void;
  /** The subscription is over on the client's side; take it out of its topic. */
  onDrop(subscription: Subscription): void;
  onClose(client: Client, reason: CloseReason): void;
}

export class Client implements Recipient, Flushable {
  readonly #queue: ClientQueue;
  readonly #requests: TokenBucket;
  readonly #errors: TokenBucket;
  readonly #owed = new Set<Subscription>();
  /** Key (channel, venue, symbol) → subscription. */
  readonly subscriptions = new Map<string, Subscription>();
  #pong: Uint8Array | undefined;
  #scheduled = false;
  #flushing = false;
  #missed_pongs = 0;
  #reason: CloseReason | undefined;
  #gone = false;

  constructor(readonly ws: WebSocket, readonly socket: Socket, readonly context: ClientContext) {
    const { clock, limits, max_requests_per_second } = context;
    this.#queue = new ClientQueue(limits);
    this.#requests = new TokenBucket(clock, max_requests_per_second, max_requests_per_second * 4);
    this.#errors = new TokenBucket(clock, MAX_ERRORS / (ERROR_WINDOW_MS / 1000), MAX_ERRORS);
    ws.on("message", (data, is_binary) => this.#onMessage(data, is_binary));
    ws.on("ping", (payload) => this.#onPing(payload));
    ws.on("pong", () => this.#onPong());
    ws.on("error", () => this.#reason ??= "protocol_error");
    ws.on("close", (code) => this.#onClose(code));
  }

  get limits(): QueueLimits {
    return this.context.limits;
  }
  get queued_bytes(): number {
    return this.#queue.queued_bytes;
  }
  get lagging(): boolean {
    return this.#queue.lagging;
  }
  get open(): boolean {
    return !this.#gone && this.#reason === undefined;
  }

  send(frame: Frame): void {
    if (!this.open) return;
    if (!this.#queue.push(frame)) return this.close("slow");
    this.#schedule();
    // A burst longer than the window goes out while it lasts, or a healthy client would seem slow.
    if (this.#queue.pending_bytes > this.limits.window_bytes && this.#queue.sendable) this.flush();
  }
  sendError(problem: { code: ErrorCode; message: string; id?: RequestId }): void {
    if (!this.open) return;
    this.context.metrics.request_errors.with(problem.code).value++;
    if (!this.#errors.take()) return this.close("flood");
    const { id, code, message } = problem;
    this.send(this.context.encoder.json({ type: "error", id, code, message }));
  }
  countSkip(channel: ChannelName): void {
    this.context.metrics.skipped_frames.with(channel).value++;
  }
  owe(subscription: Subscription): void {
    this.#owed.add(subscription);
  }
  refuse(subscription: Subscription, code: ErrorCode, message: string): void {
    const { channel, venue, symbol } = subscription.topic;
    this.drop(subscription);
    this.sendError({ code, message });
    const instruments = [{ venue, symbol }];
    this.send(
      this.context.encoder.json({ type: "unsubscribed", symbol, channel, venue, reason: code, instruments }),
    );
  }
  drop(subscription: Subscription): void {
    const { channel, venue, symbol } = subscription.topic;
    this.subscriptions.delete(subscriptionKey(channel, venue, symbol));
    this.#owed.delete(subscription);
    this.context.onDrop(subscription);
  }

  /** Hands queued frames to the socket as far as the window allows. */
  flush(): void {
    this.#scheduled = false;
    if (this.#flushing || !this.open) return;
    this.#flushing = true;
    const { metrics, flusher } = this.context;
    if (this.#pong && (this.#queue.pending === 0 || this.#queue.sendable)) {
      const pong = controlFrame(PONG, this.#pong);
      this.#pong = undefined;
      this.send(pong);
    }
    while (this.#queue.sendable && this.open) {
      const frames = this.#queue.take();
      const bytes = flusher.joiner.join(frames);
      metrics.sent_frames.value += frames.length;
      metrics.sent_bytes.value += bytes.length;
      this.socket.write(bytes, () => this.#onWritten(bytes.length));
    }
    this.#flushing = false;
  }
  /** Once per heartbeat period: pings, and gives up on a client that answers none. */
  beat(heartbeat: Frame): void {
    if (!this.open) return;
    if (this.#missed_pongs >= MAX_MISSED_PONGS) {
      this.#reason = "no_pong";
      this.ws.terminate();
      return;
    }
    // A ping queues behind the data, so an answer overdue by a whole period is true lag, kernel buffers included.
    if (this.#missed_pongs > 0) this.#queue.late = true;
    this.#missed_pongs++;
    this.send(controlFrame(PING, EMPTY));
    if (!this.lagging) this.send(heartbeat);
  }
  /** Sends a close frame with the reason's code; the library ends the socket when the other side is silent. */
  close(reason: CloseReason): void {
    if (!this.open) return;
    this.#reason = reason;
    this.#queue.clear();
    this.#release();
    const { code, text } = CLOSES[reason] ?? { code: 1000, text: "" };
    this.ws.close(code, text);
  }
  terminate(): void {
    this.ws.terminate();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.context.flusher.add(this);
  }
  #onWritten(bytes: number): void {
    this.#queue.written(bytes);
    if (!this.open) return;
    this.flush();
    this.#catchUp();
  }
  #catchUp(): void {
    if (this.#owed.size === 0 || this.lagging) return;
    for (const subscription of this.#owed) {
      if (this.lagging || !this.open) break;
      // A topic may have caught it up already, with the snapshot after a resync.
      if (subscription.live || subscription.topic.catchUp(subscription)) this.#owed.delete(subscription);
    }
    this.flush();
  }
  #onMessage(data: RawData, is_binary: boolean): void {
    if (!this.open) return;
    if (is_binary) return this.close("binary");
    if (!this.#requests.take()) {
      const message =
        `take requests: more than ${this.context.max_requests_per_second} per second, want fewer`;
      return this.sendError({ code: "rate_limited", message });
    }
    this.context.onMessage(this, data.toString());
  }
  #onPing(payload: Uint8Array): void {
    if (!this.open) return;
    if (!this.#requests.take() && !this.#errors.take()) return this.close("flood");
    // Only the latest ping need be answered (RFC 6455 §5.5.3), so a flood of them queues one pong.
    this.#pong = payload.slice();
    this.#schedule();
  }
  #onPong(): void {
    this.#missed_pongs = 0;
    this.#queue.late = false;
    this.#catchUp();
  }
  #onClose(code: number): void {
    if (this.#gone) return;
    this.#reason ??= code === 1006 ? "lost" : "left";
    this.#gone = true;
    this.#queue.clear();
    this.#release();
    this.context.metrics.closes.with(this.#reason).value++;
    this.context.onClose(this, this.#reason);
  }
  #release(): void {
    for (const subscription of [...this.subscriptions.values()]) this.drop(subscription);
    this.#owed.clear();
  }
}

const EMPTY = new Uint8Array(0);

export function subscriptionKey(channel: ChannelName, venue: string, symbol: string): string {
  return `${channel}\u0000${venue}\u0000${symbol}`;
}
