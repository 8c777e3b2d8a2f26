/**
 * What one symbol says in one data type to one depth, to the clients of one phase: encoded once per publication, however
 * many read it, and only if one does. Changes and trades are kept only while somebody asked for them.
 */
import { ByteWriter } from "../../wire/byte_writer.ts";
import { SharedTail } from "../../wire/headed_frame.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import type { BookChanges } from "./book_changes.ts";
import type { DepthFeed } from "./depth_feed.ts";
import type { DataType } from "./protocol.ts";
import { TradeTape } from "./trade_tape.ts";

/** One message's shared part. */
export interface Publication {
  readonly tail: SharedTail;
  /** Trades that found no room in it; 0 for books. */
  readonly lost: number;
  /** Trades in it; 0 for books. */
  readonly trades: number;
}

export class Topic {
  #streams = 0;
  #delta_streams = 0;
  #changes: BookChanges | undefined;
  #tape: TradeTape | undefined;
  #trades: Publication | undefined;
  #book: Publication | undefined;
  /** The time of `#book`. */
  #book_us = NaN;
  #difference: Publication | undefined;
  #writer = new ByteWriter();

  constructor(readonly feed: DepthFeed, readonly data_type: DataType, readonly max_levels: number) {}

  get idle(): boolean {
    return this.#streams === 0;
  }
  join(delta: boolean): void {
    this.#streams++;
    if (this.data_type === "TRADES") {
      if (this.#tape) return;
      this.#tape = new TradeTape();
      this.feed.tapes.add(this.#tape);
    } else if (delta && this.#delta_streams++ === 0) {
      this.#changes = this.feed.changes(this.data_type, this.max_levels);
    }
  }
  leave(delta: boolean): void {
    this.#streams--;
    if (this.#tape && this.idle) {
      this.feed.tapes.delete(this.#tape);
      this.#tape = undefined;
    }
    if (delta && this.data_type !== "TRADES" && --this.#delta_streams === 0) {
      this.#changes = undefined;
      this.#difference = undefined;
    }
  }

  /** It is this topic's turn: its changes and trades now are those since its turn before. */
  publish(): void {
    const changes = this.#changes;
    if (changes) {
      this.#difference = bookOf(this.#encode((writer) => changes.write(writer, this.feed.at_us)));
    }
    if (!this.#tape) return;
    const { trades, lost } = this.#tape.take();
    this.#trades = trades.length === 0 ? undefined : {
      tail: this.#encode((writer) => this.feed.writeTrades(writer, trades)),
      lost,
      trades: trades.length,
    };
  }
  /** The whole book as it stands now, or the trades of this turn; undefined where there were none. */
  full(): Publication | undefined {
    if (this.data_type === "TRADES") return this.#trades;
    if (this.#book === undefined || this.#book_us !== this.feed.at_us) {
      this.#book = bookOf(this.#encode((writer) => this.#writeBook(writer)));
      this.#book_us = this.feed.at_us;
    }
    return this.#book;
  }
  /** What changed between this turn and the one before; undefined where nobody asked then. */
  difference(): Publication | undefined {
    return this.#difference;
  }

  #writeBook(writer: ByteWriter): void {
    if (this.data_type === "MBP") this.feed.writeMbp(writer, this.max_levels);
    else this.feed.writeMbo(writer, this.max_levels);
  }
  #encode(data: (writer: ByteWriter) => void): SharedTail {
    const writer = this.#writer;
    writer.reset();
    writer.text(`,"timestamp":"${isoMicroseconds(this.feed.at_us)}","data":`);
    data(writer);
    writer.text("}");
    return new SharedTail(writer.copy());
  }
}

function bookOf(tail: SharedTail): Publication {
  return { tail, lost: 0, trades: 0 };
}
