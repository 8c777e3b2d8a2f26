/** What the sink and its SQLite Worker say to each other. One request at a time; each has one answer. */
import type { RowGroup } from "../database.ts";
import type { TableName } from "../tables.ts";

export type Request =
  | { kind: "open"; path: string }
  | { kind: "write"; groups: readonly RowGroup[] }
  | { kind: "expire"; before: string }
  | { kind: "close" };

/** Rows that were left out because of what they hold; `reason` and `row` are of the first. */
export interface Refusal {
  readonly table: TableName;
  readonly reason: string;
  readonly row: string;
  count: number;
}

export type Answer =
  | { ok: true; removed?: number; refused?: readonly Refusal[] }
  | { ok: false; reason: string };
