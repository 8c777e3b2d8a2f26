/**
 * Rows of COPY text into one table, 20 to a statement: a call of SQLite costs as much as several rows, and from 20 on
 * nothing more is gained. When one row of such a statement is refused SQLite takes back the whole statement (not the
 * transaction), and its rows are inserted again one by one, so that only the one at fault is left out.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { readDecimal } from "../../../base/decimal.ts";
import { NULL, unescapeText } from "../copy_text.ts";
import { type ColumnType, type Table, type TableName, tableOf } from "../tables.ts";
import type { Refusal } from "./messages.ts";

const ROWS_PER_STATEMENT = 20;

/** The prepared statements of one table. */
export class RowInserter {
  readonly #types: readonly ColumnType[];
  readonly #one: StatementSync;
  readonly #many: StatementSync;
  /** Used again for every statement: what is bound is copied by SQLite. */
  readonly #values: SQLInputValue[];

  constructor(database: DatabaseSync, readonly table: TableName) {
    const of = tableOf(table);
    this.#types = of.columns.map(({ type }) => type);
    this.#one = database.prepare(insertText(of, 1));
    this.#many = database.prepare(insertText(of, ROWS_PER_STATEMENT));
    this.#values = new Array(this.#types.length * ROWS_PER_STATEMENT).fill(null);
  }
  /** Within the caller's transaction. Returns what the table's own rules refuse; throws when the file is at fault. */
  insert(rows: string): Refusal | undefined {
    let refusal: Refusal | undefined;
    const width = this.#types.length;
    for (let at = 0; at < rows.length;) {
      const from = at;
      let count = 0;
      for (; count < ROWS_PER_STATEMENT && at < rows.length; count++) {
        at = this.#read(rows, at, count * width);
      }
      if (count === ROWS_PER_STATEMENT && isTaken(this.#many, this.#values)) continue;
      refusal = this.#insertEach(rows, from, at, refusal);
    }
    return refusal;
  }

  #insertEach(rows: string, from: number, to: number, refusal: Refusal | undefined): Refusal | undefined {
    const width = this.#types.length;
    for (let at = from, row = 0; at < to; row++) {
      const end = endOfRow(rows, at);
      const reason = constraint(this.#one, this.#values.slice(row * width, (row + 1) * width));
      if (reason !== undefined) {
        refusal ??= { table: this.table, count: 0, reason, row: rows.slice(at, end) };
        refusal.count++;
      }
      at = end + 1;
    }
    return refusal;
  }
  /** The row that begins at `at` into the values from `first` on; returns where the next row begins. */
  #read(rows: string, at: number, first: number): number {
    const types = this.#types;
    const end = endOfRow(rows, at);
    for (let i = 0; i < types.length; i++) {
      let to = i === types.length - 1 ? end : rows.indexOf("\t", at);
      if (to < 0 || to > end) to = end;
      this.#values[first + i] = valueOf(types[i], rows.slice(at, to));
      at = to + 1;
    }
    return end + 1;
  }
}

function insertText({ name, columns }: Table, count: number): string {
  const names = columns.map(({ name }) => `"${name}"`).join(", ");
  const row = `(${columns.map(() => "?").join(", ")})`;
  return `INSERT INTO "${name}" (${names}) VALUES ${
    new Array(count).fill(row).join(", ")
  } ON CONFLICT DO NOTHING`;
}

function endOfRow(rows: string, at: number): number {
  const end = rows.indexOf("\n", at);
  return end < 0 ? rows.length : end;
}

const isTaken = (statement: StatementSync, values: SQLInputValue[]) =>
  constraint(statement, values) === undefined;

/**
 * Runs a statement. Returns the words of a rule of the table (19) or of a value of the wrong type (20), after which the
 * transaction lives on without the statement; undefined when it was done.
 */
function constraint(statement: StatementSync, values: SQLInputValue[]): string | undefined {
  try {
    statement.run(...values);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || !("errcode" in error)) throw error;
    const primary_code = Number(error.errcode) & 0xff;
    if (primary_code !== 19 && primary_code !== 20) throw error;
    return error.message;
  }
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
