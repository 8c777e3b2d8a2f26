/**
 * What mappers of JSON venues have in common: the tape, the symbol table, the rule that a frame gives all of its events
 * or none. A venue's mapper says in `read` what its frames mean.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import type { FrameOutcome, Mapper } from "../feed.ts";
import { SymbolTable } from "../symbol_table.ts";
import { IsoTimeReader } from "./iso_time.ts";
import { JsonTape, STRING } from "./tape.ts";

/** The frame is the venue's and in order, and tells nothing of the market: heartbeats, notes, lists. */
export const NO_NEWS: FrameOutcome = { kind: "pong" };
export const UNKNOWN_SYMBOL: FrameOutcome = { kind: "unknown", what: "symbol" };
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
/** Times past the year 5138 are damage. */
const MAX_TIME_MS = 1e14;

export function malformed(why: string): FrameOutcome {
  return { kind: "malformed", why };
}

/** Words of the venue in a log: bounded. */
export function quoted(text: string): string {
  return text.slice(0, 200);
}

export abstract class JsonMapper implements Mapper {
  protected readonly tape = new JsonTape();
  protected readonly symbols: SymbolTable;
  readonly #iso = new IsoTimeReader();
  #frame: Uint8Array = new Uint8Array(0);
  /** Frames of one symbol come in runs. */
  #last_symbol = "";

  constructor(symbols?: Iterable<string>, readonly max_frame_bytes = MAX_FRAME_BYTES) {
    this.symbols = new SymbolTable(symbols);
  }
  addSymbol(symbol: string): void {
    this.symbols.add(symbol);
  }
  removeSymbol(symbol: string): void {
    this.symbols.remove(symbol);
    this.#last_symbol = "";
  }
  map(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    if (frame.length > this.max_frame_bytes) return malformed(`frame of ${frame.length} bytes`);
    this.#frame = frame;
    if (!this.tape.scan(frame)) return this.readOther(frame) ?? malformed("not one well-formed JSON value");
    const before = batch.size;
    const outcome = this.read(received_us, batch);
    if (outcome.kind !== "events") {
      if (batch.size > before) batch.truncate(before);
      return outcome;
    }
    // Every row was of a symbol that nobody asked for.
    return batch.size > before ? outcome : UNKNOWN_SYMBOL;
  }
  /** The meaning of the scanned frame. What was pushed counts only with the outcome `events`. */
  protected abstract read(received_us: number, batch: EventBatch): FrameOutcome;
  /** The meaning of a frame that is no JSON, for venues that send such. */
  protected readOther(_frame: Uint8Array): FrameOutcome | undefined {
    return undefined;
  }

  /** One of our symbols; undefined for any other value. */
  protected symbol(node: number): string | undefined {
    const { tape } = this;
    if (tape.kind(node) !== STRING) return undefined;
    if (this.#last_symbol !== "" && tape.is(node, this.#last_symbol)) return this.#last_symbol;
    const found = this.symbols.lookup(this.#frame, tape.start(node), tape.stop(node));
    if (found !== undefined) this.#last_symbol = found;
    return found;
  }
  /** Epoch milliseconds, said as number or string. */
  protected milliseconds(node: number): number | undefined {
    const time_ms = this.tape.integer(node);
    return time_ms > 0 && time_ms < MAX_TIME_MS ? time_ms : undefined;
  }
  /** Epoch microseconds of an RFC 3339 text; NaN when it is none. */
  protected isoMicroseconds(node: number): number {
    return node < 0 ? NaN : this.#iso.microseconds(this.#frame, this.tape.start(node), this.tape.stop(node));
  }
  protected isoMilliseconds(node: number): number | undefined {
    const time_us = this.isoMicroseconds(node);
    return time_us > 0 ? time_us / 1000 : undefined;
  }
  /** A decimal of any sign; undefined where there is none: unknown is not 0. */
  protected decimal(node: number): number | undefined {
    const value = this.tape.decimal(node);
    return Number.isFinite(value) ? value : undefined;
  }
  /** A decimal of at least 0. */
  protected amount(node: number): number | undefined {
    const value = this.tape.decimal(node);
    return value >= 0 ? value : undefined;
  }
  protected count(node: number): number | undefined {
    const value = this.tape.integer(node);
    return value >= 0 ? value : undefined;
  }
}
