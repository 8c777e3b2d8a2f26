/**
 * What stands between the sink and a database: rows of several tables written as one transaction, idempotent by natural
 * key. Two implementations look alike: PostgreSQL over the network, SQLite in a Worker.
 */
import type { TableName } from "./tables.ts";

/** Rows of one table, as COPY text. */
export interface RowGroup {
  readonly table: TableName;
  /** Lines in order, each ended by a newline. */
  readonly rows: string;
  readonly count: number;
}

export interface Database extends AsyncDisposable {
  /** For people and for the spool: where the rows go, without credentials. */
  readonly address: string;
  /**
   * All or nothing, durable when it resolves. Rows whose key is there already are left as they are. Rows that the
   * database refuses for what they hold are counted, told and left out. Rejects when none is known to be written.
   */
  write(groups: readonly RowGroup[]): Promise<void>;
  /** Undefined when connected and the tables are right, else why not. */
  notReady(): string | undefined;
  /** Whether `write` takes rows now, where that is another matter: there is a spool. */
  accepts?(): boolean;
}

/** Messages of one batch, gathered by table, in order within each. */
export function groupRows(rows: readonly { table: TableName; line: string }[]): RowGroup[] {
  const lines = new Map<TableName, string[]>();
  for (const { table, line } of rows) {
    const found = lines.get(table);
    if (found) found.push(line);
    else lines.set(table, [line]);
  }
  return [...lines].map(([table, of]) => ({ table, rows: of.join(""), count: of.length }));
}
