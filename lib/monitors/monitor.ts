/**
 * The contract of a monitor: what is watched is polled into a sample, a plain object. From one sampler come the terminal
 * view, `--json`, `--csv`, `--once` and `--check`; a monitor says what its numbers are and which blocks show them, never
 * how. Plugin files are read before a command is chosen, so `open` loads what is heavy by a literal `import()`.
 */
import type { Argument, Example, Flags, FlagValues, RevocablePermission, World } from "../cli/command.ts";
import type { Block, Series } from "../tui/screen.ts";
import type { Unit } from "./check/plugin_output.ts";

/** A number that a check may judge: a label of the perfdata, a column of the CSV, a key under `readings` in the JSON. */
export interface Measure {
  readonly unit: Unit;
  /** One line, no full stop; shown in the help. */
  readonly doc: string;
  /** Ranges (`check/range.ts`) that alert unless the command line says otherwise; absent: never. */
  readonly warning?: string;
  readonly critical?: string;
  readonly min?: number;
  readonly max?: number;
}
export type Measures = Readonly<Record<string, Measure>>;
/** By the measure's name; undefined where this target has no such number now. */
export type Readings = Readonly<Record<string, number | undefined>>;

/** What is wrong and no number says: a replica without its master. */
export interface Finding {
  readonly level: "warning" | "critical";
  readonly text: string;
}

/** One way to look at the sample, chosen by a key: F1 … */
export interface ViewChoice {
  readonly key: string;
  readonly name: string;
  readonly doc: string;
}

/** Something done to the selected row of the table `table`, only after a person said yes. */
export interface RowAction {
  readonly key: string;
  readonly name: string;
  readonly doc: string;
  /** The title of the table whose row it is. */
  readonly table: string;
  /** "terminate backend 4711 (alice)?" from the row's id; undefined: not to be done to this row. */
  question(row_id: string): string | undefined;
  /** Resolves with what to say about it. */
  act(row_id: string): Promise<string>;
}

/** What drawing may depend on besides the sample. */
export interface Look {
  /** The name of the view that is chosen; the first one unless a key said otherwise; "" where there is one only. */
  readonly view: string;
  /** The readings of this name, oldest first, one a poll. */
  history(name: string): Series;
}

/** Rows of a CSV where one row of all readings a poll is not enough; `time` is put before them. */
export interface CsvTable<Sample> {
  readonly columns: readonly string[];
  rows(sample: Sample): readonly (readonly (string | number | boolean | undefined)[])[];
}

/** Disposing lets go of connections within a second, whatever the other side does. */
export interface Sampler<Sample extends object = object> extends AsyncDisposable {
  /** For people: "127.0.0.1:6379", without credentials. */
  readonly target: string;
  /** One look; settles within `timeout_ms` by itself. Rejects when the target can't be asked: the reason is shown, and asked again. */
  poll(): Promise<Sample>;
  readings(sample: Sample): Readings;
  findings?(sample: Sample): readonly Finding[];
  /** The state in a few words, the first line of a check: "master, 3 replicas, 1.2k ops/s". */
  headline(sample: Sample): string;
  draw(sample: Sample, look: Look): readonly Block[];
  readonly csv?: CsvTable<Sample>;
  readonly views?: readonly ViewChoice[];
  readonly actions?: readonly RowAction[];
}

export interface MonitorOptions {
  /** Deadline of one poll. */
  readonly timeout_ms: number;
  /** Between two polls; the first measures rates against nothing, so a single look takes two of them. */
  readonly interval_ms: number;
}

export interface MonitorSpec<F extends Flags> {
  /** One line, no full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly arguments?: readonly Argument[];
  /** Besides the common ones (`run/monitor_flags.ts`). */
  readonly flags: F;
  readonly examples: readonly Example[];
  readonly permissions?: readonly RevocablePermission[];
  readonly measures: Measures;
  /**
   * Resolves at once, also when the target is away: that is what `poll` tells. Its log is not the screen's.
   * @throws UserError (exit 2) for what was asked wrongly
   */
  open(
    world: World,
    flags: FlagValues<F>,
    args: readonly string[],
    options: MonitorOptions,
  ): Promise<Sampler>;
}

/** A monitor as its registry holds it; flag types are erased at this border only. */
export interface MonitorKind extends Omit<MonitorSpec<Flags>, "open"> {
  open(
    world: World,
    flags: Record<string, unknown>,
    args: readonly string[],
    options: MonitorOptions,
  ): Promise<Sampler>;
}

export function defineMonitor<const F extends Flags>(spec: MonitorSpec<F>): MonitorKind {
  return {
    ...spec,
    open: (world, flags, args, options) => spec.open(world, flags as FlagValues<F>, args, options),
  };
}
