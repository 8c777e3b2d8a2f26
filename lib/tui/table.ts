/**
 * A table as lines: sorted, columns as wide as what is shown, the growing column taking or giving what the width asks for,
 * optional ones left out where it is too narrow.
 */
import { fit, oneLine, widthOf } from "./fit_text.ts";
import type { Line } from "./line.ts";
import {
  type Cell,
  cellOf,
  type Column,
  type Row,
  type Span,
  type TableBlock,
  type TableSort,
} from "./screen.ts";
import { sparkline } from "./sparkline.ts";

const GAP = 2;
const MIN_GROWING = 8;
const TREND_WIDTH = 16;
/** Title and names of columns. */
export const TABLE_HEAD_ROWS = 2;

/** What a person did to a table. */
export interface TableState {
  sort?: TableSort;
  /** The row's id; the first one when it is gone. */
  selected?: string;
  /** Rows above the first one shown. */
  offset: number;
}

export interface TableLook {
  readonly columns: number;
  /** Of the table and its head. */
  readonly rows: number;
  readonly unicode: boolean;
  readonly state: TableState;
  /** Keys that move the selection mean this table. */
  readonly is_focused: boolean;
}

export function sortedRows(table: TableBlock, sort = table.sort): readonly Row[] {
  const at = table.columns.findIndex(({ name }) => name === sort?.column);
  if (sort === undefined || at < 0) return table.rows;
  const key = (row: Row) => {
    const { order, text } = cellOf(row.cells[at]);
    return order ?? (text === "" || text === "-" ? undefined : text);
  };
  const sign = sort.descending ? -1 : 1;
  // What has no value stands last, whichever way it is sorted.
  return table.rows.toSorted((one, other) => {
    const [left, right] = [key(one), key(other)];
    if (left === right) return 0;
    if (left === undefined) return 1;
    if (right === undefined) return -1;
    if (typeof left === "number" && typeof right === "number") return sign * (left - right);
    return sign * String(left).localeCompare(String(right), "en", { numeric: true });
  });
}

/** At most `look.rows` lines; moves `state.offset` so that the selected row is among them. */
export function tableLines(table: TableBlock, look: TableLook): Line[] {
  const { state, is_focused } = look;
  const sort = state.sort ?? table.sort;
  const rows = sortedRows(table, sort);
  const room = Math.max(0, look.rows - TABLE_HEAD_ROWS);
  const selected = is_focused ? Math.max(0, rows.findIndex(({ id }) => id === state.selected)) : -1;
  if (selected >= state.offset + room) state.offset = selected - room + 1;
  else if (selected >= 0 && selected < state.offset) state.offset = selected;
  state.offset = Math.max(0, Math.min(state.offset, rows.length - room));
  const shown = rows.slice(state.offset, state.offset + room);
  const title = titleLine(table, { first: state.offset, shown: shown.length, sort, is_focused });
  if (rows.length === 0) {
    return [title, { spans: [{ text: `  ${table.empty ?? "none"}`, tone: "dim" } as const] }].slice(
      0,
      look.rows,
    );
  }
  const columns = fitColumns(table, shown, look.columns - 1);
  const head = columns.map(({ column, width }) => fit(column.name, width, column.align)).join(
    " ".repeat(GAP),
  );
  return [
    title,
    { spans: [{ text: ` ${head}`, tone: "dim" } as const] },
    ...shown.map((row, i): Line => {
      const is_selected = state.offset + i === selected;
      const spans = columns.flatMap(({ at, column, width }, n): Span[] => {
        const cell = cellOf(row.cells[at]);
        const tone = cell.tone ?? row.tone ?? "plain";
        const text = fit(cellText(cell, look.unicode), width, column.align);
        return n === 0 ? [{ text, tone }] : [{ text: " ".repeat(GAP), tone: "plain" }, { text, tone }];
      });
      return { spans: [{ text: is_selected ? ">" : " ", tone: "plain" }, ...spans], is_inverse: is_selected };
    }),
  ].slice(0, look.rows);
}

function titleLine(
  { title, rows }: TableBlock,
  { first, shown, sort, is_focused }: { first: number; shown: number; sort?: TableSort; is_focused: boolean },
): Line {
  const range = shown < rows.length ? `  ${first + 1}-${first + shown} of ${rows.length}` : "";
  const by = sort && rows.length > 1
    ? `  by ${sort.column.trim()}${sort.descending ? ", most first" : ""}`
    : "";
  const mark = is_focused && rows.length > 0 ? "> " : "";
  return { spans: [{ text: `${mark}${title}`, tone: "strong" }, { text: `${range}${by}`, tone: "dim" }] };
}

function cellText(cell: Cell, unicode: boolean): string {
  return cell.trend ? sparkline(cell.trend, TREND_WIDTH, unicode) : oneLine(cell.text);
}

interface FittedColumn {
  at: number;
  column: Column;
  width: number;
}

function fitColumns(table: TableBlock, rows: readonly Row[], room: number): FittedColumn[] {
  let fitted = table.columns.map((column, at): FittedColumn => {
    const widths = rows.map((row) => {
      const cell = cellOf(row.cells[at]);
      return cell.trend ? TREND_WIDTH : widthOf(oneLine(cell.text));
    });
    return { at, column, width: Math.max(widthOf(column.name), ...widths) };
  });
  const needed = () =>
    fitted.reduce(
      (sum, { column, width }) => sum + GAP + (column.grows ? Math.min(width, MIN_GROWING) : width),
      -GAP,
    );
  while (needed() > room) {
    const last = fitted.findLastIndex(({ column }) => column.optional);
    if (last < 0) break;
    fitted = fitted.toSpliced(last, 1);
  }
  const growing = fitted.find(({ column }) => column.grows);
  if (growing) {
    const others = fitted.reduce((sum, one) => one === growing ? sum : sum + one.width + GAP, 0);
    growing.width = Math.max(Math.min(growing.width, MIN_GROWING), room - others);
  }
  return fitted;
}
