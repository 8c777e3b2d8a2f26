/**
 * What `mdg monitor WORD` does once it is chosen: opens the sampler and shows it in the way that was asked for. Exit
 * codes: those of any command, but under `--check` those of monitoring plugins, whatever goes wrong.
 */
import { reasonOf, UserError } from "../../base/errors.ts";
import { redactText } from "../../base/redact.ts";
import type { ExitCode, FlagValues, World } from "../../cli/command.ts";
import { terminalInput } from "../../cli/read_input.ts";
import { LEVEL_CODES, pluginLine } from "../check/plugin_output.ts";
import { performanceData, readThresholds, type Thresholds } from "../check/thresholds.ts";
import type { MonitorKind, Sampler } from "../monitor.ts";
import type { MONITOR_FLAGS } from "./monitor_flags.ts";
import { type Observation, Observer } from "./observer.ts";
import { looks } from "./pace.ts";
import { csvPrinter, jsonPrinter, type Printer, textPrinter } from "./printers.ts";

export type MonitorFlagValues = FlagValues<typeof MONITOR_FLAGS>;

export interface MonitorRun {
  readonly word: string;
  readonly kind: MonitorKind;
  readonly world: World;
  readonly flags: MonitorFlagValues & Record<string, unknown>;
  readonly args: readonly string[];
}

interface Opened extends MonitorRun {
  readonly sampler: Sampler;
  readonly observer: Observer;
  readonly thresholds: Thresholds;
  readonly interval_ms: number;
}

export async function runMonitor(run: MonitorRun): Promise<ExitCode> {
  if (!run.flags.check) return await openAnd(run, show);
  try {
    return await openAnd(run, check);
  } catch (error) {
    if (run.world.signal.aborted) throw error;
    const text = redactText(reasonOf(error));
    await run.world.stdout(pluginLine(run.word, "unknown", text));
    return LEVEL_CODES.unknown;
  }
}

async function openAnd(run: MonitorRun, then: (opened: Opened) => Promise<ExitCode>): Promise<ExitCode> {
  const { kind, world, flags, args } = run;
  refuseMixtures(flags);
  const thresholds = readThresholds(kind.measures, flags);
  const interval_ms = 1_000 * (flags.interval ?? (flags.once || flags.check ? 1 : 2));
  const timeout_ms = 1_000 * flags.timeout;
  const sampler = await kind.open(world, flags, args, { timeout_ms, interval_ms });
  try {
    const observer = new Observer(sampler, {
      clock: world.clock,
      measures: kind.measures,
      thresholds,
      timeout_ms,
    });
    return await then({ ...run, sampler, observer, thresholds, interval_ms });
  } finally {
    await sampler[Symbol.asyncDispose]();
  }
}

function refuseMixtures(flags: MonitorFlagValues): void {
  const forms = (["json", "csv", "check"] as const).filter((name) => flags[name]);
  if (forms.length > 1) {
    throw new UserError(`read "--${forms[0]}": "--${forms[1]}" is set too, want one of them`, { code: 2 });
  }
  if (flags.count === undefined) return;
  for (const name of ["once", "check"] as const) {
    if (flags[name]) {
      throw new UserError(`read "--count": "--${name}" is set too, want one of them`, { code: 2 });
    }
  }
}

/** One look, one line, one code. */
async function check(opened: Opened): Promise<ExitCode> {
  const { observer, world: { clock, signal, stdout }, interval_ms } = opened;
  for await (const observation of looks(observer, { clock, signal, interval_ms, count: 1 })) {
    await stdout(checkLine(opened, observation));
    return LEVEL_CODES[observation.level];
  }
  return LEVEL_CODES.unknown;
}

function checkLine(
  { word, kind, sampler, thresholds }: Opened,
  { level, problems, found }: Observation,
): string {
  const wrong = problems.map(({ text }) => text).join(", ");
  if (!found) return pluginLine(word, level, `${sampler.target}: ${wrong}`);
  const said = [wrong, sampler.headline(found.sample)].filter((text) => text !== "").join("; ");
  const data = performanceData(kind.measures, thresholds, found.readings);
  return pluginLine(word, level, `${sampler.target}: ${said}`, data);
}

async function show(opened: Opened): Promise<ExitCode> {
  const { world, flags, observer, interval_ms } = opened;
  const { clock, signal } = world;
  const { json, csv, once } = flags;
  const is_terminal = world.stdout_is_terminal && terminalInput.is_terminal && world.env.TERM !== "dumb";
  const is_live = is_terminal && !json && !csv && !once;
  if (is_live) return await live(opened);
  const printer = printerOf(opened);
  await world.stdout(printer.head());
  const count = once ? 1 : flags.count;
  let failed = false;
  for await (const observation of looks(observer, { clock, signal, interval_ms, count })) {
    await world.stdout(printer.line(observation));
    failed = !observation.found;
  }
  // A single look that saw nothing did not do what was asked; a watch over time did.
  return once && failed ? 1 : 0;
}

function printerOf(opened: Opened): Printer {
  const { word, kind: { measures }, sampler, observer, flags, world } = opened;
  const options = { word, sampler, measures };
  if (flags.json) return jsonPrinter(options);
  if (flags.csv) return csvPrinter(options);
  const columns = world.stdout_is_terminal ? Deno.consoleSize().columns : TEXT_COLUMNS;
  return textPrinter(options, {
    columns,
    color: world.color,
    unicode: hasUtf8(world.env),
    history: (name) => observer.history(name),
  });
}

const TEXT_COLUMNS = 100;

async function live(opened: Opened): Promise<ExitCode> {
  const [{ LiveView }, { processTerminal }] = await Promise.all([
    import("./live_view.ts"),
    import("../../tui/terminal.ts"),
  ]);
  const { world, flags: { count } } = opened;
  const { clock, signal, color } = world;
  const view = new LiveView({
    ...opened,
    terminal: processTerminal,
    clock,
    signal,
    color,
    count,
    unicode: hasUtf8(world.env),
    takeScreen: () => world.takeScreen(),
  });
  await view.run();
  return 0;
}

/** The locale decides what characters a terminal shows; without one, as on Windows, today's terminals know UTF-8. */
function hasUtf8(env: World["env"]): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale === undefined || locale === "" || /utf-?8/i.test(locale);
}
