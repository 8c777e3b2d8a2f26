/**
 * One client connection: what the client says goes to the venue's dialect, what the venue sends goes through the outlet
 * where faults happen. Limits kept: messages a second, silence, a lifetime; pings both ways.
 * While stalled nothing is answered, pings included.
 */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ConnectionRules, Conversation, Entry, Line, Output, Subscription } from "./dialect.ts";
import type { FaultPlan } from "./fault_plan.ts";
import { Outlet } from "./outlet.ts";
import type { StageItem } from "./tape.ts";
import type { CorruptionWords } from "./corruption.ts";
import type { StreamIndex } from "./stream_index.ts";
import { WireFrame } from "./wire_frame.ts";

const LIFETIME_MS = 24 * 3_600_000;
const POLICY_VIOLATION = 1008;
const GOING_AWAY = 1001;

export interface SessionOptions<Item extends StageItem> {
  /** Ordinal of the connection, for the log. */
  id: number;
  /** See FaultPlan. */
  slot: number;
  entry: Entry<Item>;
  rules: ConnectionRules;
  words: CorruptionWords;
  clock: Clock;
  log: Log;
  faults: FaultPlan;
  index: StreamIndex<Item>;
  /** Of the tape, now. */
  position(): number;
  onSubscribe(subscription: Subscription<Item>, is_first: boolean): void;
  onClose(session: Session<Item>): void;
}

export class Session<Item extends StageItem> implements Line<Item> {
  readonly outlet: Outlet;
  readonly #subscriptions = new Map<string, Subscription<Item>>();
  /** Acknowledged by a lie. */
  readonly #silent = new Set<string>();
  readonly #timers: Timer[] = [];
  readonly #conversation: Conversation;
  #last_pong_ms: number;
  #last_message_ms: number;
  /** Monotonic times of the messages of the last second, oldest first; at most the limit and one. */
  #recent_ms: number[] = [];
  readonly #gone = Promise.withResolvers<void>();
  /** Resolves when the connection is over. */
  readonly gone: Promise<void> = this.#gone.promise;
  #closed = false;

  constructor(readonly socket: WebSocket, raw: Duplex, readonly options: SessionOptions<Item>) {
    const { clock, faults, slot, words, entry } = options;
    this.#last_pong_ms = this.#last_message_ms = clock.monotonic_ms();
    const disconnect = () => this.cut("fault");
    this.outlet = new Outlet({ socket: raw, clock, faults, slot, words, disconnect });
    socket.on("message", (data: Buffer) => this.#message(data.toString()));
    socket.on("ping", (payload: Buffer) => this.#ping(payload));
    socket.on("pong", () => this.#pong());
    socket.on("error", (error) => options.log.debug("client error", { client: options.id, error }));
    socket.on("close", () => this.#close());
    this.#keepRules(options.rules);
    this.#conversation = entry.converse(this);
  }
  /** Call once, when the stage knows the session. */
  begin(): void {
    this.#conversation.begin?.();
  }
  get route(): string {
    return this.options.entry.route;
  }
  get slot(): number {
    return this.options.slot;
  }
  get subscriptions(): ReadonlyMap<string, Subscription<Item>> {
    return this.#subscriptions;
  }
  now_ms(): number {
    return this.options.clock.now_ms();
  }
  deliver(subscription: Subscription<Item>, item: Item, position: number): void {
    const { name } = subscription;
    if (!this.#silent.has(name)) this.#send(name, subscription.render(item), position);
  }
  answer(payload: string | Uint8Array): void {
    this.outlet.notice(new WireFrame(payload).bytes());
  }
  subscribe(subscription: Subscription<Item>): void {
    if (this.#closed) return;
    const { faults, index, onSubscribe, position } = this.options;
    const { name } = subscription;
    this.unsubscribe(name);
    const { lies, attempt } = faults.ofSubscription(name);
    if (lies) this.#silent.add(name);
    this.#subscriptions.set(name, subscription);
    index.add(this, subscription);
    if (!lies && subscription.opening) this.#send(`${name} ${attempt}`, subscription.opening(), position());
    this.outlet.flush();
    onSubscribe(subscription, attempt === 0);
  }
  unsubscribe(name: string): boolean {
    const known = this.#subscriptions.get(name);
    if (!known) return false;
    this.#subscriptions.delete(name);
    this.#silent.delete(name);
    this.outlet.forget(name);
    this.options.index.remove(known);
    return true;
  }
  every(period_ms: number, callback: () => void): Timer {
    const timer = this.options.clock.every(period_ms, callback);
    this.#timers.push(timer);
    return timer;
  }
  close(code: number, reason: string): void {
    this.outlet.flush();
    this.socket.close(code, reason);
  }
  /** Ends all standing faults. */
  calm(): void {
    this.#silent.clear();
    this.outlet.calm();
  }
  /** The venue's farewell where it has one, then a normal close. */
  shutDown(): void {
    const farewell = this.#conversation.farewell?.();
    if (farewell !== undefined) this.answer(farewell);
    this.close(GOING_AWAY, "shutdown");
  }
  /** Destroys the connection without a word. */
  cut(reason: string): void {
    this.options.log.debug("client cut", { client: this.options.id, reason });
    this.#close();
    this.socket.terminate();
  }

  #send(stream: string, output: Output, position: number): void {
    if (output === undefined) return;
    const payloads = Array.isArray(output) ? output : [output];
    for (const [i, payload] of payloads.entries()) {
      if (this.#closed) return;
      const frame = payload instanceof WireFrame ? payload : new WireFrame(payload);
      this.outlet.deliver(i === 0 ? stream : `${stream} +${i}`, frame, position);
    }
  }
  #message(text: string): void {
    this.#last_message_ms = this.options.clock.monotonic_ms();
    if (this.#overLimit() || this.outlet.stalled) return;
    this.#conversation.receive(text);
  }
  #ping(payload: Buffer): void {
    if (this.#overLimit() || this.outlet.stalled) return;
    this.socket.pong(payload);
  }
  #pong(): void {
    this.#overLimit();
    this.#last_pong_ms = this.options.clock.monotonic_ms();
  }
  #keepRules(
    { ping, subscribe_within_ms, max_client_silence_ms, lifetime_ms = LIFETIME_MS }: ConnectionRules,
  ) {
    const { clock } = this.options;
    this.#timers.push(clock.after(lifetime_ms, () => this.close(GOING_AWAY, "lifetime over")));
    if (ping) this.every(ping.interval_ms, () => this.#checkAndPing(ping.pong_timeout_ms));
    if (subscribe_within_ms !== undefined) {
      this.#timers.push(clock.after(subscribe_within_ms, () => {
        if (this.#subscriptions.size === 0) this.close(POLICY_VIOLATION, "nothing subscribed");
      }));
    }
    if (max_client_silence_ms !== undefined) {
      this.every(max_client_silence_ms / 4, () => {
        const silent_ms = clock.monotonic_ms() - this.#last_message_ms;
        if (silent_ms > max_client_silence_ms) this.close(POLICY_VIOLATION, "client is silent");
      });
    }
  }
  #checkAndPing(pong_timeout_ms: number): void {
    const { clock } = this.options;
    if (clock.monotonic_ms() - this.#last_pong_ms > pong_timeout_ms) return this.cut("no pong");
    if (!this.outlet.stalled) this.socket.ping(String(clock.now_ms()));
  }
  /** Counts one message from the client; true when it was one too many in a second. */
  #overLimit(): boolean {
    const { clock, rules, log, id } = this.options;
    const now_ms = clock.monotonic_ms();
    this.#recent_ms = this.#recent_ms.filter((at_ms) => now_ms - at_ms < 1000);
    this.#recent_ms.push(now_ms);
    if (this.#recent_ms.length <= rules.max_client_messages_per_s) return false;
    log.info("client closed: too many messages", { client: id, limit: rules.max_client_messages_per_s });
    this.socket.close(POLICY_VIOLATION, "Too many messages");
    return true;
  }
  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.outlet.close();
    for (const subscription of this.#subscriptions.values()) this.options.index.remove(subscription);
    this.#subscriptions.clear();
    this.options.onClose(this);
    this.#gone.resolve();
  }
}
