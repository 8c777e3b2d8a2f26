/**
 * Rows on the disk while their database is away: bounded, checksummed, readable by the owner only, given back in order.
 * Resolved means on the disk. Two lanes: when there is no room the oldest states (quotes, tickers, books) go first, then
 * the oldest facts (trades, candles); each loss is counted and told. Refuses: two processes in one folder, and rows that
 * were meant for another database.
 */
import { join } from "node:path";
import { quoted, reasonOf, UserError } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import type { RowGroup } from "../database.ts";
import { type TableName, tableOf } from "../tables.ts";
import { Lane } from "./lane.ts";
import type { SpoolRecord } from "./record.ts";
import type { Segment } from "./segment.ts";

const OWNER_ONLY_FOLDER = 0o700;
/** A segment is a small part of the whole, so that giving one up gives up little. */
const SEGMENTS = 16;
const MIN_SEGMENT_BYTES = 64 * 1024;
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024;

export interface SpoolOptions {
  readonly folder: string;
  readonly max_bytes: number;
  /** Where the rows belong: Database.address. */
  readonly address: string;
  readonly log: Log;
  onDropped(table: string, count: number): void;
}

/** Rows on their way out of the spool. Exactly one of the two ends it. */
export interface Taken {
  readonly groups: readonly RowGroup[];
  loaded(): Promise<void>;
  /** They stay and come again. */
  again(): Promise<void>;
}

export class Spool {
  readonly #facts: Lane;
  readonly #states: Lane;
  #next_sequence = 1;
  /** Appending and taking change the same files: one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(readonly options: SpoolOptions, readonly lock: Deno.FsFile) {
    const { folder, max_bytes } = options;
    const segment_bytes = Math.min(Math.max(max_bytes / SEGMENTS, MIN_SEGMENT_BYTES), MAX_SEGMENT_BYTES);
    this.#facts = new Lane(folder, "fact", segment_bytes);
    this.#states = new Lane(folder, "state", segment_bytes);
  }

  /** Rejects with a UserError when the folder can't be used. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { folder } = options;
    const spool = new Spool(options, await openFolder(folder));
    try {
      await spool.#recover();
      return spool;
    } catch (error) {
      spool.#letGo();
      throw error instanceof UserError ? error : folderFailure(folder, error);
    }
  }
  get bytes(): number {
    return this.#facts.bytes + this.#states.bytes;
  }
  /** Rows that wait, those being loaded among them. */
  get count(): number {
    let count = 0;
    for (const segment of this.#segments()) for (const rows of segment.rows.values()) count += rows;
    return count;
  }
  get is_empty(): boolean {
    return this.#segments().every((segment) => segment.is_loaded);
  }

  /** All or nothing, on the disk when it resolves. Rejects with a UserError when the disk says no. */
  append(groups: readonly RowGroup[]): Promise<void> {
    return this.#exclusive(async () => {
      const records = groups.map((group): SpoolRecord => ({ ...group, sequence: this.#next_sequence++ }));
      // A little more than the records will take: UTF-8 may be longer than the text.
      const bytes = records.reduce((sum, { rows, table }) => sum + rows.length + table.length + 64, 0);
      await this.#makeRoom(bytes);
      const undo: (() => Promise<void>)[] = [];
      try {
        for (const lane of [this.#facts, this.#states]) {
          const own = records.filter(({ table }) => tableOf(table).priority === lane.priority);
          if (own.length > 0) undo.push(await lane.append(own));
        }
      } catch (error) {
        for (const step of undo) await step();
        throw appendFailure(this.options.folder, error);
      }
    });
  }
  /** The oldest rows, at least one record and about `max_rows`; undefined when all are loaded. One `Taken` at a time. */
  take(max_rows: number): Promise<Taken | undefined> {
    return this.#exclusive(async () => {
      const groups: RowGroup[] = [];
      const segments = new Set<Segment>();
      for (let count = 0; count < max_rows;) {
        const head = await this.#head();
        if (head === undefined) break;
        const { record, segment } = head;
        segment.take();
        segments.add(segment);
        groups.push({ table: record.table as TableName, rows: record.rows, count: record.count });
        count += record.count;
      }
      if (groups.length === 0) {
        await this.#removeLoaded();
        return undefined;
      }
      return {
        groups: joined(groups),
        loaded: () =>
          this.#exclusive(async () => {
            for (const segment of segments) segment.loaded();
            await this.#removeLoaded();
          }),
        again: () =>
          this.#exclusive(() => {
            for (const segment of segments) segment.rewind();
            return Promise.resolve();
          }),
      };
    });
  }
  /** Lets go of the folder; what is in it stays for the next start. */
  async close(): Promise<void> {
    await this.#exclusive(async () => {
      await this.#removeLoaded();
      this.#letGo();
    });
  }

  #letGo(): void {
    this.#facts.close();
    this.#states.close();
    this.lock.close();
  }
  #segments(): Segment[] {
    return [...this.#facts.segments, ...this.#states.segments];
  }
  async #head(): Promise<{ record: SpoolRecord; segment: Segment } | undefined> {
    const fact = await this.#facts.head();
    const state = await this.#states.head();
    if (!fact || !state) return fact ?? state;
    return fact.record.sequence < state.record.sequence ? fact : state;
  }
  async #makeRoom(bytes: number): Promise<void> {
    const { max_bytes, folder, log, onDropped } = this.options;
    while (this.bytes + bytes > max_bytes) {
      const dropped = await this.#states.dropOldest() ?? await this.#facts.dropOldest();
      if (dropped === undefined) {
        throw new UserError(
          `append to spool ${
            quoted(folder, 200)
          }: ${bytes} bytes do not fit into spool.max_bytes, want more room`,
        );
      }
      const rows = Object.fromEntries(dropped.rows);
      for (const [table, count] of dropped.rows) onDropped(table, count);
      log.warn("spool is full: its oldest rows were dropped", { rows, bytes: dropped.bytes, max_bytes });
    }
  }
  async #recover(): Promise<void> {
    const { folder, log, address } = this.options;
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
    const note = ({ sequence }: SpoolRecord) =>
      this.#next_sequence = Math.max(this.#next_sequence, sequence + 1);
    await this.#facts.recover(names, note);
    await this.#states.recover(names, note);
    for (const { damage } of this.#segments()) {
      if (damage?.is_torn_tail) log.warn("spool: cut off what a crash left unfinished", { ...damage });
    }
    await this.#removeLoaded();
    await this.#claim(join(folder, "target"));
    if (!this.is_empty) log.info("spool holds rows of an earlier run", { rows: this.count, address });
  }
  /** Rows wait for the database they were meant for. */
  async #claim(path: string): Promise<void> {
    const { address, folder } = this.options;
    const known = await Deno.readTextFile(path).catch(() => "");
    if (known === address) return;
    if (known !== "" && !this.is_empty) {
      throw new UserError(
        `open spool ${quoted(folder, 200)}: holds ${this.count} rows for ${quoted(known)}, want it for ${
          quoted(address)
        }`,
        {
          hint: "run with the former url until they are loaded, or give this one another spool.folder",
        },
      );
    }
    await Deno.writeTextFile(path, address, { mode: 0o600 });
  }
  async #removeLoaded(): Promise<void> {
    for (const lane of [this.#facts, this.#states]) {
      for (const segment of await lane.removeLoaded()) this.#tellDamage(segment);
    }
  }
  #tellDamage({ path, rows, damage }: Segment): void {
    // Rows counted at the start and unreadable since; those that never could be read nobody can count.
    for (const [table, count] of rows) if (count > 0) this.options.onDropped(table, count);
    this.options.log.error("spool file is damaged: its rest could not be loaded and was set aside", {
      path: `${path}.damaged`,
      unreadable_bytes: damage?.bytes,
    });
  }
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** Groups of one table as one, in the order of their first. */
function joined(groups: readonly RowGroup[]): RowGroup[] {
  const tables = new Map<TableName, RowGroup[]>();
  for (const group of groups) tables.set(group.table, [...(tables.get(group.table) ?? []), group]);
  return [...tables].map(([table, of]) => ({
    table,
    rows: of.map(({ rows }) => rows).join(""),
    count: of.reduce((sum, { count }) => sum + count, 0),
  }));
}

/** Makes the folder and takes its lock, which the host gives back when the process ends in whatever way. */
async function openFolder(folder: string): Promise<Deno.FsFile> {
  let lock: Deno.FsFile | undefined;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    lock = await Deno.open(join(folder, "lock"), { create: true, write: true, mode: 0o600 });
    if (await lock.tryLock(true)) return lock;
  } catch (error) {
    lock?.close();
    throw folderFailure(folder, error);
  }
  lock.close();
  throw new UserError(
    `open spool ${quoted(folder, 200)}: another process uses it, want a folder of its own`,
    {
      hint: "set spool.folder",
    },
  );
}

function folderFailure(folder: string, error: unknown): UserError {
  return new UserError(
    `open spool ${quoted(folder, 200)}: ${reasonOf(error)}, want a folder that can be written`,
    {
      cause: error,
    },
  );
}

function appendFailure(folder: string, error: unknown): Error {
  if (error instanceof UserError) return error;
  return new UserError(`append to spool ${quoted(folder, 200)}: ${reasonOf(error)}, want free space`, {
    cause: error,
  });
}
