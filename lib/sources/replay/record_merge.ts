/**
 * Several recordings as one, by receive time; of two records of the same time the earlier named recording's comes first.
 * Within one recording the order is the recorded one, even where its clock was set back.
 */
import { RecordCursor } from "../../formats/recording/record.ts";

/** One recording being read. */
export class RecordLane {
  cursor: RecordCursor | undefined;
  /** The cursor stands on a record that nobody took yet. */
  is_ahead = false;
  #is_over = false;
  readonly #blocks: AsyncIterator<Uint8Array>;

  constructor(readonly number: number, blocks: AsyncIterable<Uint8Array>) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }
  get is_over(): boolean {
    return this.#is_over;
  }
  /** Stands on its next record, if the block has one more. */
  advance(): boolean {
    return this.is_ahead ||= this.cursor?.next() ?? false;
  }
  async load(): Promise<void> {
    const { done, value } = await this.#blocks.next();
    this.#is_over = done === true;
    this.cursor = done ? undefined : new RecordCursor(value);
  }
  async close(): Promise<void> {
    await this.#blocks.return?.();
  }
}

export class RecordMerge {
  constructor(readonly lanes: readonly RecordLane[]) {}

  /** The lane whose record is next; undefined: `load`, then ask again. */
  next(): RecordLane | undefined {
    const { lanes } = this;
    if (lanes.length === 1) {
      const [only] = lanes;
      if (!only.advance()) return undefined;
      only.is_ahead = false;
      return only;
    }
    let first: RecordLane | undefined;
    for (const lane of lanes) {
      if (lane.is_over) continue;
      if (!lane.advance()) return undefined;
      if (first === undefined || isBefore(lane.cursor!, first.cursor!)) first = lane;
    }
    if (first) first.is_ahead = false;
    return first;
  }
  /** Fetches the blocks that are wanted. False when all is read. */
  async load(): Promise<boolean> {
    for (const lane of this.lanes) {
      while (!lane.is_over && !lane.advance()) await lane.load();
    }
    return this.lanes.some((lane) => !lane.is_over);
  }
  async close(): Promise<void> {
    for (const lane of this.lanes) await lane.close();
  }
}

function isBefore(one: RecordCursor, other: RecordCursor): boolean {
  return one.seconds !== other.seconds ? one.seconds < other.seconds : one.nanoseconds < other.nanoseconds;
}
