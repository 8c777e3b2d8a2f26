/**
 * The sink itself: updates become rows, a batch becomes one request. A batch that the server refuses for a row in it is
 * halved until that row is found; it alone is given up. After any other failure the connection is made anew, and what was
 * not answered for is sent again.
 */
import { Backoff } from "../../base/backoff.ts";
import { sleep } from "../../base/clock.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { HistogramValue } from "../../base/metrics.ts";
import { Random } from "../../base/random.ts";
import { type UpdateKind, WriteRejected } from "../../flow/delivery_target.ts";
import type { BookUpdate, MarketUpdate } from "../../market/update.ts";
import type { QuestdbConfig } from "../questdb.ts";
import type { Sink, SinkContext } from "../sink.ts";
import { QuestdbClient, RowsRefused } from "./questdb_client.ts";
import { bookLevelRows, bookTopRow, candleRow, quoteRow, type Row, tickerRow, tradeRow } from "./rows.ts";

/** Seconds. */
const LATENCY_BOUNDS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];
const RECONNECT = { first_ms: 100, max_ms: 2_000 };
/** Memory of a row, bytes, roughly. */
const ROW_BYTES = 600;

export class QuestdbSink implements Sink<readonly Row[]> {
  readonly name: string;
  readonly limits: { readonly max_trades: number; readonly max_writes: 1; readonly write_timeout_ms: number };
  readonly #kinds: ReadonlySet<UpdateKind>;
  readonly #client: QuestdbClient;
  readonly #stopping = new AbortController();
  readonly #log: RateLimitedLog;
  readonly #latency: HistogramValue;
  /** Venue and symbol → when its levels were last stored. Bounded by the number of instruments. */
  readonly #snapshots = new Map<string, number>();
  readonly #key_prefix: string;
  #unnumbered = 0;
  #last_error = "";
  #connecting: Promise<void>;
  #is_connecting = true;

  constructor(readonly config: QuestdbConfig, readonly context: SinkContext) {
    const { name, clock, log, metrics, seed } = context;
    this.name = name;
    // One sender has one buffer. A refused batch takes a few requests.
    this.limits = {
      max_trades: config.max_queued_trades,
      max_writes: 1,
      write_timeout_ms: 20 * config.request_timeout_ms,
    };
    this.#kinds = new Set(config.kinds);
    this.#log = new RateLimitedLog(log, clock);
    this.#latency = metrics.histogram(
      "questdb_write_latency_seconds",
      "From a batch begun to the server's answer",
      ["sink"],
      LATENCY_BOUNDS_S,
    ).with(name);
    const salt = new Random(`${seed}:${name}`).uint32().toString(36);
    this.#key_prefix = `${Math.floor(clock.now_us()).toString(36)}-${salt}`;
    this.#client = new QuestdbClient(config, clock);
    this.#connecting = this.#connect();
  }

  takes(kind: UpdateKind): boolean {
    return this.#kinds.has(kind);
  }
  encode(update: MarketUpdate): readonly Row[] | undefined {
    if (!this.#kinds.has(update.kind)) return undefined;
    switch (update.kind) {
      case "trade":
        return [tradeRow(update, () => `${this.#key_prefix}-${++this.#unnumbered}`)];
      case "quote": {
        const row = quoteRow(update);
        return row && [row];
      }
      case "book":
        return this.#bookRows(update);
      case "candle":
        return [candleRow(update)];
      case "ticker":
        return [tickerRow(update)];
      case "book_status":
        return undefined;
    }
  }
  sizeBytes(rows: readonly Row[]): number {
    return rows.length * ROW_BYTES;
  }
  async write(messages: readonly (readonly Row[])[]): Promise<void> {
    const { clock } = this.context;
    const began_ms = clock.monotonic_ms();
    const refused: number[] = [];
    const taken = { until: 0 };
    let reason = "";
    try {
      await this.#writePart(messages, 0, messages.length, taken, (index, why) => {
        refused.push(index);
        reason = why;
      });
    } catch (error) {
      this.#lost(this.#client.reason(error));
      const refused_now = new Set(refused);
      const retry = [...messages.keys()].filter((i) => i >= taken.until && !refused_now.has(i));
      throw new WriteRejected(this.#last_error, retry, refused);
    }
    this.#latency.observe((clock.monotonic_ms() - began_ms) / 1_000);
    if (refused.length > 0) throw new WriteRejected(reason, [], refused);
  }
  notReady(): string | undefined {
    if (this.#client.connected) return undefined;
    const why = this.#last_error && `: ${this.#last_error}`;
    return `questdb at ${this.#client.address} is not connected${why}`;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#connecting;
    await this.#client.close();
  }

  /** Writes [from, to) as one request, or in halves where the server refuses a row of it; `taken.until` follows. */
  async #writePart(
    messages: readonly (readonly Row[])[],
    from: number,
    to: number,
    taken: { until: number },
    onRefused: (index: number, reason: string) => void,
  ): Promise<void> {
    try {
      await this.#client.write(messages.slice(from, to).flat());
    } catch (error) {
      if (!(error instanceof RowsRefused)) throw error;
      if (to - from > 1) {
        const middle = (from + to) >> 1;
        await this.#writePart(messages, from, middle, taken, onRefused);
        return await this.#writePart(messages, middle, to, taken, onRefused);
      }
      onRefused(from, await this.#explained(messages[from]));
    }
    taken.until = to;
  }
  async #explained(rows: readonly Row[]): Promise<string> {
    const reason = await this.#client.explain(rows[0]);
    this.#log.warn("refused", "questdb refused a row for good", { table: rows[0].table, reason });
    return reason;
  }
  #bookRows(update: BookUpdate): Row[] {
    const { snapshot_interval_ms, order_book_depth } = this.config;
    const rows = [bookTopRow(update)];
    if (snapshot_interval_ms === 0) return rows;
    const key = `${update.venue}\u0000${update.symbol}`;
    const now_ms = this.context.clock.monotonic_ms();
    if (now_ms - (this.#snapshots.get(key) ?? -Infinity) < snapshot_interval_ms) return rows;
    this.#snapshots.set(key, now_ms);
    rows.push(...bookLevelRows(update, order_book_depth));
    return rows;
  }
  #lost(reason: string): void {
    this.#last_error = reason;
    if (this.#is_connecting || this.#stopping.signal.aborted) return;
    this.#is_connecting = true;
    this.#connecting = this.#connect();
  }
  /** Until it is there, or we are closed. Never rejects. */
  async #connect(): Promise<void> {
    const { clock, seed, log, name } = this.context;
    const { signal } = this.#stopping;
    const backoff = new Backoff(RECONNECT, new Random(`${seed}:${name}:reconnect`));
    await this.#client.close();
    while (!signal.aborted) {
      try {
        await this.#client.connect();
        log.info("connected to questdb", { address: this.#client.address });
        this.#last_error = "";
        this.#is_connecting = false;
        return this.context.writable();
      } catch (error) {
        this.#last_error = this.#client.reason(error);
        this.#log.warn("connect", "questdb does not take us", {
          address: this.#client.address,
          reason: this.#last_error,
        });
      }
      await sleep(clock, backoff.next_ms(), signal);
    }
  }
}
