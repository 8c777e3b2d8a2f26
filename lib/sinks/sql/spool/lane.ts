/**
 * The segments of one priority, oldest first. Only the newest is appended to; a segment goes as a whole, when all of it
 * is loaded or when the spool needs the room.
 */
import { join } from "node:path";
import type { Priority } from "../tables.ts";
import type { SpoolRecord } from "./record.ts";
import { Segment } from "./segment.ts";

const NAME = /^(fact|state)-(\d{12})\.spool$/;

export class Lane {
  readonly segments: Segment[] = [];
  #next_number = 1;

  constructor(readonly folder: string, readonly priority: Priority, readonly segment_bytes: number) {}

  /** Takes over what an earlier process left. `onRecord` sees every record, in order. */
  async recover(names: readonly string[], onRecord: (record: SpoolRecord) => void): Promise<void> {
    const own = names.map((name) => NAME.exec(name)).filter((match) => match?.[1] === this.priority)
      .map((match) => ({ name: match![0], number: Number(match![2]) }))
      .sort((one, other) => one.number - other.number);
    for (const { name, number } of own) {
      this.segments.push(await Segment.recover(join(this.folder, name), onRecord));
      this.#next_number = number + 1;
    }
  }
  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }
  /** Resolves with how to take it back. */
  async append(records: readonly SpoolRecord[]): Promise<() => Promise<void>> {
    let newest = this.segments.at(-1);
    if (newest === undefined || newest.is_sealed || newest.bytes >= this.segment_bytes) {
      newest?.seal();
      newest = await Segment.create(this.#path());
      this.segments.push(newest);
    }
    return await newest.append(records);
  }
  /** The oldest record not yet taken, and its segment. */
  async head(): Promise<{ record: SpoolRecord; segment: Segment } | undefined> {
    for (const segment of this.segments) {
      const record = await segment.head();
      if (record) return { record, segment };
    }
    return undefined;
  }
  /** Removes segments of which nothing is needed. A damaged one keeps its file, under another name: those are returned. */
  async removeLoaded(): Promise<Segment[]> {
    const damaged: Segment[] = [];
    while (this.segments.length > 0 && this.segments[0].is_loaded) {
      const segment = this.segments.shift()!;
      const { damage } = segment;
      if (damage === undefined || damage.is_torn_tail) await segment.remove();
      else {
        await segment.setAside();
        damaged.push(segment);
      }
    }
    return damaged;
  }
  /** Gives up the oldest segment that is not being loaded just now; undefined when there is none. */
  async dropOldest(): Promise<Segment | undefined> {
    const at = this.segments.findIndex((segment) => !segment.is_in_use);
    if (at < 0) return undefined;
    const [segment] = this.segments.splice(at, 1);
    await segment.remove();
    return segment;
  }
  close(): void {
    for (const segment of this.segments) segment.close();
  }
  #path(): string {
    return join(this.folder, `${this.priority}-${String(this.#next_number++).padStart(12, "0")}.spool`);
  }
}
