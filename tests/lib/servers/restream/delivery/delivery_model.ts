/**
 * What one client may be told of one stream, whatever happens: every sequence delivered or announced, once, in order;
 * deltas only on a book that is there; at the end the state that a lossless reader has.
 */
import assert from "node:assert/strict";
import type { Message } from "../test_client.ts";

export type Mode = "book" | "trades" | "bbo" | "candles" | "status";

/** The truth about one stream, as its market side made it. */
export class StreamTruth {
  seq = 0;
  in_sync = true;
  /** Level → quantity of a book; the newest value of a latest-value stream under 0. */
  readonly state = new Map<number, number>();
  /** Sequences that are whole books after a resync. */
  readonly wholes = new Set<number>();
  constructor(readonly id: number, readonly mode: Mode) {}
}

export class StreamView {
  /** The last sequence that was delivered or announced. */
  seq: number | undefined;
  is_live = false;
  #came_back = false;
  delivered = 0;
  announced = 0;
  ended: string | undefined;
  readonly state = new Map<number, number>();

  constructor(readonly truth: StreamTruth) {}

  take(message: Message): void {
    assert.equal(this.ended, undefined, "something came after the end of the subscription");
    switch (message.type) {
      case "snapshot":
        // The state at the end of a lag, or the next message, where that is a whole book after a resync.
        if (this.seq !== undefined && !this.#came_back) {
          const is_next = message.seq === this.seq + 1 && this.truth.wholes.has(message.seq);
          assert.ok(
            is_next || message.seq === this.seq,
            `a hole before snapshot ${message.seq}, at ${this.seq}`,
          );
        }
        this.#came_back = false;
        this.seq = message.seq;
        this.is_live = true;
        this.state.clear();
        for (const [level, quantity] of message.levels) this.state.set(level, quantity);
        this.delivered++;
        return;
      case "lag":
        assert.equal(
          message.skipped,
          message.to_seq - message.from_seq + 1,
          "skipped is not what the range says",
        );
        if (!this.#beginsAnew()) this.#follows(message.from_seq);
        this.seq = message.to_seq;
        this.announced += message.skipped;
        if (this.truth.mode === "book") this.is_live = false;
        return;
      case "resumed":
        assert.equal(message.from_seq, (this.seq ?? NaN) + 1, "resumed from elsewhere");
        this.is_live = true;
        this.#came_back = false;
        return;
      case "delta":
        assert.ok(this.is_live, "a delta without a book");
        this.#follows(message.seq);
        this.seq = message.seq;
        this.state.set(message.level, message.quantity);
        this.delivered++;
        return;
      case "value":
        // The value of now, told when the stream was opened, is no news.
        if (message.seq !== this.seq && !this.#beginsAnew()) this.#follows(message.seq);
        this.seq = message.seq;
        this.state.set(0, message.quantity);
        this.delivered++;
        return;
      case "unsubscribed":
        this.ended = message.reason;
        return;
    }
    throw new Error(`message ${message.type} is none of a stream's`);
  }
  /** On another connection: a snapshot may begin anew. */
  comeBack(): void {
    this.#came_back = true;
    this.is_live = false;
  }
  /** The stream's data is held back: its book is out of sync. */
  onHold(): void {
    if (this.truth.mode === "book") this.is_live = false;
  }
  /** Everything has drained. */
  checkEnd(): void {
    if (this.ended !== undefined) return;
    const { truth } = this;
    if (truth.mode === "book") {
      if (!truth.in_sync) return;
      assert.ok(this.is_live, "a book that never came right");
      assert.equal(this.seq, truth.seq);
      assert.deepEqual(sorted(this.state), sorted(truth.state), "the final book is not the lossless one");
      return;
    }
    if (truth.mode === "bbo") {
      if (truth.state.has(0)) assert.equal(this.state.get(0), truth.state.get(0), "not the newest value");
      return;
    }
    if (this.seq !== undefined) {
      assert.equal(this.seq, truth.seq, "the last ones neither came nor were announced");
    }
  }

  /** Only the newest of a latest-value stream matters to one that was away. */
  #beginsAnew(): boolean {
    if (this.truth.mode !== "bbo") return false;
    const begins = this.#came_back;
    this.#came_back = false;
    return begins;
  }
  #follows(seq: number): void {
    if (this.seq === undefined) return;
    assert.equal(seq, this.seq + 1, seq <= this.seq ? "told twice, or out of order" : "lost without a word");
  }
}

function sorted(state: ReadonlyMap<number, number>): [number, number][] {
  return [...state].sort((a, b) => a[0] - b[0]);
}
