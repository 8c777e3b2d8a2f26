/**
 * Follows streams from their first message and remembers what came; waits for a stream that is not there yet, and goes on
 * where it was when the broker comes back.
 */
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { Random } from "../../lib/base/random.ts";
import { StreamBroker } from "../../lib/wire/rabbitmq_stream/broker.ts";
import { consume, type Delivered } from "../../lib/wire/rabbitmq_stream/consumer.ts";
import { Key } from "../../lib/wire/rabbitmq_stream/protocol.ts";
import { StreamSession } from "../../lib/wire/rabbitmq_stream/session.ts";

const decoder = new TextDecoder();

/** What a message says, as far as tests ask. */
export interface StreamedUpdate {
  kind: string;
  symbol: string;
  trade_id: number;
  price: number;
  quantity: number;
  last_update_id: number;
  [key: string]: unknown;
}

export function brokerAt(url: string): StreamBroker {
  return new StreamBroker(
    { url, mechanism: "PLAIN", heartbeat_s: 10, connect_timeout_ms: 5_000, request_timeout_ms: 5_000 },
    systemClock,
    "mdg test",
  );
}

/** Removes what a test made; a stream that is not there is fine. */
export async function deleteStreams(url: string, streams: readonly string[]): Promise<void> {
  const broker = brokerAt(url);
  const session = await StreamSession.open(await broker.open(), broker.session, { onClosed() {} });
  for (const stream of streams) {
    await session.request("delete stream", Key.delete, (frame) => frame.string(stream)).catch(() => {});
  }
  await session.close();
}

export class StreamReader implements AsyncDisposable {
  readonly updates: StreamedUpdate[] = [];
  readonly delivered: Delivered[] = [];
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>;
  #waiting: (() => void) | undefined;

  constructor(readonly url: string, streams: readonly string[]) {
    this.#running = Promise.all(streams.map((stream) => this.#follow(stream)));
  }
  trades(symbol?: string): StreamedUpdate[] {
    return this.updates.filter((one) => one.kind === "trade" && (symbol ?? one.symbol) === one.symbol);
  }
  /** Resolves when `done` holds; looked at after every message. */
  async until(what: string, done: () => boolean, limit_ms = 20_000): Promise<void> {
    let is_late = false;
    const timer = systemClock.after(limit_ms, () => {
      is_late = true;
      this.#waiting?.();
    });
    while (!done() && !is_late) await new Promise<void>((resolve) => this.#waiting = resolve);
    timer.cancel();
    if (!done()) throw new Error(`wait for ${what}: not there after ${limit_ms} ms`);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #follow(stream: string): Promise<void> {
    const { signal } = this.#stopping;
    const random = new Random(stream);
    while (!signal.aborted) {
      try {
        const offset = { from: "first" } as const;
        for await (const batch of consume(brokerAt(this.url), { stream, offset, signal, random })) {
          for (const one of batch) {
            this.delivered.push(one);
            this.updates.push(JSON.parse(decoder.decode(one.message?.data)));
          }
          this.#waiting?.();
        }
      } catch {
        // Not there yet. Once it has been there, `consume` comes back by itself.
        if (this.delivered.some((one) => one.stream === stream)) throw new Error(`read ${stream}: ended`);
        await sleep(systemClock, 50, signal);
      }
    }
  }
}
