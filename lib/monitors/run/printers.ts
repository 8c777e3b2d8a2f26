/** Observations for programs and pipes: JSON lines, CSV, and the screen as plain text. */
import { lineOf, paintLine } from "../../tui/line.ts";
import { renderBlocks } from "../../tui/render.ts";
import type { Measures, Sampler } from "../monitor.ts";
import type { Observation } from "./observer.ts";
import { noticesOf } from "./notices.ts";

export interface Printer {
  head(): string;
  line(observation: Observation): string;
}

export interface PrinterOptions {
  readonly word: string;
  readonly sampler: Sampler;
  readonly measures: Measures;
}

export function jsonPrinter({ word, sampler }: PrinterOptions): Printer {
  return {
    head: () => "",
    line({ at_ms, level, problems, found }) {
      const line = {
        time: isoTime(at_ms),
        monitor: word,
        target: sampler.target,
        state: level,
        problems,
        ...found,
      };
      return JSON.stringify(line) + "\n";
    },
  };
}

/** Without rows of its own a monitor's CSV is its readings; what can't be asked leaves fields empty. */
export function csvPrinter({ sampler, measures }: PrinterOptions): Printer {
  const names = Object.keys(measures);
  const { csv } = sampler;
  return {
    head: () => csvLine(csv ? ["time", ...csv.columns] : ["time", "state", ...names]),
    line({ at_ms, level, found }) {
      const time = isoTime(at_ms);
      if (csv) return found ? csv.rows(found.sample).map((row) => csvLine([time, ...row])).join("") : "";
      return csvLine([time, level, ...names.map((name) => found?.readings[name])]);
    },
  };
}

const isoTime = (ms: number) => new Date(ms).toISOString();

function csvLine(fields: readonly unknown[]): string {
  return fields.map((field) => {
    const text = field === undefined ? "" : String(field);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",") + "\n";
}

export interface TextLook {
  readonly columns: number;
  readonly color: boolean;
  readonly unicode: boolean;
  history(name: string): readonly (number | undefined)[];
}

export function textPrinter({ word, sampler }: PrinterOptions, look: TextLook): Printer {
  const { columns, color, unicode, history } = look;
  return {
    head: () => "",
    line(observation) {
      const { at_ms, level, found } = observation;
      const head = `${word} ${sampler.target}  ${found ? level.toUpperCase() : "LOST"}  ${isoTime(at_ms)}`;
      const view = sampler.views?.[0].name ?? "";
      const blocks = found ? sampler.draw(found.sample, { view, history }) : [];
      const lines = [
        lineOf(head),
        ...noticesOf(observation).map((words) => lineOf(words)),
        ...renderBlocks(blocks, { columns, rows: Infinity, unicode, tables: new Map() }),
      ];
      return lines.map((line) => `${paintLine(line, columns, color).trimEnd()}\n`).join("") + "\n";
    },
  };
}
