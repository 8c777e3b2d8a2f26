/**
 * What a screen says, as data: facts, tables, trends, lines. Whoever draws one knows no terminal; width, height, colour
 * and scrolling are decided in render.ts, so the same screen becomes a live view, a plain text or a test's expectation.
 */

/** Meaning, not colour: without colours nothing may be lost but emphasis. */
export type Tone = "plain" | "good" | "warning" | "bad" | "dim" | "strong";

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}
export type Words = string | Span | readonly (string | Span)[];

/** Oldest first; undefined where there was no value. */
export type Series = readonly (number | undefined)[];

/** A name with its value; `trend` is drawn small behind it. */
export interface Fact {
  readonly name: string;
  readonly value: Words;
  readonly trend?: Series;
}
export interface FactsBlock {
  readonly kind: "facts";
  readonly title?: string;
  readonly facts: readonly Fact[];
}

export interface Column {
  readonly name: string;
  /** Numbers stand right. */
  readonly align?: "left" | "right";
  /** The key that sorts by it; again: the other way round. */
  readonly key?: string;
  /** Takes the room that is left, and gives way first when there is too little. */
  readonly grows?: boolean;
  /** Left out on a narrow terminal; those further right go first. */
  readonly optional?: boolean;
}
export interface Cell {
  readonly text: string;
  /** What it is sorted by, where that is not the text; undefined comes last. */
  readonly order?: number | string;
  readonly tone?: Tone;
  /** Drawn small instead of the text. */
  readonly trend?: Series;
}
export interface Row {
  /** Keeps the selection on its row when rows move; what actions are told. */
  readonly id: string;
  readonly tone?: Tone;
  /** One a column. */
  readonly cells: readonly (Cell | string)[];
}
export interface TableBlock {
  readonly kind: "table";
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** A handful of rows with fixed places: nothing is selected in it. */
  readonly is_fixed?: boolean;
  /** Said where there is no row. */
  readonly empty?: string;
  /** Until a key says otherwise; absent: in the order given. */
  readonly sort?: TableSort;
}
export interface TableSort {
  /** A column's name. */
  readonly column: string;
  readonly descending: boolean;
}

/** Each a line over the whole width. */
export interface TrendsBlock {
  readonly kind: "trends";
  readonly title?: string;
  readonly trends: readonly { readonly name: string; readonly value: Words; readonly series: Series }[];
}
export interface LinesBlock {
  readonly kind: "lines";
  readonly title?: string;
  readonly lines: readonly Words[];
}
export type Block = FactsBlock | TableBlock | TrendsBlock | LinesBlock;

export function toned(tone: Tone, text: string): Span {
  return { tone, text };
}

export function spansOf(words: Words): readonly Span[] {
  if (typeof words === "string") return [{ text: words, tone: "plain" }];
  if ("text" in words) return [words];
  return words.map((one) => typeof one === "string" ? { text: one, tone: "plain" } : one);
}

export function cellOf(cell: Cell | string): Cell {
  return typeof cell === "string" ? { text: cell } : cell;
}
