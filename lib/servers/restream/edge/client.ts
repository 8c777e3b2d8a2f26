/**
 * One connected client: the socket, its bounded queue, its subscriptions, its limits. Everything that goes out passes
 * `send` or `takeBatch`: data, answers, pings, pongs; only the close frame is the library's, once, at the end. Frames are
 * written whole to the socket that the HTTP upgrade handed over, many in one write. A slow client harms only itself.
 */
import type { Socket } from "node:net";
// @ts-types="@types/ws"
import type { RawData, WebSocket } from "ws";
import type { Clock, Timer } from "../../../base/clock.ts";
import { controlFrame, type Frame, PING, PONG } from "../../../wire/websocket_frame.ts";
import type { Grant, Lease } from "../../access/access.ts";
import { errorBucket, RateBucket } from "../../access/rate_bucket.ts";
import type { Holding } from "../../../flow/memory_guard/holdings.ts";
import type { QueueLimits } from "../config.ts";
import { jsonFrame } from "../json_frame.ts";
import type { ChannelName, ErrorCode, RequestId } from "../protocol.ts";
import type { ServerMetrics } from "../server_metrics.ts";
import type { Format } from "../stream_key.ts";
import { ClientQueue } from "./client_queue.ts";
import { type CloseReason, CLOSES } from "./close_reason.ts";
import type { Cohort, CohortMember } from "./cohort.ts";
import type { Flushable, Flusher } from "./flusher.ts";
import { ReadWindow } from "./read_window.ts";
import type { Recipient, Subscription } from "./subscription.ts";
import { SetHash } from "./set_hash.ts";

/** Pings without an answer before the client counts as dead. Counted in periods, so that our own stall kills nobody. */
const MAX_MISSED_PONGS = 2;
/** Before it is known who it is, a client may say this much at once and no more is parsed. */
const MAX_AUTH_LENGTH = 4_096;
/** A client is told of its quota at most this often. */
const QUOTA_NOTICE_MS = 10_000;
/** A client that could not take a batch is served alone for at least this long. */
const ALONE_MS = 100;

export interface ClientContext {
  readonly clock: Clock;
  readonly limits: QueueLimits;
  /** A client whose answers take longer is slow. */
  readonly max_lag_ms: number;
  readonly flusher: Flusher;
  readonly metrics: ServerMetrics;
  /** Bytes that were just queued: the memory guard looks sooner when there are many. */
  noteAdmitted(bytes: number): void;
  /** The memory guard wants everything conflated that can be. */
  readonly conflate_all: boolean;
  onMessage(client: Client, text: string): void;
  /** The subscription is over on the client's side; take it out of its relay. */
  onDrop(subscription: Subscription): void;
  onClose(client: Client, reason: CloseReason, code: number): void;
  /** It keeps up and is owed nothing: find it company. */
  settle(client: Client): void;
  /** Its cohort lost it. */
  abandoned(cohort: Cohort): void;
}

export interface ClientIdentity {
  readonly id: string;
  /** "192.0.2.1:50000". */
  readonly peer: string;
  readonly format: Format;
  readonly connected_ms: number;
}

export class Client implements Recipient, Flushable, CohortMember {
  readonly #queue: ClientQueue;
  #requests: RateBucket;
  readonly #errors: RateBucket;
  readonly #owed = new Set<Subscription>();
  readonly window: ReadWindow;
  /** Stream → subscription. */
  readonly by_stream = new Map<number, Subscription>();
  /** Instrument and channel (and bar length), as a handle without options → the one subscription to it. */
  readonly by_target = new Map<number, Subscription>();
  /** The same for equal sets of streams, whatever their order. */
  readonly #set_hash = new SetHash();
  cohort: Cohort | undefined;
  owed = 0;
  /** Absent until it is known who it is. */
  grant: Grant | undefined;
  lease: Lease | undefined;
  /** Its place in the memory guard's books, once it is known who it is. */
  holding: Holding | undefined;
  sent_frames = 0;
  sent_bytes = 0;
  skipped_frames = 0;
  /** Since when its queue has been over the step at which trades are dropped. */
  over_since_ms: number | undefined;
  told_of_expiry = false;
  #pong: Uint8Array | undefined;
  #scheduled = false;
  #flushing = false;
  #missed_pongs = 0;
  #alone_until_ms = -Infinity;
  #throttled = false;
  #throttle_timer: Timer | undefined;
  #told_of_quota_ms = -Infinity;
  #on_drained: (() => void) | undefined;
  #reason: CloseReason | undefined;
  #gone = false;

  constructor(
    readonly ws: WebSocket,
    readonly socket: Socket,
    readonly identity: ClientIdentity,
    readonly context: ClientContext,
    readonly max_requests_per_second: number,
  ) {
    const { clock, limits, max_lag_ms } = context;
    this.window = new ReadWindow(clock, max_lag_ms / 2, limits.max_queue_bytes / 2);
    this.#queue = new ClientQueue(limits, this.window);
    this.#requests = requestBucket(clock, max_requests_per_second);
    this.#errors = errorBucket(clock);
    ws.on("message", (data, is_binary) => this.#onMessage(data, is_binary));
    ws.on("ping", (payload) => this.#onPing(payload));
    ws.on("pong", (payload) => this.#onPong(payload));
    ws.on("error", () => this.#reason ??= "protocol_error");
    ws.on("close", (code) => this.#onClose(code));
  }

  get limits(): QueueLimits {
    return this.context.limits;
  }
  get queued_bytes(): number {
    return this.#queue.queued_bytes;
  }
  /** Frames that are its own to hold, for who counts what is in memory once. */
  pendingFrames(): Iterable<Frame> {
    return this.#queue.frames();
  }
  get lagging(): boolean {
    return this.#queue.lagging || this.#throttled || (this.context.conflate_all && this.queued_bytes > 0);
  }
  get open(): boolean {
    return !this.#gone && this.#reason === undefined;
  }
  /** Where it stands on the ladder, in a word. */
  get step(): string {
    if (this.over_since_ms !== undefined) return "shedding";
    if (this.#owed.size > 0) return "skipping";
    return this.lagging ? "lagging" : "normal";
  }
  get cohort_key(): string {
    return `${this.by_stream.size} ${this.#set_hash.text}`;
  }
  admit(grant: Grant, lease: Lease): void {
    this.lease?.release();
    this.grant = grant;
    this.lease = lease;
    this.told_of_expiry = false;
    const per_second = Math.min(this.max_requests_per_second, grant.limits.max_requests_per_second);
    this.#requests = requestBucket(this.context.clock, per_second);
  }

  send(frame: Frame): void {
    if (!this.open) return;
    if (!this.#queue.push(frame)) return this.close("slow");
    this.holding?.set(this.#queue.queued_bytes);
    this.context.noteAdmitted(frame.length);
    this.#schedule();
    // A burst longer than the window goes out while it lasts, or a healthy client would seem slow.
    if (this.#queue.pending_bytes > this.limits.window_bytes && this.#queue.sendable) this.flush();
  }
  say(message: object): void {
    this.send(jsonFrame(message));
  }
  sendError(problem: { code: ErrorCode; message: string; id?: RequestId }): void {
    if (!this.open) return;
    this.context.metrics.request_errors.with(problem.code).value++;
    if (!this.#errors.take()) return this.close("flood");
    const { id, code, message } = problem;
    this.say({ type: "error", id, code, message });
  }
  countSkip(channel: ChannelName): void {
    this.skipped_frames++;
    this.context.metrics.skipped_frames.with(channel).value++;
  }
  owe(subscription: Subscription): void {
    this.#owed.add(subscription);
  }
  refuse(subscription: Subscription, code: ErrorCode, message: string): void {
    this.drop(subscription);
    this.sendError({ code, message });
    this.sayEnded(subscription, code);
  }
  /** Tells that a subscription is over, unasked. */
  sayEnded(subscription: Subscription, reason: string): void {
    const { channel, venue, symbol, interval } = subscription.relay.topic;
    const instruments = [{ venue, symbol }];
    this.say({ type: "unsubscribed", symbol, channel, venue, interval, reason, instruments });
  }
  /** A subscription begins; the caller lets its relay start it. */
  take(subscription: Subscription): void {
    this.leaveCohort();
    const { stream, target } = subscription.relay.topic;
    this.by_stream.set(stream, subscription);
    this.by_target.set(target, subscription);
    this.#set_hash.toggle(stream);
  }
  drop(subscription: Subscription): void {
    this.leaveCohort();
    const { stream, target } = subscription.relay.topic;
    if (!this.by_stream.delete(stream)) return;
    this.by_target.delete(target);
    this.#set_hash.toggle(stream);
    this.#owed.delete(subscription);
    this.context.onDrop(subscription);
  }

  takeBatch(bytes: Frame, frames: number): boolean {
    if (!this.open) return true;
    const queue = this.#queue;
    if (queue.pending > 0) this.flush();
    if (this.lagging) return false;
    if (queue.canPass(bytes.length)) {
      if (this.lease?.takeBytes(bytes.length) === false) return false;
      queue.pass(bytes.length);
      this.holding?.set(queue.queued_bytes);
      this.#write(bytes, frames);
      return true;
    }
    // Below the step at which anything is conflated it keeps company: the shared batch waits as one piece.
    if (!queue.keepsUpWith(bytes.length) || !queue.push(bytes)) return false;
    this.holding?.set(queue.queued_bytes);
    this.context.noteAdmitted(bytes.length);
    this.#countFrames(frames - 1);
    this.#askIfBlind();
    return true;
  }
  onLeft(): void {
    this.#alone_until_ms = this.context.clock.monotonic_ms() + ALONE_MS;
  }
  /** Hands queued frames to the socket as far as the window and the tenant's rate allow. */
  flush(): void {
    this.#scheduled = false;
    if (this.#flushing || !this.open) return;
    this.#flushing = true;
    if (this.#pong && (this.#queue.pending === 0 || this.#queue.sendable)) {
      const pong = controlFrame(PONG, this.#pong);
      this.#pong = undefined;
      this.send(pong);
    }
    while (this.#queue.sendable && this.open && !this.#throttled) {
      const frames = this.#queue.take();
      const bytes = this.context.flusher.joiner.join(frames);
      if (this.lease?.takeBytes(bytes.length) === false) {
        this.#queue.giveBack(frames);
        this.#throttle();
        break;
      }
      this.#write(bytes, frames.length);
    }
    this.#askIfBlind();
    this.#flushing = false;
    this.#settle();
  }
  /** From now on it is served alone. */
  leaveCohort(): void {
    const { cohort } = this;
    if (cohort?.leave(this)) this.context.abandoned(cohort);
  }
  /** Once per heartbeat period: pings, and gives up on a client that answers none. */
  beat(heartbeat: Frame): void {
    if (!this.open) return;
    if (this.#missed_pongs >= MAX_MISSED_PONGS) {
      this.#reason = "no_pong";
      this.ws.terminate();
      return;
    }
    // A ping goes behind what is under way, so an answer overdue by a whole period is true lag, kernel buffers included.
    if (this.#missed_pongs > 0) this.markLate();
    this.#missed_pongs++;
    this.#sendPing();
    if (this.grant !== undefined && !this.lagging) this.send(heartbeat);
    this.#settle();
  }
  /** The in-band measure says that what it reads is old. */
  markLate(): void {
    this.#queue.late = true;
    this.leaveCohort();
  }
  /** Sends a close frame with the reason's code; the library ends the socket when the other side is silent. */
  close(reason: CloseReason): void {
    if (!this.open) return;
    this.#reason = reason;
    this.leaveCohort();
    this.#queue.clear();
    this.holding?.set(this.#queue.queued_bytes);
    this.#release();
    const { code, text } = CLOSES[reason] ?? { code: 1000, text: "" };
    this.ws.close(code, text);
  }
  /** Resolves when nothing waits for it any more, in the queue or on the way to the kernel, or when it is gone. */
  drained(): Promise<void> {
    if (!this.open || this.queued_bytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.#on_drained = resolve);
  }
  terminate(): void {
    this.ws.terminate();
  }

  #write(bytes: Frame, frames: number): void {
    this.#put(bytes, frames);
    if (this.window.wants_ping) this.#sendPing();
  }
  #put(bytes: Frame, frames: number): void {
    this.#countFrames(frames);
    this.context.metrics.sent_bytes.value += bytes.length;
    this.sent_bytes += bytes.length;
    this.socket.write(bytes, () => this.#onWritten(bytes.length));
  }
  #countFrames(count: number): void {
    this.context.metrics.sent_frames.value += count;
    this.sent_frames += count;
  }
  /** Something waits for room, and nothing under way would ever tell that there is some. */
  #askIfBlind(): void {
    if (this.#queue.pending > 0 && this.window.is_blind) this.#sendPing();
  }
  /** Ahead of what waits: its answer makes room for that. */
  #sendPing(): void {
    const ping = controlFrame(PING, this.window.next());
    if (this.queued_bytes + ping.length > this.limits.max_queue_bytes) return this.close("slow");
    this.#queue.passPing(ping.length);
    this.#put(ping, 1);
  }
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.context.flusher.add(this);
  }
  /** Over its tenant's bytes per second: what can be conflated is, until there are bytes again. */
  #throttle(): void {
    this.#throttled = true;
    this.leaveCohort();
    this.context.metrics.throttled.value++;
    const { clock } = this.context;
    if (clock.monotonic_ms() - this.#told_of_quota_ms >= QUOTA_NOTICE_MS) {
      this.#told_of_quota_ms = clock.monotonic_ms();
      this.say({
        type: "notice",
        code: "quota",
        message: "bytes per second used up: conflated until there are more",
      });
    }
    this.#throttle_timer = clock.after(Math.max(10, this.lease?.retry_after_ms() ?? 0), () => {
      this.#throttled = false;
      if (!this.open) return;
      this.flush();
      this.#catchUp();
    });
  }
  #onWritten(bytes: number): void {
    this.#queue.written(bytes);
    this.holding?.set(this.#queue.queued_bytes);
    if (this.#queue.queued_bytes === 0) this.#on_drained?.();
    if (!this.open) return;
    if (this.#queue.pending > 0 || this.cohort === undefined) this.flush();
    this.#catchUp();
  }
  #catchUp(): void {
    if (this.#owed.size === 0 || this.lagging) return;
    for (const subscription of this.#owed) {
      if (this.lagging || !this.open) break;
      // A relay may have caught it up already, with the snapshot after a resync.
      if (!subscription.owes || subscription.relay.catchUp(subscription)) this.#owed.delete(subscription);
    }
    this.flush();
  }
  #settle(): void {
    if (this.cohort || this.owed > 0 || this.by_stream.size === 0 || !this.open) return;
    if (this.#queue.pending > 0 || this.lagging) return;
    if (this.context.clock.monotonic_ms() < this.#alone_until_ms) return;
    this.context.settle(this);
  }

  #onMessage(data: RawData, is_binary: boolean): void {
    if (!this.open) return;
    if (is_binary) return this.close("binary");
    const text = data.toString();
    if (this.grant === undefined && text.length > MAX_AUTH_LENGTH) return this.close("unauthorized");
    if (!this.#requests.take()) {
      const message = `take requests: more than ${this.#requests.per_second} per second, want fewer`;
      return this.sendError({ code: "rate_limited", message });
    }
    this.context.onMessage(this, text);
  }
  #onPing(payload: Uint8Array): void {
    if (!this.open) return;
    if (!this.#requests.take() && !this.#errors.take()) return this.close("flood");
    // Only the latest ping need be answered (RFC 6455 §5.5.3), so a flood of them queues one pong.
    this.#pong = payload.slice();
    this.#schedule();
  }
  #onPong(payload: Uint8Array): void {
    this.#missed_pongs = 0;
    this.#queue.late = false;
    const lag_ms = this.window.answered(payload);
    if (lag_ms !== undefined) this.context.metrics.lag_s.observe(lag_ms / 1000);
    if (this.#queue.pending > 0) this.flush();
    this.#catchUp();
  }
  #onClose(code: number): void {
    if (this.#gone) return;
    this.#reason ??= code === 1006 ? "lost" : "left";
    this.#gone = true;
    this.#on_drained?.();
    this.leaveCohort();
    this.#queue.clear();
    this.#release();
    this.lease?.release();
    this.context.metrics.closes.with(this.#reason).value++;
    this.context.onClose(this, this.#reason, CLOSES[this.#reason]?.code ?? code);
  }
  #release(): void {
    this.#throttle_timer?.cancel();
    for (const subscription of [...this.by_stream.values()]) this.drop(subscription);
    this.#owed.clear();
  }
}

function requestBucket(clock: Clock, per_second: number): RateBucket {
  return new RateBucket(clock, per_second, per_second * 4);
}
