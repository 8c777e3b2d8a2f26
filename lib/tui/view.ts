/**
 * What a person sees and does on a screen of blocks: one bar above, one below, tables that are sorted, scrolled and
 * selected in, a page of help, a question that only `y` answers with yes. Knows neither terminal nor time: keys and frames
 * in, lines out.
 */
import { fit, wrap } from "./fit_text.ts";
import { type Line, lineOf, paintLine, spansWidth } from "./line.ts";
import { renderBlocks } from "./render.ts";
import { type Block, type Span, spansOf, type TableBlock, toned, type Words } from "./screen.ts";
import { sortedRows, type TableState } from "./table.ts";

export interface Frame {
  /** The bar above, left and right. */
  readonly head: Words;
  readonly corner: string;
  /** Under the bar: what is wrong; wrapped, not cut. */
  readonly notices: readonly Span[];
  readonly blocks: readonly Block[];
  /** The bar below, when nothing else is to be said there. */
  readonly foot: string;
}

export interface ViewOptions {
  readonly color: boolean;
  readonly unicode: boolean;
  /** Key and what it does, besides those of tables. */
  readonly help: readonly (readonly [key: string, doc: string])[];
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const TABLE_HELP = [
  ["Up Down PgUp PgDn Home End", "select a row"],
  ["Tab", "next table"],
  ["< >", "sort by the next column to the left or right"],
  ["/", "sort the other way round"],
] as const;
const PAGE_ROWS = 10;

export class View {
  #frame: Frame = { head: "", corner: "", notices: [], blocks: [], foot: "" };
  readonly #tables = new Map<string, TableState>();
  #focused: string | undefined;
  #helps = false;
  #question: { text: string; answer(yes: boolean): void } | undefined;
  #message = "";

  constructor(readonly options: ViewOptions) {}

  show(frame: Frame): void {
    this.#frame = frame;
  }
  /** In the bar below until the next key. */
  say(message: string): void {
    this.#message = message;
  }
  /** Resolves with whether a person typed `y`. One question at a time: a new one answers the old one with no. */
  ask(text: string): Promise<boolean> {
    this.#question?.answer(false);
    return new Promise((resolve) => this.#question = { text, answer: resolve });
  }
  /** The id of the selected row of this table; undefined when it has none. */
  selectedRow(title: string): string | undefined {
    const table = this.#shownTables().find((one) => one.title === title);
    if (!table) return undefined;
    const { sort, selected } = this.#stateOf(table);
    const rows = sortedRows(table, sort ?? table.sort);
    return (rows.find(({ id }) => id === selected) ?? rows[0])?.id;
  }
  /** Puts the keys of tables on this one. */
  focus(title: string): void {
    this.#focused = title;
  }

  /** True when the key meant something here. */
  onKey(key: string): boolean {
    this.#message = "";
    if (this.#question) {
      const { answer } = this.#question;
      this.#question = undefined;
      answer(key === "y" || key === "Y");
      return true;
    }
    if (this.#helps) {
      this.#helps = false;
      // Ctrl-C and q mean the program, whatever is shown.
      return key !== "Ctrl-C" && key !== "q";
    }
    if (key === "h" || key === "?") {
      this.#helps = true;
      return true;
    }
    return this.#onTableKey(key);
  }

  render({ columns, rows }: Size): string[] {
    const { color } = this.options;
    const body = Math.max(0, rows - 2);
    const lines = [this.#headLine(columns), ...this.#bodyLines(columns, body)].slice(
      0,
      Math.max(0, rows - 1),
    );
    while (lines.length < rows - 1) lines.push({ spans: [] });
    lines.push(this.#footLine());
    return lines.map((line) => paintLine(line, columns, color));
  }

  #headLine(columns: number): Line {
    const { head, corner } = this.#frame;
    const left = spansOf(head);
    const room = Math.max(1, columns - spansWidth(left) - 2);
    return {
      spans: [{ text: " ", tone: "plain" }, ...left, {
        text: fit(` ${corner}`, room, "right"),
        tone: "plain",
      }],
      is_inverse: true,
    };
  }
  #footLine(): Line {
    if (this.#question) return lineOf(toned("bad", ` ${this.#question.text} y/N `));
    if (this.#message !== "") return lineOf(toned("warning", ` ${this.#message}`));
    return lineOf(` ${this.#helps ? "any key goes back" : this.#frame.foot}`, true);
  }
  #bodyLines(columns: number, rows: number): Line[] {
    if (this.#helps) return this.#helpLines();
    const wrapped = this.#frame.notices.flatMap(({ text, tone }) =>
      wrap(text, columns, "   ").map((line) => lineOf({ text: line, tone }))
    );
    const notices = wrapped.slice(0, Math.max(1, Math.floor(rows / 3)));
    const focused = this.#focusedTable()?.title;
    const look = {
      columns,
      rows: rows - notices.length,
      unicode: this.options.unicode,
      tables: this.#tables,
      focused,
    };
    return [...notices, ...renderBlocks(this.#frame.blocks, look)];
  }
  #helpLines(): Line[] {
    const sort_keys = this.#shownTables().flatMap(({ title, columns }) =>
      columns.filter(({ key }) => key !== undefined).map(({ key, name }) =>
        [key!, `sort ${title} by ${name}`] as const
      )
    );
    const tables = this.#shownTables().length > 0 ? [...TABLE_HELP, ...sort_keys] : [];
    const entries = [...this.options.help, ...tables];
    const width = Math.max(...entries.map(([key]) => key.length));
    return entries.map(([key, doc]) => ({
      spans: [{ text: ` ${key.padEnd(width)}  `, tone: "strong" }, { text: doc, tone: "plain" }],
    }));
  }

  #shownTables(): TableBlock[] {
    return this.#frame.blocks.filter((block) =>
      block.kind === "table" && block.rows.length > 0 && !block.is_fixed
    ) as TableBlock[];
  }
  #focusedTable(): TableBlock | undefined {
    const tables = this.#shownTables();
    return tables.find(({ title }) => title === this.#focused) ?? tables[0];
  }
  #stateOf({ title }: TableBlock): TableState {
    let state = this.#tables.get(title);
    if (!state) this.#tables.set(title, state = { offset: 0 });
    return state;
  }

  #onTableKey(key: string): boolean {
    const table = this.#focusedTable();
    if (!table) return false;
    switch (key) {
      case "Tab":
      case "Shift-Tab":
        return this.#focusNext(table, key === "Tab" ? 1 : -1);
      case "Up":
      case "Down":
        return this.#select(table, key === "Up" ? -1 : 1);
      case "PageUp":
      case "PageDown":
        return this.#select(table, key === "PageUp" ? -PAGE_ROWS : PAGE_ROWS);
      case "Home":
      case "End":
        return this.#select(table, key === "Home" ? -Infinity : Infinity);
      case "<":
      case ">":
        return this.#sortNext(table, key === "<" ? -1 : 1);
      case "/": {
        const sort = this.#stateOf(table).sort ?? table.sort;
        if (sort) this.#stateOf(table).sort = { ...sort, descending: !sort.descending };
        return true;
      }
      default:
        return this.#sortByKey(table, key);
    }
  }
  #focusNext(table: TableBlock, step: number): boolean {
    const tables = this.#shownTables();
    this.#focused = tables[(tables.indexOf(table) + step + tables.length) % tables.length].title;
    return true;
  }
  #select(table: TableBlock, step: number): boolean {
    const state = this.#stateOf(table);
    const rows = sortedRows(table, state.sort ?? table.sort);
    const at = Math.max(0, rows.findIndex(({ id }) => id === state.selected));
    state.selected = rows[Math.max(0, Math.min(rows.length - 1, at + step))].id;
    return true;
  }
  #sortNext(table: TableBlock, step: number): boolean {
    const state = this.#stateOf(table);
    const sort = state.sort ?? table.sort;
    const at = table.columns.findIndex(({ name }) => name === sort?.column);
    const next = table.columns[(Math.max(0, at) + step + table.columns.length) % table.columns.length];
    state.sort = { column: next.name, descending: next.align === "right" };
    return true;
  }
  /** The focused table's key, else that of the first table which has it. */
  #sortByKey(focused: TableBlock, key: string): boolean {
    const has = (table: TableBlock) => table.columns.find((column) => column.key === key);
    const table = has(focused) ? focused : this.#shownTables().find(has);
    const column = table && has(table);
    if (!table || !column) return false;
    const state = this.#stateOf(table);
    const sort = state.sort ?? table.sort;
    const again = sort?.column === column.name;
    state.sort = { column: column.name, descending: again ? !sort!.descending : column.align === "right" };
    return true;
  }
}
