/**
 * A list that a gateway's page gives (sessions, upstreams) as a table with the page's own names: whatever a release adds
 * to it is shown, nothing is presumed. Columns are the plain values of the first entries, in their order.
 */
import { countText } from "../../tui/quantity.ts";
import type { TableBlock } from "../../tui/screen.ts";

const MAX_COLUMNS = 8;
const MAX_ROWS = 500;
const LOOKED_AT = 20;

type Entry = Readonly<Record<string, unknown>>;

/** Undefined where the page is no list of objects, and holds none. */
export function listTable(title: string, page: unknown): TableBlock | undefined {
  const entries = entriesOf(page);
  if (!entries) return undefined;
  const names: string[] = [];
  for (const entry of entries.slice(0, LOOKED_AT)) {
    for (const [name, value] of Object.entries(entry)) {
      if (isPlain(value) && !names.includes(name) && names.length < MAX_COLUMNS) names.push(name);
    }
  }
  const shown = entries.slice(0, MAX_ROWS);
  return {
    kind: "table",
    title: entries.length > shown.length ? `${title} (${shown.length} of ${entries.length})` : title,
    columns: names.map((name, i) => ({ name, grows: i === 0, optional: i > 2 })),
    rows: shown.map((entry, i) => ({
      id: String(entry.id ?? i),
      cells: names.map((name) => {
        const value = entry[name];
        return typeof value === "number"
          ? { text: countText(value), order: value }
          : isPlain(value)
          ? String(value)
          : "-";
      }),
    })),
  };
}

/** The list itself, or the first one inside an object. */
function entriesOf(page: unknown): Entry[] | undefined {
  const isEntry = (value: unknown): value is Entry =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (Array.isArray(page)) return page.filter(isEntry);
  const inner = isEntry(page) ? Object.values(page).find(Array.isArray) : undefined;
  return inner?.filter(isEntry);
}

function isPlain(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}
