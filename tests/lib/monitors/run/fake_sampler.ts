/** A sampler whose answers a test decides: each poll waits for one, or for `answers` laid out before. */
import type { Block } from "../../../../lib/tui/screen.ts";
import type { Finding, Look, Readings, RowAction, Sampler } from "../../../../lib/monitors/monitor.ts";

export interface FakeSample {
  value: number | undefined;
  rows?: string[];
}

export const FAKE_MEASURES = {
  value: { unit: "", doc: "the value", warning: "10", critical: "20" },
} as const;

export class FakeSampler implements Sampler<FakeSample> {
  readonly target = "fake:1";
  polls = 0;
  running = 0;
  disposed = false;
  readonly acted: string[] = [];
  readonly views = [{ key: "F1", name: "first", doc: "the first" }, {
    key: "F2",
    name: "second",
    doc: "the second",
  }];
  readonly actions: RowAction[] = [{
    key: "K",
    name: "kill",
    doc: "kill the row",
    table: "Rows",
    question: (id) => id === "immortal" ? undefined : `kill ${id}?`,
    act: (id) => {
      this.acted.push(id);
      return Promise.resolve(`killed ${id}`);
    },
  }];

  constructor(readonly answer: (poll: number) => FakeSample | Promise<FakeSample>) {}

  async poll(): Promise<FakeSample> {
    this.running++;
    try {
      return await this.answer(this.polls++);
    } finally {
      this.running--;
    }
  }
  readings({ value }: FakeSample): Readings {
    return { value };
  }
  findings({ value }: FakeSample): Finding[] {
    return value === 13 ? [{ level: "critical", text: "thirteen" }] : [];
  }
  headline({ value }: FakeSample): string {
    return `value ${value}`;
  }
  draw({ value, rows = [] }: FakeSample, { view, history }: Look): Block[] {
    return [
      { kind: "facts", facts: [{ name: "value", value: String(value) }, { name: "view", value: view }] },
      { kind: "trends", trends: [{ name: "value", value: "", series: history("value") }] },
      {
        kind: "table",
        title: "Rows",
        columns: [{ name: "id", grows: true }],
        rows: rows.map((id) => ({ id, cells: [id] })),
      },
    ];
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
    return Promise.resolve();
  }
}
