/**
 * One SQLite file, written. Synchronous, so it lives in a Worker. A batch is one transaction in WAL mode with a sync at
 * its end: what was answered is on the disk, and readers are never stopped. Rows that are there already stay as they are.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { readDecimal } from "../../../base/decimal.ts";
import { NULL, unescapeText } from "../copy_text.ts";
import type { RowGroup } from "../database.ts";
import type { Refusal } from "./messages.ts";
import { type ColumnType, type TableName, tableOf, TABLES } from "../tables.ts";
import { migrate } from "./schema.ts";

/** Another process may be writing: wait so long for it. */
const BUSY_TIMEOUT_MS = 5_000;
/** Rows removed in one transaction, so that a batch never waits long. */
const EXPIRE_ROWS = 20_000;

export class SqliteWriter {
  readonly #database: DatabaseSync;
  readonly #inserts = new Map<TableName, { statement: StatementSync; types: readonly ColumnType[] }>();

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
        const refusal = this.#insert(table, rows);
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

  #insert(table: TableName, rows: string): Refusal | undefined {
    const { statement, types } = this.#statement(table);
    let refusal: Refusal | undefined;
    const values: SQLInputValue[] = new Array(types.length);
    for (let at = 0; at < rows.length;) {
      let end = rows.indexOf("\n", at);
      if (end < 0) end = rows.length;
      const from = at;
      for (let i = 0; i < types.length; i++) {
        let to = rows.indexOf("\t", at);
        if (to < 0 || to > end) to = end;
        values[i] = valueOf(types[i], rows.slice(at, to));
        at = to + 1;
      }
      at = end + 1;
      try {
        statement.run(...values);
      } catch (error) {
        if (!isConstraint(error)) throw error;
        refusal ??= { table, count: 0, reason: error.message, row: rows.slice(from, end) };
        refusal.count++;
      }
    }
    return refusal;
  }
  #statement(table: TableName): { statement: StatementSync; types: readonly ColumnType[] } {
    const found = this.#inserts.get(table);
    if (found) return found;
    const { columns } = tableOf(table);
    const names = columns.map(({ name }) => `"${name}"`).join(", ");
    const marks = columns.map(() => "?").join(", ");
    const statement = this.#database.prepare(
      `INSERT INTO "${table}" (${names}) VALUES (${marks}) ON CONFLICT DO NOTHING`,
    );
    const made = { statement, types: columns.map(({ type }) => type) };
    this.#inserts.set(table, made);
    return made;
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

/** A rule of the table (19) or a value of the wrong type (20); the transaction lives on without the row. */
function isConstraint(error: unknown): error is Error {
  if (!(error instanceof Error) || !("errcode" in error)) return false;
  const primary_code = Number(error.errcode) & 0xff;
  return primary_code === 19 || primary_code === 20;
}

function valueOf(type: ColumnType, column: string): SQLInputValue {
  if (column === NULL) return null;
  switch (type) {
    case "integer":
      return Number(column);
    case "decimal":
      return column.length <= 15 ? Number(column) : exactDecimal(column);
    case "boolean":
      return column === "true" ? 1 : 0;
    case "levels":
      return column.replaceAll("{", "[").replaceAll("}", "]");
    default:
      return unescapeText(column);
  }
}

/** The text itself where a double would not give it back. */
function exactDecimal(column: string): SQLInputValue {
  const read = readDecimal(column);
  return read === undefined || read.text !== undefined ? column : read.value;
}
