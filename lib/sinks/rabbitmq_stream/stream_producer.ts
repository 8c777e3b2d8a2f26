/**
 * Publishes to one stream over one connection that it makes anew for ever, the first time at once. A write resolves when
 * the broker has confirmed every record; when the connection ends, it says which were not. Nothing is sent twice here:
 * the delivery queue does that, and the broker drops by publishing id what it already has.
 */
import { Backoff } from "../../base/backoff.ts";
import { nextTurn, sleep, type Timer } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import { Random } from "../../base/random.ts";
import { WriteRejected } from "../../flow/delivery_target.ts";
import { meaningOf, RefusedByBroker } from "../../wire/rabbitmq_stream/protocol.ts";
import { StreamSession } from "../../wire/rabbitmq_stream/session.ts";
import type { ByteStream } from "../../wire/open_socket.ts";
import type { SinkContext } from "../sink.ts";
import type { StreamBroker } from "../../wire/rabbitmq_stream/broker.ts";
import { type Confirmable, Publishers, type RecordGroup } from "./publishers.ts";
import { ensureStream, type StreamLayout } from "./stream_layout.ts";
import type { StreamRecord } from "./stream_record.ts";

/** The broker is away: it may be back any moment. It said no: only a person can change that. */
const RECONNECT = { first_ms: 100, max_ms: 1_000 };
const REFUSED_PAUSE_MS = 5_000;
const CLOSE_DEADLINE_MS = 1_000;

class Batch implements Confirmable {
  readonly done = Promise.withResolvers<void>();
  readonly #open: Set<number>;
  timer: Timer | undefined;

  constructor(
    indices: Iterable<number>,
    readonly refused: readonly number[],
    readonly onSettled: (batch: Batch) => void,
  ) {
    this.#open = new Set(indices);
  }
  confirmed(index: number): void {
    this.#open.delete(index);
    if (this.#open.size > 0) return;
    if (this.refused.length === 0) this.done.resolve();
    else this.done.reject(new WriteRejected("message larger than a frame of the broker", [], this.refused));
    this.#settle();
  }
  fail(reason: string): void {
    this.done.reject(new WriteRejected(reason, [...this.#open], this.refused));
    this.#settle();
  }
  #settle(): void {
    this.timer?.cancel();
    this.onSettled(this);
  }
}

export class StreamProducer {
  readonly #stopping = new AbortController();
  readonly #batches = new Set<Batch>();
  readonly #log: RateLimitedLog;
  readonly #running: Promise<void>;
  /** The present connection, or the one being logged in. */
  #stream: ByteStream | undefined;
  #publishers: Publishers | undefined;
  #last_error = "";

  constructor(
    readonly layout: StreamLayout,
    readonly broker: StreamBroker,
    readonly confirm_timeout_ms: number,
    readonly context: SinkContext,
    readonly onReady: () => void,
  ) {
    this.#log = new RateLimitedLog(context.log.with({ stream: layout.stream }), context.clock);
    this.#running = this.#run();
  }
  notReady(): string | undefined {
    if (this.#publishers) return undefined;
    const why = this.#last_error && `: ${this.#last_error}`;
    return `stream "${this.layout.stream}" at ${this.broker.address} is not connected${why}`;
  }
  /** Resolves when all are confirmed. Rejects with WriteRejected, the unconfirmed to be tried again. */
  write(records: readonly StreamRecord[]): Promise<void> {
    const publishers = this.#publishers;
    const all = [...records.keys()];
    if (!publishers) return Promise.reject(new WriteRejected(this.notReady()!, all));
    const refused = all.filter((i) => !publishers.fits(records[i]));
    const sendable = refused.length === 0 ? all : all.filter((i) => publishers.fits(records[i]));
    const batch = new Batch(sendable, refused, (one) => this.#batches.delete(one));
    this.#batches.add(batch);
    batch.timer = this.context.clock.after(this.confirm_timeout_ms, () => this.#onTimeout());
    send(publishers, records, sendable, batch);
    if (sendable.length === 0) batch.fail("message larger than a frame of the broker");
    return batch.done.promise;
  }
  async close(): Promise<void> {
    this.#stopping.abort();
    const timer = this.context.clock.after(CLOSE_DEADLINE_MS, () => this.#stream?.close());
    if (this.#publishers) await this.#publishers.session.close();
    else this.#stream?.close();
    await this.#running;
    timer.cancel();
  }

  #onTimeout(): void {
    this.#publishers?.session.abort(
      new Error(
        `no confirm within ${this.confirm_timeout_ms} ms: the broker is stuck, or blocks publishers for want of disk`,
      ),
    );
  }
  async #run(): Promise<void> {
    const { context: { clock, log, seed, name }, layout } = this;
    const { signal } = this.#stopping;
    const backoff = new Backoff(RECONNECT, new Random(`${seed}:${name}:${layout.stream}:reconnect`));
    while (!signal.aborted) {
      let pause_ms: number | undefined;
      try {
        const ended = Promise.withResolvers<Error>();
        await this.#connect(ended.resolve);
        log.info("connected to rabbitmq", { address: this.broker.address, stream: layout.stream });
        this.#last_error = "";
        backoff.reset();
        this.onReady();
        throw await ended.promise;
      } catch (error) {
        this.#publishers = undefined;
        this.#last_error = this.broker.reason(error);
        if (error instanceof RefusedByBroker) pause_ms = REFUSED_PAUSE_MS;
        for (const batch of [...this.#batches]) batch.fail(this.#last_error);
      }
      if (signal.aborted) break;
      this.#log.warn("connection", "not connected to rabbitmq", {
        address: this.broker.address,
        reason: this.#last_error,
      });
      this.broker.nextAddress();
      await sleep(clock, pause_ms ?? backoff.next_ms(), signal);
    }
  }
  async #connect(onEnded: (reason: Error) => void): Promise<void> {
    const stream = this.#stream = await this.broker.open(this.#stopping.signal);
    let publishers: Publishers | undefined = undefined as Publishers | undefined;
    const session = await StreamSession.open(stream, this.broker.session, {
      onConfirm: (publisher, high, low) => publishers?.confirm(publisher, high, low),
      // Why a publisher does not exist may be said by an answer in the same bytes: it is heard first.
      onPublishError: (_publisher, _high, _low, code) =>
        void nextTurn().then(() =>
          session.abort(new RefusedByBroker(`publish to stream "${this.layout.stream}"`, code))
        ),
      onMetadataUpdate: (name, code) =>
        session.abort(new Error(`stream "${name}" moved or is gone: ${meaningOf(code)}`)),
      onClosed: onEnded,
    });
    try {
      await ensureStream(session, this.layout);
    } catch (error) {
      session.abort(new Error(reasonOf(error)));
      await session.close();
      throw error;
    }
    publishers = new Publishers(session, this.layout.stream, (error) => session.abort(error));
    if (this.#stopping.signal.aborted) await session.close();
    if (session.closed) throw session.closed;
    this.#publishers = publishers;
  }
}

/** One group per reference and run between barriers. */
function send(
  publishers: Publishers,
  records: readonly StreamRecord[],
  indices: readonly number[],
  batch: Batch,
): void {
  const groups = new Map<string, RecordGroup>();
  const flush = () => {
    for (const group of groups.values()) publishers.send(group);
    groups.clear();
  };
  for (const index of indices) {
    const { reference, is_barrier } = records[index];
    if (is_barrier) flush();
    const group = groups.get(reference);
    if (group) group.indices.push(index);
    else groups.set(reference, { reference, records, indices: [index], batch });
    if (is_barrier) flush();
  }
  flush();
}
