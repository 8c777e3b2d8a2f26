/** A monitor that stays and prints JSON lines; a test waits for the line that it is about. */
import { DaemonProcess } from "../end_to_end/daemon_process.ts";
import { until } from "../end_to_end/until.ts";
import { runMdg } from "../mdg_process.ts";

// deno-lint-ignore no-explicit-any -- another program's view of the JSON, whatever the monitor
export type MonitorLine = Record<string, any>;

export class MonitorStream implements AsyncDisposable {
  readonly process: DaemonProcess;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = new DaemonProcess(["monitor", ...args, "--json"], { env });
  }
  get lines(): MonitorLine[] {
    return this.process.stdout.map((line) => JSON.parse(line));
  }
  /** Resolves with the first line, from the `skip`-th on, for which this holds. */
  async line(what: string, holds: (line: MonitorLine) => boolean, skip = 0): Promise<MonitorLine> {
    return await until(what, () => this.lines.slice(skip).find(holds), 40_000, () => {
      return `${this.process.stdout.at(-1)?.slice(0, 2_000)} ${this.process.tail()}`;
    });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}

/** One check: its code and its line. */
export async function checkBy(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; line: string; stderr: string }> {
  const { code, stdout, stderr } = await runMdg({ args: ["monitor", ...args, "--check"], env });
  return { code, line: stdout, stderr };
}
