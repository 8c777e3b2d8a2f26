/**
 * One call: its request, its answer, its deadline. What is sent goes to the HTTP/2 library only while little of the call
 * waits there (`WINDOW_BYTES`), because what is there can no longer be conflated; the rest waits here, in frames that
 * calls share, up to the client's own bound. However a call ends, nothing of it stays: timers, watches, queue.
 */
import type { ServerHttp2Stream } from "node:http2";
import type { Clock, Timer } from "../../../base/clock.ts";
import { MessageReader } from "../protocol/messages.ts";
import {
  DEADLINE_EXCEEDED,
  GrpcError,
  INTERNAL,
  OK,
  RESOURCE_EXHAUSTED,
  trailersOf,
} from "../protocol/status.ts";
import type { SocketTap } from "./socket_tap.ts";

/** Handed to the library ahead of the kernel, per call: a usual HTTP/2 window. */
const WINDOW_BYTES = 65_536;
/** A call that ended takes at most so long to say so; a client that does not read gets a reset. */
const FINISH_MS = 5_000;
const RST_CANCEL = 0x8;
const RST_ENHANCE_YOUR_CALM = 0xb;

const CONTENT_TYPE = "application/grpc";
/** The only compression there is. */
const HEADERS = { ":status": 200, "content-type": CONTENT_TYPE, "grpc-accept-encoding": "identity" };

/** Who pays for what a call holds; absent where nobody needs to be known (health, reflection). */
export interface CallAccount {
  /** Bytes more (or less) are held; false: they are too many, nothing was taken. */
  hold(bytes: number): boolean;
  noteSent(bytes: number): void;
}

export interface CallContext {
  readonly clock: Clock;
  readonly tap: SocketTap;
  onSent(frames: number, bytes: number): void;
  /** Once, when nothing of it is left. `code`: the status it ended with. */
  onGone(call: Call, code: number): void;
}

export class Call {
  readonly #messages = new MessageReader();
  readonly #unwatch: () => void;
  #deadline: Timer | undefined;
  #finishing: Timer | undefined;
  #waiting: Uint8Array[] = [];
  #waiting_bytes = 0;
  #in_flight_bytes = 0;
  #status: { code: number; message: string } | undefined;
  #account: CallAccount | undefined;
  #gone = false;
  /** Told when there is room again. */
  onReady: (() => void) | undefined;
  /** Told once it is over, whichever way. */
  readonly on_end: (() => void)[] = [];
  onMessage: (message: Uint8Array) => void = () => {};
  onInputEnd: () => void = () => {};

  constructor(readonly path: string, readonly stream: ServerHttp2Stream, readonly context: CallContext) {
    this.#unwatch = context.tap.watch(stream.id!, (bytes) => this.#onSent(bytes));
    stream.on("data", (piece: Uint8Array) => this.#onData(piece));
    stream.on("end", () => this.#onInputEnd());
    stream.on("wantTrailers", () => this.#sendTrailers());
    // The reset that a client sends to cancel is no error of ours; `close` follows.
    stream.on("error", () => {});
    stream.on("close", () => this.#onClose());
  }
  /** Not ended by us, and not gone. */
  get open(): boolean {
    return this.#status === undefined && !this.#gone;
  }
  get queued_bytes(): number {
    return this.#in_flight_bytes + this.#waiting_bytes;
  }
  /** What it reads is new: something sent now leaves without waiting behind much. */
  get ready(): boolean {
    return this.open && this.queued_bytes < WINDOW_BYTES;
  }
  /** From now on what it holds is somebody's. */
  chargeTo(account: CallAccount): void {
    this.#account = account;
  }
  startDeadline(timeout_ms: number): void {
    this.#deadline = this.context.clock.after(Math.max(1, timeout_ms), () => {
      this.fail(DEADLINE_EXCEEDED, "answer in time: the deadline is over");
    });
  }
  /** Headers now, although a message may be long in coming: the client knows that it was taken. */
  begin(): void {
    if (this.open) this.#respond();
  }
  /** Queues a message with its prefix; false, and nothing is queued, when the client holds too much already. */
  send(frame: Uint8Array): boolean {
    if (!this.open) return true;
    if (this.#account?.hold(frame.length) === false) return false;
    this.#waiting.push(frame);
    this.#waiting_bytes += frame.length;
    this.#respond();
    this.#pump(WINDOW_BYTES);
    return true;
  }
  /** The answer is complete. */
  finish(): void {
    if (!this.open) return;
    this.#respond();
    this.#pump(Infinity);
    this.#end(OK, "");
  }
  /** What still waits here is not told any more. */
  fail(code: number, message: string): void {
    if (!this.open) return;
    this.#dropWaiting();
    this.#end(code, message);
  }
  failWith(error: GrpcError | undefined): void {
    if (error) this.fail(error.code, error.message);
    else this.fail(INTERNAL, "answer the call: it failed, see the log");
  }
  /** At once, without a word. */
  reset(): void {
    this.#status ??= { code: RESOURCE_EXHAUSTED, message: "" };
    this.#dropWaiting();
    this.stream.close(RST_ENHANCE_YOUR_CALM);
  }

  /** Reset by either side: what is written now would be an error. */
  get #unwritable(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }
  #respond(): void {
    if (this.stream.headersSent || this.#unwritable) return;
    this.stream.respond(HEADERS, { waitForTrailers: true });
  }
  #pump(window_bytes: number): void {
    let taken = 0;
    let bytes = 0;
    while (taken < this.#waiting.length && this.#in_flight_bytes < window_bytes && !this.#unwritable) {
      const frame = this.#waiting[taken++];
      bytes += frame.length;
      this.#in_flight_bytes += frame.length;
      this.stream.write(frame);
    }
    if (taken === 0) return;
    this.#waiting.splice(0, taken);
    this.#waiting_bytes -= bytes;
    this.#account?.noteSent(bytes);
    this.context.onSent(taken, bytes);
  }
  #onSent(bytes: number): void {
    this.#in_flight_bytes -= bytes;
    this.#account?.hold(-bytes);
    if (!this.open) return;
    this.#pump(WINDOW_BYTES);
    if (this.ready) this.onReady?.();
  }
  #end(code: number, message: string): void {
    this.#status = { code, message };
    this.#deadline?.cancel();
    this.#tellEnd();
    const { stream } = this;
    if (this.#unwritable) return;
    if (!stream.headersSent) {
      stream.respond({ ...HEADERS, ...trailersOf(code, message) }, { endStream: true });
    } else stream.end();
    // A request that goes on is not wanted any more, and its client may not read what it asked for.
    this.#finishing = this.context.clock.after(FINISH_MS, () => {
      stream.close(code === RESOURCE_EXHAUSTED ? RST_ENHANCE_YOUR_CALM : RST_CANCEL);
    });
  }
  #sendTrailers(): void {
    const { code, message } = this.#status ?? { code: INTERNAL, message: "" };
    this.stream.sendTrailers(trailersOf(code, message));
  }
  #onData(piece: Uint8Array): void {
    if (!this.open) return;
    try {
      for (const message of this.#messages.take(piece)) if (this.open) this.onMessage(message);
    } catch (error) {
      this.failWith(error instanceof GrpcError ? error : undefined);
    }
  }
  #onInputEnd(): void {
    if (!this.open) return;
    if (this.#messages.pending_bytes > 0) {
      return this.fail(INTERNAL, "read the request: it ends within a message");
    }
    this.onInputEnd();
  }
  #onClose(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#unwatch();
    this.#deadline?.cancel();
    this.#finishing?.cancel();
    this.#dropWaiting();
    this.#account?.hold(-this.#in_flight_bytes);
    this.#in_flight_bytes = 0;
    this.#tellEnd();
    this.context.onGone(this, this.#status?.code ?? 1);
  }
  #dropWaiting(): void {
    this.#account?.hold(-this.#waiting_bytes);
    this.#waiting = [];
    this.#waiting_bytes = 0;
  }
  #tellEnd(): void {
    for (const told of this.on_end.splice(0)) told();
    this.onReady = undefined;
  }
}
