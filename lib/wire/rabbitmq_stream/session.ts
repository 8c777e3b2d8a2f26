/**
 * One logged-in connection to a RabbitMQ stream port, over any byte stream: handshake, requests with answers and
 * deadlines, heartbeats, confirms and deliveries handed to the owner as they come. It never reconnects: whoever owns it
 * opens another. Whatever ends it is told once, by `onClosed`, and rejects every open request.
 */
import { type Clock, type Timer, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { ByteStream } from "../open_socket.ts";
import { FrameReader } from "./frame_reader.ts";
import { FrameSplitter } from "./frame_splitter.ts";
import { FrameWriter } from "./frame_writer.ts";
import { Code, DEFAULT_FRAME_MAX_BYTES, Key, meaningOf, RefusedByBroker, RESPONSE_BIT } from "./protocol.ts";

export interface SessionOptions {
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** PLAIN sends user and password; EXTERNAL lets the client certificate speak. */
  readonly mechanism: "PLAIN" | "EXTERNAL";
  /** Seconds; 0: none. The broker may want a shorter one. */
  readonly heartbeat_s: number;
  /** Of each request, milliseconds. */
  readonly request_timeout_ms: number;
  readonly clock: Clock;
  /** Shown in the broker's list of connections. */
  readonly connection_name: string;
  readonly version: string;
}

export interface SessionOwner {
  /** A publishing id as its upper and lower 32 bits. */
  onConfirm?(publisher: number, high: number, low: number): void;
  onPublishError?(publisher: number, high: number, low: number, code: number): void;
  /** A chunk after its subscription id (readChunk); read it before returning. */
  onDeliver?(subscription: number, chunk: FrameReader): void;
  /** The stream moved or is gone: publishers and subscriptions on it no longer exist. */
  onMetadataUpdate?(stream: string, code: number): void;
  /** Once. */
  onClosed(reason: Error): void;
}

interface Waiting {
  resolve(body: FrameReader): void;
  reject(error: Error): void;
}

/** Frames are joined up to this size, so that many small ones cost one write. */
const JOINED_BYTES = 128 * 1024;
const encoder = new TextEncoder();

export class StreamSession {
  readonly #splitter = new FrameSplitter(DEFAULT_FRAME_MAX_BYTES);
  readonly #waiting = new Map<number, Waiting>();
  readonly #outgoing: Uint8Array[] = [];
  readonly #writer = new FrameWriter();
  readonly #tuned = Promise.withResolvers<FrameReader>();
  #next_correlation = 1;
  #writing = false;
  #closed: Error | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #heartbeat: Timer | undefined;
  #received_ms: number;
  #sent_ms: number;
  /** The largest frame that both sides take, bytes. */
  frame_max_bytes = DEFAULT_FRAME_MAX_BYTES;

  private constructor(
    readonly stream: ByteStream,
    readonly options: SessionOptions,
    readonly owner: SessionOwner,
  ) {
    this.#received_ms = this.#sent_ms = options.clock.monotonic_ms();
    // Nobody waits for it when the connection ends before.
    this.#tuned.promise.catch(() => {});
  }

  /** Logs in. Rejects with RefusedByBroker where the broker says no; the stream is closed then. */
  static async open(
    stream: ByteStream,
    options: SessionOptions,
    owner: SessionOwner,
  ): Promise<StreamSession> {
    const session = new StreamSession(stream, options, owner);
    stream.listen((chunk) => session.#onData(chunk), (reason) => session.#onStreamEnd(reason));
    try {
      await session.#logIn();
    } catch (error) {
      session.#end(error instanceof Error ? error : new Error(String(error)));
      await session.#ended.promise;
      throw error;
    }
    return session;
  }
  get closed(): Error | undefined {
    return this.#closed;
  }

  /** Sends a request and resolves with the body of an OK answer, after its code. `write` adds what follows the correlation id. */
  async request(what: string, key: number, write: (frame: FrameWriter) => void): Promise<FrameReader> {
    const body = await this.#exchange(what, key, write);
    const code = body.u16();
    if (code !== Code.ok) throw new RefusedByBroker(what, code);
    return body;
  }
  /** Like `request`, for the answers that carry no code of their own. */
  async requestPlain(what: string, key: number, write: (frame: FrameWriter) => void): Promise<FrameReader> {
    return await this.#exchange(what, key, write);
  }
  /** Queues a frame (FrameWriter.end). After the end of the connection it goes nowhere. */
  send(frame: Uint8Array): void {
    if (this.#closed) return;
    this.#outgoing.push(frame);
    if (!this.#writing) void this.#write();
  }
  /** Takes leave of the broker within the request deadline, then closes. Never rejects. */
  async close(): Promise<void> {
    if (!this.#closed) {
      try {
        await this.request("close connection", Key.close, (frame) => frame.u16(Code.ok).string("done"));
      } catch {
        // It is closed in any case.
      }
      this.#end(new Error("closed by us"));
    }
    await this.#ended.promise;
  }
  /** Closes at once, without a word. */
  abort(reason: Error): void {
    this.#end(reason);
  }

  async #logIn(): Promise<void> {
    const { options } = this;
    const { connection_name, version } = options;
    await this.request(
      "exchange properties",
      Key.peer_properties,
      (frame) => frame.map({ product: "mdg", platform: "Deno", connection_name, version }),
    );
    const offered = await this.request("ask for SASL mechanisms", Key.sasl_handshake, () => {});
    const mechanisms = Array.from({ length: offered.u32() }, () => offered.string());
    if (!mechanisms.includes(options.mechanism)) {
      throw new Error(
        `log in: mechanism ${options.mechanism} is not offered, the broker has ${mechanisms.join(", ")}`,
      );
    }
    const { user, password, mechanism } = options;
    await this.request(`log in as ${JSON.stringify(user)}`, Key.sasl_authenticate, (frame) => {
      frame.string(mechanism);
      frame.bytes(encoder.encode(mechanism === "PLAIN" ? `\0${user}\0${password}` : ""));
    });
    const tune = await withDeadline(options.clock, options.request_timeout_ms, "tune", this.#tuned.promise);
    this.#tune(tune.u32(), tune.u32());
    await this.request(
      `open virtual host ${JSON.stringify(options.vhost)}`,
      Key.open,
      (frame) => frame.string(options.vhost),
    );
  }
  /** Zero means no limit, or no heartbeat. */
  #tune(frame_max_bytes: number, heartbeat_s: number): void {
    const { options, options: { clock } } = this;
    this.frame_max_bytes = Math.min(frame_max_bytes || DEFAULT_FRAME_MAX_BYTES, DEFAULT_FRAME_MAX_BYTES);
    const agreed_s = Math.min(heartbeat_s || Infinity, options.heartbeat_s || Infinity);
    const interval_s = Number.isFinite(agreed_s) ? agreed_s : 0;
    this.send(this.#writer.begin(Key.tune).u32(this.frame_max_bytes).u32(interval_s).end());
    // A delivered chunk may be larger than a frame that we may send.
    this.#splitter.max_bytes = 64 * DEFAULT_FRAME_MAX_BYTES;
    if (interval_s > 0) {
      this.#heartbeat = clock.every(interval_s * 1_000, () => this.#beat(interval_s * 1_000));
    }
  }
  #beat(interval_ms: number): void {
    const now_ms = this.options.clock.monotonic_ms();
    if (now_ms - this.#received_ms > 2.5 * interval_ms) {
      return this.#end(
        new Error(`no heartbeat from the broker for ${Math.round(now_ms - this.#received_ms)} ms`),
      );
    }
    if (now_ms - this.#sent_ms >= interval_ms / 2) this.send(this.#writer.begin(Key.heartbeat).end());
  }

  async #exchange(what: string, key: number, write: (frame: FrameWriter) => void): Promise<FrameReader> {
    if (this.#closed) throw new Error(`${what}: ${this.#closed.message}`);
    const correlation = this.#next_correlation++;
    const frame = this.#writer.begin(key).u32(correlation);
    write(frame);
    const answer = new Promise<FrameReader>((resolve, reject) => {
      this.#waiting.set(correlation, {
        resolve,
        reject: (error) => reject(new Error(`${what}: ${error.message}`)),
      });
    });
    this.send(frame.end());
    try {
      return await withDeadline(this.options.clock, this.options.request_timeout_ms, what, answer);
    } finally {
      this.#waiting.delete(correlation);
    }
  }
  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#outgoing.length > 0 && !this.#closed) {
        const bytes = takeJoined(this.#outgoing);
        await this.stream.write(bytes);
        this.#sent_ms = this.options.clock.monotonic_ms();
      }
    } catch (error) {
      this.#end(new Error(`connection lost: ${reasonOf(error)}`));
    }
    this.#writing = false;
  }
  #onData(chunk: Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return;
    this.#received_ms = this.options.clock.monotonic_ms();
    try {
      for (const body of this.#splitter.push(chunk)) this.#onFrame(body);
    } catch (error) {
      this.#end(new Error(`connection lost: ${reasonOf(error)}`));
    }
  }
  #onStreamEnd(reason: Error | undefined): void {
    this.#end(new Error(`connection lost: ${reason ? reasonOf(reason) : "closed by the broker"}`));
    this.#ended.resolve();
  }
  #onFrame(body: Uint8Array<ArrayBuffer>): void {
    const frame = new FrameReader(body);
    const key = frame.u16();
    frame.u16(); // version
    switch (key) {
      case Key.publish_confirm: {
        const publisher = frame.u8();
        for (let left = frame.u32(); left > 0; left--) {
          const high = frame.u32();
          this.owner.onConfirm?.(publisher, high, frame.u32());
        }
        return;
      }
      case Key.publish_error: {
        const publisher = frame.u8();
        for (let left = frame.u32(); left > 0; left--) {
          const high = frame.u32();
          const low = frame.u32();
          this.owner.onPublishError?.(publisher, high, low, frame.u16());
        }
        return;
      }
      case Key.deliver:
        return this.owner.onDeliver?.(frame.u8(), frame);
      case Key.metadata_update: {
        const code = frame.u16();
        return this.owner.onMetadataUpdate?.(frame.string(), code);
      }
      case Key.tune:
        // Read later, when these bytes are others.
        return this.#tuned.resolve(new FrameReader(body.slice(4)));
      case Key.close:
        return this.#onClose(frame);
    }
    // Brokers up to 3.10 forget the bit in this answer.
    const is_answer = (key & RESPONSE_BIT) !== 0 || key === Key.partitions;
    if (is_answer && (key & ~RESPONSE_BIT) !== Key.credit) this.#onAnswer(body);
  }
  #onAnswer(body: Uint8Array<ArrayBuffer>): void {
    const answer = new FrameReader(body.slice(4));
    this.#waiting.get(answer.u32())?.resolve(answer);
  }
  #onClose(frame: FrameReader): void {
    const correlation = frame.u32();
    const code = frame.u16();
    const reason = frame.string();
    const answer = this.#writer.begin(Key.close | RESPONSE_BIT).u32(correlation).u16(Code.ok).end();
    // A courtesy: whether it arrives changes nothing.
    if (!this.#writing) this.stream.write(answer).catch(() => {});
    this.#end(new Error(`closed by the broker: ${reason || meaningOf(code)}`));
  }
  #end(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#heartbeat?.cancel();
    this.#outgoing.length = 0;
    this.stream.close();
    this.#tuned.reject(reason);
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.owner.onClosed(reason);
  }
}

/** Takes frames from the front and joins them; at least one. */
function takeJoined(frames: Uint8Array[]): Uint8Array {
  let count = 1;
  let size = frames[0].length;
  while (count < frames.length && size + frames[count].length <= JOINED_BYTES) size += frames[count++].length;
  const taken = frames.splice(0, count);
  if (count === 1) return taken[0];
  const joined = new Uint8Array(size);
  let at = 0;
  for (const frame of taken) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}
