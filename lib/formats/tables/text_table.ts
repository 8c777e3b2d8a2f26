/**
 * Tables as text: CSV after RFC 4180 with a header row, or NDJSON with absent cells left out. Numbers are plain decimals,
 * without exponents; integers beyond 2^53 keep every digit (in NDJSON as bare digits).
 */
import { formatDecimal } from "../../base/decimal.ts";
import type { Cell, TableFile, TableFormat, TableShape } from "./table.ts";

const encoder = new TextEncoder();

export const csv: TableFormat = {
  suffix: ".csv",
  open: (path, shape) =>
    TextTable.open(path, shape, shape.columns.map((one) => one.name).join(",") + "\n", (cells) => {
      return cells.map(csvCell).join(",") + "\n";
    }),
};
export const ndjson: TableFormat = {
  suffix: ".ndjson",
  open: (path, shape) => {
    const names = shape.columns.map((one) => JSON.stringify(one.name));
    return TextTable.open(path, shape, "", (cells) => {
      const fields = cells.map((cell, i) => cell === undefined ? "" : `${names[i]}:${jsonCell(cell)}`);
      return `{${fields.filter((field) => field !== "").join(",")}}\n`;
    });
  },
};

class TextTable implements TableFile {
  waiting = 0;
  #text: string;

  private constructor(
    readonly file: Deno.FsFile,
    head: string,
    readonly lineOf: (cells: readonly Cell[]) => string,
  ) {
    this.#text = head;
  }
  static async open(
    path: string,
    _shape: TableShape,
    head: string,
    lineOf: (cells: readonly Cell[]) => string,
  ): Promise<TextTable> {
    return new TextTable(await Deno.open(path, { write: true, create: true, truncate: true }), head, lineOf);
  }
  add(cells: readonly Cell[]): void {
    this.waiting++;
    this.#text += this.lineOf(cells);
  }
  async flush(): Promise<void> {
    const bytes = encoder.encode(this.#text);
    this.#text = "";
    this.waiting = 0;
    for (let written = 0; written < bytes.length;) written += await this.file.write(bytes.subarray(written));
  }
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      this.file.close();
    }
  }
}

function csvCell(cell: Cell): string {
  if (cell === undefined) return "";
  const text = typeof cell === "number" ? formatDecimal(cell) : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
function jsonCell(cell: string | number | bigint | boolean): string {
  if (typeof cell === "number") return formatDecimal(cell);
  return typeof cell === "string" ? JSON.stringify(cell) : String(cell);
}
