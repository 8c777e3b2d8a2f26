/**
 * One client connection: control messages and their answers, framing, the venue's limits, pings.
 * Limits kept: messages a second (the client is cut), streams a connection (the request is refused), a lifetime of 24 h.
 * While stalled nothing is answered, pings included.
 */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { errorText, parseControlMessage, resultText } from "./control_message.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { FaultPlan } from "./fault_plan.ts";
import { Outlet } from "./outlet.ts";
import type { StreamFrame } from "./stream_frame.ts";
import type { StreamIndex } from "./stream_index.ts";

const LIFETIME_MS = 24 * 3_600_000;
const POLICY_VIOLATION = 1008;

export interface SessionOptions {
  /** Ordinal of the connection, for the log. */
  id: number;
  /** See FaultPlan. */
  slot: number;
  route: string;
  combined: boolean;
  /** Subscribed by the URL. */
  streams: readonly string[];
  dialect: BinanceDialect;
  clock: Clock;
  log: Log;
  faults: FaultPlan;
  index: StreamIndex;
  onSubscribe(stream: string): void;
  onClose(session: Session): void;
}

export class Session {
  readonly outlet: Outlet;
  readonly #streams = new Set<string>();
  readonly #silent = new Set<string>();
  readonly #timers: Timer[];
  #combined: boolean;
  #last_pong_ms: number;
  /** Monotonic times of the messages of the last second, oldest first; at most the limit and one. */
  #recent_ms: number[] = [];
  readonly #gone = Promise.withResolvers<void>();
  /** Resolves when the connection is over. */
  readonly gone: Promise<void> = this.#gone.promise;
  #closed = false;

  constructor(readonly socket: WebSocket, raw: Duplex, readonly options: SessionOptions) {
    const { clock, faults, slot, dialect } = options;
    this.#combined = options.combined;
    this.#last_pong_ms = clock.monotonic_ms();
    this.outlet = new Outlet({ socket: raw, clock, faults, slot, disconnect: () => this.cut("fault") });
    socket.on("message", (data: Buffer) => this.#message(data.toString()));
    socket.on("ping", (payload: Buffer) => this.#ping(payload));
    socket.on("pong", () => this.#pong());
    socket.on("error", (error) => options.log.debug("client error", { client: options.id, error }));
    socket.on("close", () => this.#close());
    this.#timers = [
      clock.every(dialect.ping_interval_ms, () => this.#checkAndPing()),
      clock.after(LIFETIME_MS, () => this.socket.close(1001, "24 h")),
    ];
  }
  /** Subscribes what the URL asked for; call once, when the venue knows the session. */
  begin(): void {
    this.#subscribe(this.options.streams);
  }
  get route(): string {
    return this.options.route;
  }
  get slot(): number {
    return this.options.slot;
  }
  get subscribed(): boolean {
    return this.#streams.size > 0;
  }
  deliver(frame: StreamFrame, position: number): void {
    if (!this.#silent.has(frame.stream)) this.outlet.deliver(frame, this.#combined, position);
  }
  /** Ends all standing faults. */
  calm(): void {
    this.#silent.clear();
    this.outlet.calm();
  }
  /** `{"e":"serverShutdown","E":…}` where the venue has that, then a normal close. */
  shutDown(): void {
    const { dialect, clock } = this.options;
    const event = `{"e":"serverShutdown","E":${clock.now_ms()}}`;
    this.outlet.flush();
    if (dialect.announces_shutdown) {
      this.outlet.notice(this.#combined ? `{"stream":"!serverShutdown","data":${event}}` : event);
    }
    this.socket.close(1001, "shutdown");
  }
  /** Destroys the connection without a word. */
  cut(reason: string): void {
    this.options.log.debug("client cut", { client: this.options.id, reason });
    this.#close();
    this.socket.terminate();
  }

  #message(text: string): void {
    if (this.#overLimit() || this.outlet.stalled) return;
    const message = parseControlMessage(text);
    switch (message.method) {
      case "ERROR":
        return this.#answer(errorText(message));
      case "SUBSCRIBE": {
        const added = message.streams.filter((one) => !this.#streams.has(one)).length;
        if (this.#streams.size + added > this.options.dialect.max_streams) {
          const reason = `Invalid request: too many streams, at most ${this.options.dialect.max_streams}`;
          return this.#answer(errorText({ method: "ERROR", code: 2, reason, id: message.id }));
        }
        this.#answer(resultText(null, message.id));
        return this.#subscribe(message.streams);
      }
      case "UNSUBSCRIBE":
        this.#unsubscribe(message.streams);
        return this.#answer(resultText(null, message.id));
      case "LIST_SUBSCRIPTIONS":
        return this.#answer(resultText([...this.#streams], message.id));
      case "SET_PROPERTY":
        this.#combined = message.combined;
        return this.#answer(resultText(null, message.id));
      case "GET_PROPERTY":
        return this.#answer(resultText(this.#combined, message.id));
    }
  }
  #answer(text: string): void {
    this.outlet.flush();
    this.socket.send(text);
  }
  #subscribe(streams: readonly string[]): void {
    const { dialect, index, faults, onSubscribe } = this.options;
    for (const stream of streams) {
      this.#silent.delete(stream);
      if (faults.lies(stream)) this.#silent.add(stream);
      this.#streams.add(stream);
      const suffix = stream.slice(stream.indexOf("@") + 1);
      if (dialect.routeOf(suffix) === this.route) index.add(stream, this);
      onSubscribe(stream);
    }
  }
  #unsubscribe(streams: readonly string[]): void {
    for (const stream of streams) {
      this.#streams.delete(stream);
      this.#silent.delete(stream);
      this.outlet.forget(stream);
      this.options.index.remove(stream, this);
    }
  }
  #ping(payload: Buffer): void {
    if (this.#overLimit() || this.outlet.stalled) return;
    this.socket.pong(payload);
  }
  #pong(): void {
    this.#overLimit();
    this.#last_pong_ms = this.options.clock.monotonic_ms();
  }
  #checkAndPing(): void {
    const { clock, dialect } = this.options;
    if (clock.monotonic_ms() - this.#last_pong_ms > dialect.pong_timeout_ms) return this.cut("no pong");
    if (!this.outlet.stalled) this.socket.ping(String(clock.now_ms()));
  }
  /** Counts one message from the client; true when it was one too many in a second. */
  #overLimit(): boolean {
    const { clock, dialect, log, id } = this.options;
    const now_ms = clock.monotonic_ms();
    this.#recent_ms = this.#recent_ms.filter((at_ms) => now_ms - at_ms < 1000);
    this.#recent_ms.push(now_ms);
    if (this.#recent_ms.length <= dialect.max_client_messages_per_s) return false;
    log.info("client closed: too many messages", { client: id, limit: dialect.max_client_messages_per_s });
    this.socket.close(POLICY_VIOLATION, "Too many messages");
    return true;
  }
  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.outlet.close();
    for (const stream of this.#streams) this.options.index.remove(stream, this);
    this.#streams.clear();
    this.options.onClose(this);
    this.#gone.resolve();
  }
}
