/**
 * Reads a stream from an offset on, for ever: batches as the broker delivers them, each acknowledged with a credit only
 * when the reader asks for the next, so that nothing piles up here. A lost connection is made anew at the offset after the
 * last one read. What the broker refuses is an error.
 */
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { readMessage, type StreamMessage } from "./amqp_message.ts";
import type { StreamBroker } from "./broker.ts";
import { readChunk } from "./chunk.ts";
import type { FrameReader } from "./frame_reader.ts";
import { FrameWriter } from "./frame_writer.ts";
import { Code, Key, meaningOf, OFFSET_TYPES, RefusedByBroker, type StreamOffset } from "./protocol.ts";
import { StreamSession } from "./session.ts";

export interface Delivered {
  readonly stream: string;
  readonly offset: bigint;
  /** When the broker wrote it, Unix epoch, milliseconds. */
  readonly timestamp_ms: number;
  /** Undefined where the bytes are no AMQP 1.0 message; then `malformed` says why. */
  readonly message?: StreamMessage;
  readonly malformed?: string;
}

export interface ConsumeOptions {
  readonly stream: string;
  readonly offset: StreamOffset;
  /**
   * The broker keeps under this name how far it was read, and reading goes on there instead of at `offset`: a batch counts
   * as read when the next is asked for. Stored at most once a second and at the end, so a crash repeats that much.
   */
  readonly reference?: string;
  readonly signal: AbortSignal;
  /** Jitter of reconnects. */
  readonly random: Random;
  /** Told when it reads, again after each break. */
  onOpened?(): void;
  /** Told when a connection was lost. */
  onLost?(reason: string): void;
}

const RECONNECT = { first_ms: 100, max_ms: 2_000 };
/** Chunks under way: one is read while the next travels. */
const CREDIT = 2;
const SUBSCRIPTION = 0;
const STORE_MS = 1_000;

/** What a broker says of a stream that was read before while it has not come up again wholly. */
const STILL_STARTING: ReadonlySet<number> = new Set([
  Code.stream_not_available,
  Code.virtual_host_access_failure,
]);

/** Ends when the signal aborts. Rejects with RefusedByBroker, or when the first connection fails. */
export async function* consume(broker: StreamBroker, options: ConsumeOptions): AsyncGenerator<Delivered[]> {
  const { signal } = options;
  const backoff = new Backoff(RECONNECT, options.random);
  let { offset } = options;
  let is_first = true;
  while (!signal.aborted) {
    const connection = new Subscription(options.stream, options.reference);
    const stop = () => connection.end(undefined);
    signal.addEventListener("abort", stop, { once: true });
    try {
      await connection.open(broker, offset, signal, is_first);
      is_first = false;
      options.onOpened?.();
      backoff.reset();
      for await (const batch of connection.batches()) {
        if (batch.length > 0) {
          yield batch;
          connection.consumed(batch.at(-1)!.offset, broker.clock.monotonic_ms());
        }
        if (connection.next_offset !== undefined) offset = { from: "offset", offset: connection.next_offset };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (is_first || (error instanceof RefusedByBroker && !STILL_STARTING.has(error.code))) throw error;
      options.onLost?.(reasonOf(error));
      await sleep(broker.clock, backoff.next_ms(), signal);
    } finally {
      signal.removeEventListener("abort", stop);
      await connection.close();
    }
  }
}

/** The partitions of a super stream; none when there is no such super stream. */
export async function partitionsOf(broker: StreamBroker, super_stream: string): Promise<string[]> {
  const session = await StreamSession.open(await broker.open(), broker.session, { onClosed() {} });
  try {
    const answer = await session.request(
      "ask for partitions",
      Key.partitions,
      (frame) => frame.string(super_stream),
    );
    return Array.from({ length: answer.u32() }, () => answer.string());
  } finally {
    await session.close();
  }
}

class Subscription {
  #session: StreamSession | undefined;
  #chunks: Delivered[][] = [];
  #wake: (() => void) | undefined;
  #is_ended = false;
  #error: Error | undefined;
  /** Undefined until the first message. */
  next_offset: bigint | undefined;
  #consumed: bigint | undefined;
  #stored: bigint | undefined;
  #stored_ms = -Infinity;

  constructor(readonly stream: string, readonly reference: string | undefined) {}

  async open(
    broker: StreamBroker,
    from: StreamOffset,
    signal: AbortSignal,
    is_first: boolean,
  ): Promise<void> {
    const session = await StreamSession.open(await broker.open(signal), broker.session, {
      onDeliver: (_subscription, chunk) => this.#onDeliver(chunk),
      onMetadataUpdate: (name, code) =>
        this.end(new Error(`stream "${name}" moved or is gone: ${meaningOf(code)}`)),
      onClosed: (reason) => this.end(reason),
    });
    this.#session = session;
    const stored = is_first ? await this.#storedOffset(session) : undefined;
    const offset: StreamOffset = stored === undefined ? from : { from: "offset", offset: stored + 1n };
    this.next_offset = offset.from === "offset" ? offset.offset : undefined;
    await session.request(`read stream ${JSON.stringify(this.stream)}`, Key.subscribe, (frame) => {
      frame.u8(SUBSCRIPTION).string(this.stream).u16(OFFSET_TYPES[offset.from]);
      if (offset.from === "offset") frame.u64(offset.offset);
      if (offset.from === "timestamp") frame.u64(BigInt(Math.floor(offset.timestamp_ms)));
      frame.u16(CREDIT).u32(0);
    });
  }
  /** Throws what ended the connection. */
  async *batches(): AsyncGenerator<Delivered[]> {
    for (;;) {
      const batch = this.#chunks.shift();
      if (batch !== undefined) {
        yield batch;
        this.#session?.send(new FrameWriter().begin(Key.credit).u8(SUBSCRIPTION).u16(1).end());
      } else if (this.#is_ended) {
        if (this.#error) throw this.#error;
        return;
      } else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
  end(error: Error | undefined): void {
    if (this.#is_ended) return;
    this.#is_ended = true;
    this.#error = error;
    this.#wake?.();
  }
  /** All up to this one needs no second reading. */
  consumed(offset: bigint, now_ms: number): void {
    this.#consumed = offset;
    if (now_ms - this.#stored_ms < STORE_MS) return;
    this.#stored_ms = now_ms;
    this.#store();
  }
  async close(): Promise<void> {
    this.end(undefined);
    this.#store();
    await this.#session?.close();
  }

  /** Undefined: none, or none is wanted. */
  async #storedOffset(session: StreamSession): Promise<bigint | undefined> {
    const { reference, stream } = this;
    if (reference === undefined) return undefined;
    try {
      const write = (frame: FrameWriter) => frame.string(reference).string(stream);
      const answer = await session.request("ask for the offset reached", Key.query_offset, write);
      return answer.u64();
    } catch (error) {
      if (error instanceof RefusedByBroker && error.code === Code.no_offset) return undefined;
      throw error;
    }
  }
  /** The broker does not answer to it. */
  #store(): void {
    const { reference, stream } = this;
    if (reference === undefined || this.#consumed === undefined || this.#consumed === this.#stored) return;
    this.#stored = this.#consumed;
    const frame = new FrameWriter().begin(Key.store_offset).string(reference).string(stream);
    this.#session?.send(frame.u64(this.#stored).end());
  }
  #onDeliver(chunk: FrameReader): void {
    const batch: Delivered[] = [];
    try {
      for (const { offset, timestamp_ms, message } of readChunk(chunk)) {
        // The broker sends whole chunks: the first may begin before the wanted offset.
        if (this.next_offset !== undefined && offset < this.next_offset) continue;
        batch.push({ stream: this.stream, offset, timestamp_ms, ...decoded(message) });
        this.next_offset = offset + 1n;
      }
    } catch (error) {
      return this.end(error instanceof Error ? error : new Error(String(error)));
    }
    this.#chunks.push(batch);
    this.#wake?.();
  }
}

function decoded(bytes: Uint8Array<ArrayBuffer>): Pick<Delivered, "message" | "malformed"> {
  try {
    return { message: readMessage(bytes) };
  } catch (error) {
    return { malformed: reasonOf(error) };
  }
}
