/**
 * One client of the isolation runs: reads at its own pace, answers pings when it comes to them, keeps its book by the
 * documented rules, sees to it that every sequence was delivered or announced, comes back where it was cut off.
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../../lib/base/clock.ts";
import { type Message, MirrorBook } from "../../lib/servers/restream/test_client.ts";
import { frame, PING, PONG, RawWebSocket, Refused, TEXT } from "../../raw_websocket.ts";

export type Pace = "healthy" | "slow" | "deaf";

/** 64 kbit/s in steps of a tenth of a second. */
const SLOW_BYTES = 800;
const SLOW_MS = 100;
const RETRY_MS = 200;
const READ_BYTES = 65_536;

export interface Lateness {
  /** Microseconds, of the deltas that healthy clients got. */
  readonly samples: Float64Array;
  /** When each was meant to be sent, epoch seconds. */
  readonly meant_s: Float64Array;
  count: number;
}

export class MarketClient {
  readonly book = new MirrorBook();
  readonly trades = { seq: undefined as number | undefined, delivered: 0, skipped: 0 };
  skipped_deltas = 0;
  connections = 0;
  /** From now on it reads whatever comes: the market is over. */
  #hurried = Promise.withResolvers<void>();
  #is_hurried = false;
  #stopping = false;
  #epoch = "";
  readonly running: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();

  constructor(
    readonly address: string,
    readonly pace: Pace,
    readonly depth: number | undefined,
    readonly lateness: Lateness | undefined,
  ) {
    this.running = this.#run();
  }
  /** It has its first book. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }
  hurry(): void {
    this.#is_hurried = true;
    this.#hurried.resolve();
  }
  /** It ends (`running`) when its connection does, and does not come back. */
  stop(): void {
    this.#stopping = true;
    this.hurry();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        const bytes = this.pace === "slow" && !this.#is_hurried ? SLOW_BYTES : READ_BYTES;
        using ws = await RawWebSocket.open(this.address, {}, bytes);
        this.connections++;
        await this.#serve(ws);
      } catch (error) {
        // Refused for a while: memory is short, or the server is busy with others.
        if (!(error instanceof Refused || error instanceof Deno.errors.ConnectionReset)) throw error;
      }
      if (!this.#stopping) await sleep(systemClock, RETRY_MS);
    }
  }
  async #serve(ws: RawWebSocket): Promise<void> {
    const hello = await ws.message("hello");
    if (hello === undefined) return;
    const resumable = hello.epoch === this.#epoch;
    this.#epoch = hello.epoch;
    for (const channel of ["book", "trades"]) {
      const seq = channel === "book" ? this.book.seq : this.trades.seq;
      const resume = resumable && seq !== undefined ? { epoch: this.#epoch, seq } : undefined;
      const depth = channel === "book" ? this.depth : undefined;
      await ws.sendJson({ type: "subscribe", symbol: "BTCUSDT", channel, depth, resume });
    }
    // Trades have no snapshot: where they stand is asked, so that one cut off before the first can still say it.
    await ws.sendJson({ type: "list" });
    let is_first = true;
    for (;;) {
      for (const one of ws.frames.splice(0)) {
        if (one.opcode === TEXT) this.#take(JSON.parse(new TextDecoder().decode(one.payload)));
        else if (one.opcode === PING) await ws.send(frame(PONG, one.payload));
      }
      if (is_first && this.book.seq !== undefined && this.trades.seq !== undefined) {
        is_first = false;
        this.#ready.resolve();
      }
      if (!is_first && !this.#is_hurried) await this.#wait();
      if (!await ws.read()) return;
    }
  }
  async #wait(): Promise<void> {
    if (this.pace === "deaf") return await this.#hurried.promise;
    if (this.pace === "slow") await Promise.race([this.#hurried.promise, sleep(systemClock, SLOW_MS)]);
  }
  #take(message: Message): void {
    switch (message.type) {
      case "subscriptions":
        for (const { channel, seq } of message.subscriptions) {
          if (channel === "trades") this.trades.seq ??= seq;
        }
        return;
      case "delta":
        this.#note(message.last_update_id);
        return this.book.take(message);
      case "snapshot":
        return this.book.take(message);
      case "lag":
        if (message.channel === "trades") return this.#takeTrades(message.from_seq, message.to_seq, true);
        this.skipped_deltas += message.skipped;
        return this.book.take(message);
      case "trade":
        return this.#takeTrades(message.seq, message.seq, false);
    }
  }
  #takeTrades(from_seq: number, to_seq: number, is_lag: boolean): void {
    const { trades } = this;
    if (trades.seq !== undefined) assert.equal(from_seq, trades.seq + 1, "a trade was lost without a word");
    trades.seq = to_seq;
    if (is_lag) trades.skipped += to_seq - from_seq + 1;
    else trades.delivered++;
  }
  #note(meant_us: number): void {
    const { lateness } = this;
    if (lateness === undefined || lateness.count === lateness.samples.length) return;
    lateness.meant_s[lateness.count] = Math.floor(meant_us / 1e6);
    lateness.samples[lateness.count++] = systemClock.now_us() - meant_us;
  }
}
