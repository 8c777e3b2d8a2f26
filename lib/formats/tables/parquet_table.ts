/** Tables as Parquet, in row groups of `GROUP_ROWS`; absent cells are null, integers 64 bits wide, snappy throughout. */
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import type { Cell, Column, TableFile, TableFormat, TableShape } from "./table.ts";

const GROUP_ROWS = 50_000;

const SCHEMA_OF = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  number: { type: "DOUBLE" },
  integer: { type: "INT64" },
  boolean: { type: "BOOLEAN" },
} as const;

export const parquet: TableFormat = {
  suffix: ".parquet",
  // deno-lint-ignore require-await -- a path that can't be had is a rejection, as for every format
  async open(path, shape) {
    return new ParquetTable(path, shape);
  },
};

class ParquetTable implements TableFile {
  readonly #writer: ParquetWriter;
  readonly #columns: Cell[][];
  #rows = 0;

  constructor(path: string, readonly shape: TableShape) {
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [
        { name: shape.name, num_children: shape.columns.length },
        ...shape.columns.map(({ name, type }) => ({
          name,
          repetition_type: "OPTIONAL" as const,
          ...SCHEMA_OF[type],
        })),
      ],
      createdBy: "mdg",
    });
    this.#columns = shape.columns.map(() => []);
  }
  /** Rows short of a group wait for more: a small group costs readers time. */
  get waiting(): number {
    return this.#rows >= GROUP_ROWS ? this.#rows : 0;
  }
  add(cells: readonly Cell[]): void {
    for (let i = 0; i < this.#columns.length; i++) {
      this.#columns[i].push(cellOf(this.shape.columns[i], cells[i]));
    }
    this.#rows++;
  }
  async flush(): Promise<void> {
    if (this.#rows >= GROUP_ROWS) await this.#writeGroup();
  }
  async close(): Promise<void> {
    if (this.#rows > 0) await this.#writeGroup();
    await this.#writer.finish();
  }
  async #writeGroup(): Promise<void> {
    const columnData = this.shape.columns.map(({ name }, i) => ({ name, data: this.#columns[i].splice(0) }));
    this.#rows = 0;
    await this.#writer.write({ columnData, rowGroupSize: GROUP_ROWS * 2 });
  }
}

function cellOf({ type }: Column, cell: Cell): Cell {
  return type === "integer" && typeof cell === "number" ? BigInt(cell) : cell;
}
