/** Replayed updates into tables of a folder: trades, quotes and books, each a file, as CSV, NDJSON or Parquet. */
import { quoted, reasonOf, UserError } from "../../lib/base/errors.ts";
import { TABLES, updateRows } from "../../lib/flow/update_tables.ts";
import type { TableFile, TableFormat } from "../../lib/formats/tables/table.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";

/** Rows of a table that wait at most for the disk. */
const MAX_WAITING_ROWS = 20_000;
export const EXPORT_FORMATS = ["csv", "ndjson", "parquet"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

export class ExportTables {
  readonly rows: Record<string, number> = {};
  readonly #files = new Map<string, TableFile>();

  private constructor() {}

  /** @throws UserError when the files can't be made */
  static async open(directory: string, format: ExportFormat): Promise<ExportTables> {
    const kind = await formatOf(format);
    const made = new ExportTables();
    try {
      await Deno.mkdir(directory, { recursive: true });
      for (const shape of TABLES) {
        made.#files.set(shape.name, await kind.open(`${directory}/${shape.name}${kind.suffix}`, shape));
        made.rows[shape.name] = 0;
      }
    } catch (error) {
      throw new UserError(`export to ${quoted(directory, 200)}: ${reasonOf(error)}`);
    }
    return made;
  }
  publish(update: MarketUpdate): void {
    updateRows(update, (table, cells) => {
      this.#files.get(table.name)!.add(cells);
      this.rows[table.name]++;
    });
  }
  throttle(): Promise<void> | undefined {
    for (const file of this.#files.values()) if (file.waiting >= MAX_WAITING_ROWS) return this.#flush();
    return undefined;
  }
  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }
  async #flush(): Promise<void> {
    for (const file of this.#files.values()) await file.flush();
  }
}

async function formatOf(format: ExportFormat): Promise<TableFormat> {
  if (format === "parquet") return (await import("../../lib/formats/tables/parquet_table.ts")).parquet;
  const { csv, ndjson } = await import("../../lib/formats/tables/text_table.ts");
  return format === "csv" ? csv : ndjson;
}
