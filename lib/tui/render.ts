/**
 * Blocks as lines of a given size. Facts, trends and lines take what they need; tables share the height that is left, each
 * at least a few rows, and what does not fit is left out from the end. Pure but for the offsets in the tables' state.
 */
import { oneLine, widthOf } from "./fit_text.ts";
import { type Line, lineOf, spansWidth } from "./line.ts";
import {
  type Block,
  type FactsBlock,
  type Span,
  spansOf,
  type TableBlock,
  type TrendsBlock,
} from "./screen.ts";
import { sparkline } from "./sparkline.ts";
import { TABLE_HEAD_ROWS, tableLines, type TableState } from "./table.ts";

const GAP = 2;
/** Widths of facts are rounded up to this, or they would jump about with every digit. */
const FACT_STEP = 4;
const FACT_TREND_WIDTH = 12;
const MIN_TABLE_ROWS = TABLE_HEAD_ROWS + 1;

export interface RenderLook {
  readonly columns: number;
  /** Infinity: everything. */
  readonly rows: number;
  readonly unicode: boolean;
  /** The state of a table, by its title; made when missing. */
  readonly tables: Map<string, TableState>;
  /** The title of the table that keys mean. */
  readonly focused?: string;
}

export function renderBlocks(blocks: readonly Block[], look: RenderLook): Line[] {
  const fixed = new Map<Block, Line[]>();
  for (const block of blocks) if (block.kind !== "table") fixed.set(block, fixedLines(block, look));
  const tables = blocks.filter((block) => block.kind === "table");
  const taken = [...fixed.values()].reduce((sum, lines) => sum + lines.length, 0);
  const heights = shareRows(tables.map(naturalRows), look.rows - taken);
  const parts = blocks.map((block) => {
    if (block.kind !== "table") return fixed.get(block)!;
    const rows = heights[tables.indexOf(block)];
    if (rows <= 0) return [];
    let state = look.tables.get(block.title);
    if (state === undefined) look.tables.set(block.title, state = { offset: 0 });
    return tableLines(block, { ...look, rows, state, is_focused: block.title === look.focused });
  }).filter((lines) => lines.length > 0);
  const length = parts.reduce((sum, lines) => sum + lines.length, 0);
  // Air between the blocks where there is room for all of it.
  const blank: Line[] = look.rows !== Infinity && length + parts.length - 1 <= look.rows
    ? [{ spans: [] }]
    : [];
  const lines = parts.flatMap((part, i) => i === 0 ? part : [...blank, ...part]);
  return look.rows === Infinity ? lines : lines.slice(0, look.rows);
}

function naturalRows({ rows }: TableBlock): number {
  return rows.length === 0 ? 2 : TABLE_HEAD_ROWS + rows.length;
}

/** Rows for each of the tables: what they need, or their share of what there is; the first ones are served first. */
export function shareRows(needed: readonly number[], room: number): number[] {
  const given = needed.map(() => 0);
  let left = room;
  for (let i = 0; i < needed.length; i++) {
    given[i] = Math.max(0, Math.min(needed[i], MIN_TABLE_ROWS, left));
    left -= given[i];
  }
  for (let waiting = needed.length; left > 0 && waiting > 0;) {
    const open = needed.map((_, i) => i).filter((i) => given[i] < needed[i]);
    waiting = open.length;
    for (const i of open) {
      const more = Math.min(needed[i] - given[i], Math.max(1, Math.floor(left / waiting)), left);
      given[i] += more;
      left -= more;
      waiting--;
    }
    waiting = open.length;
  }
  return given;
}

function fixedLines(block: Exclude<Block, TableBlock>, look: RenderLook): Line[] {
  const lines = block.kind === "facts"
    ? factLines(block, look)
    : block.kind === "trends"
    ? trendLines(block, look)
    : block.lines.map((words) => lineOf(words));
  return block.title === undefined ? lines : [lineOf({ text: block.title, tone: "strong" }), ...lines];
}

function factLines({ facts }: FactsBlock, { columns, unicode }: RenderLook): Line[] {
  const items = facts.map(({ name, value, trend }) => {
    const spans: Span[] = [{ text: name === "" ? "" : `${name} `, tone: "dim" }, ...spansOf(value)];
    if (trend) spans.push({ text: ` ${sparkline(trend, FACT_TREND_WIDTH, unicode)}`, tone: "good" });
    const width = Math.ceil(spansWidth(spans) / FACT_STEP) * FACT_STEP;
    return { spans, width };
  });
  let per_line = Math.max(1, items.length);
  const widthsFor = (count: number) =>
    Array.from(
      { length: count },
      (_, column) => Math.max(0, ...items.filter((_, i) => i % count === column).map(({ width }) => width)),
    );
  const total = (widths: readonly number[]) => widths.reduce((sum, width) => sum + width + GAP, 1 - GAP);
  while (per_line > 1 && total(widthsFor(per_line)) > columns) per_line--;
  const widths = widthsFor(per_line);
  const lines: Line[] = [];
  for (let first = 0; first < items.length; first += per_line) {
    const spans: Span[] = [{ text: " ", tone: "plain" }];
    items.slice(first, first + per_line).forEach((item, column) => {
      spans.push(...item.spans);
      const blank = widths[column] - spansWidth(item.spans) + GAP;
      if (column < per_line - 1) spans.push({ text: " ".repeat(Math.max(0, blank)), tone: "plain" });
    });
    lines.push({ spans });
  }
  return lines;
}

function trendLines({ trends }: TrendsBlock, { columns, unicode }: RenderLook): Line[] {
  const name_width = Math.max(0, ...trends.map(({ name }) => widthOf(oneLine(name))));
  const value_width = Math.max(0, ...trends.map(({ value }) => spansWidth(spansOf(value))));
  const value_room = Math.ceil(value_width / FACT_STEP) * FACT_STEP;
  return trends.map(({ name, value, series }) => {
    const spans = spansOf(value);
    const blank = " ".repeat(Math.max(0, value_room - spansWidth(spans)));
    return {
      spans: [
        { text: ` ${oneLine(name).padEnd(name_width)} `, tone: "dim" },
        ...spans,
        { text: `${blank} `, tone: "plain" },
        {
          text: sparkline(series, Math.max(0, columns - name_width - value_room - 4), unicode),
          tone: "good",
        },
      ],
    };
  });
}
