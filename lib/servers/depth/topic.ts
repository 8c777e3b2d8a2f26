/**
 * What one symbol says in one data type to one depth: encoded once per publication, however many clients read it, and
 * only if one does. Changes are kept only while somebody asked for them.
 */
import { ByteWriter } from "../../wire/byte_writer.ts";
import { SharedTail } from "../../wire/headed_frame.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import { type BookChanges, MboChanges, MbpChanges } from "./book_changes.ts";
import { writeMbo, writeMbp, writeTrades } from "./depth_json.ts";
import type { DataType } from "./protocol.ts";
import type { SymbolFeed } from "./symbol_feed.ts";

/** One publication of a topic. */
export interface Publication {
  tail: SharedTail;
  /** Trades that found no room in their interval's message; 0 for books. */
  lost: number;
  /** Trades in it; 0 for books. */
  trades: number;
}

export class Topic {
  #streams = 0;
  #delta_streams = 0;
  #changes: BookChanges | undefined;
  #full: Publication | undefined;
  #difference: Publication | undefined;
  #writer = new ByteWriter();

  constructor(
    readonly feed: SymbolFeed,
    readonly data_type: DataType,
    readonly max_levels: number,
    /** Time of the present publication, microseconds. */
    public at_us: number,
  ) {}

  get idle(): boolean {
    return this.#streams === 0;
  }
  join(delta: boolean): void {
    this.#streams++;
    if (!delta || this.data_type === "TRADES") return;
    this.#delta_streams++;
    const { market } = this.feed;
    this.#changes ??= this.data_type === "MBP"
      ? new MbpChanges(market, this.max_levels)
      : new MboChanges(market, this.max_levels);
  }
  leave(delta: boolean): void {
    this.#streams--;
    if (!delta || this.data_type === "TRADES") return;
    if (--this.#delta_streams === 0) this.#changes = undefined;
  }

  /** The market has moved on to `at_us`. */
  publish(at_us: number): void {
    this.at_us = at_us;
    this.#full = undefined;
    this.#difference = undefined;
    if (this.#changes) {
      const changes = this.#changes;
      this.#difference = { tail: this.#encode((writer) => changes.write(writer, at_us)), lost: 0, trades: 0 };
    }
    if (this.data_type === "TRADES") this.#full = this.#encodeTrades();
  }
  /** The whole book, or the interval's trades; undefined where there were none. */
  full(): Publication | undefined {
    if (this.data_type === "TRADES") return this.#full;
    return this.#full ??= { tail: this.#encode((writer) => this.#writeBook(writer)), lost: 0, trades: 0 };
  }
  /** What changed since the publication before; undefined where nobody has asked long enough. */
  difference(): Publication | undefined {
    return this.#difference;
  }

  #writeBook(writer: ByteWriter): void {
    const { market } = this.feed;
    if (this.data_type === "MBP") writeMbp(writer, market, this.max_levels);
    else writeMbo(writer, market, this.max_levels, this.at_us);
  }
  #encodeTrades(): Publication | undefined {
    const { trades, lost } = this.feed.takeTrades();
    if (trades.length === 0) return undefined;
    const tail = this.#encode((writer) => writeTrades(writer, this.feed.market, trades));
    return { tail, lost, trades: trades.length };
  }
  #encode(data: (writer: ByteWriter) => void): SharedTail {
    const writer = this.#writer;
    writer.reset();
    writer.text(`,"timestamp":"${isoMicroseconds(this.at_us)}","data":`);
    data(writer);
    writer.text("}");
    return new SharedTail(writer.copy());
  }
}
