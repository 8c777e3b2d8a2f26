/**
 * One SQLite file, written. Synchronous, so it lives in a Worker. A batch is one transaction in WAL mode with a sync at
 * its end: what was answered is on the disk, and readers are never stopped. Rows that are there already stay as they are.
 */
import { DatabaseSync } from "node:sqlite";
import type { RowGroup } from "../database.ts";
import { type TableName, TABLES } from "../tables.ts";
import { RowInserter } from "./row_inserter.ts";
import type { Refusal } from "./messages.ts";
import { migrate } from "./schema.ts";

/** Another process may be writing: wait so long for it. */
const BUSY_TIMEOUT_MS = 5_000;
/** Rows removed in one transaction, so that a batch never waits long. */
const EXPIRE_ROWS = 20_000;

export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #inserters = new Map<TableName, RowInserter>();

  /** Throws when the file can't be opened or is none of ours. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      migrate(this.#database);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }
  /** Returns what was left out: rows that the table's own rules refuse, today and for ever. */
  write(groups: readonly RowGroup[]): Refusal[] {
    const refusals: Refusal[] = [];
    this.#transaction(() => {
      for (const { table, rows } of groups) {
        const refusal = this.#inserter(table).insert(rows);
        if (refusal) refusals.push(refusal);
      }
    });
    return refusals;
  }
  /** Removes what is older than the day `before`; returns how many rows. Call it again until it is 0. */
  expire(before: string): number {
    let removed = 0;
    this.#transaction(() => {
      for (const { name, key } of TABLES) {
        const columns = key.map((column) => `"${column}"`).join(", ");
        const { changes } = this.#database.prepare(
          `DELETE FROM "${name}" WHERE (${columns}) IN (SELECT ${columns} FROM "${name}" WHERE time < ? LIMIT ?)`,
        ).run(before, EXPIRE_ROWS);
        removed += Number(changes);
      }
    });
    return removed;
  }
  close(): void {
    this.#database.close();
  }

  #inserter(table: TableName): RowInserter {
    let inserter = this.#inserters.get(table);
    if (!inserter) this.#inserters.set(table, inserter = new RowInserter(this.#database, table));
    return inserter;
  }
  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      // A full disk may have rolled it back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
