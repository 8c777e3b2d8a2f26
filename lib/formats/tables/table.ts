/**
 * Tables of rows as files that other programs read: the columns are said once, cells are given in their order, an absent
 * cell is empty. Rows are written in pieces, so a table of any length takes bounded memory.
 */

export type ColumnType = "text" | "number" | "integer" | "boolean";
/** An integer may be wider than a double: then it is a bigint. */
export type Cell = string | number | bigint | boolean | undefined;

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}
export interface TableShape {
  readonly name: string;
  readonly columns: readonly Column[];
}

export interface TableFile {
  /** Rows that are not on their way to the disk yet. */
  readonly waiting: number;
  add(cells: readonly Cell[]): void;
  /** Writes what waits. */
  flush(): Promise<void>;
  /** Writes all and closes. */
  close(): Promise<void>;
}

export interface TableFormat {
  /** Of its files, with the dot. */
  readonly suffix: string;
  /** Makes the file; one that is there is replaced. */
  open(path: string, shape: TableShape): Promise<TableFile>;
}
