/** What the sink and its SQLite Worker say to each other. One request at a time; each has one answer. */
import type { RowGroup } from "../database.ts";

export type Request =
  | { kind: "open"; path: string }
  | { kind: "write"; groups: readonly RowGroup[] }
  | { kind: "expire"; before: string }
  | { kind: "close" };

export type Answer = { ok: true; removed?: number } | { ok: false; reason: string };
