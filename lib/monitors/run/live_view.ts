/**
 * A monitor on a terminal: polls, keys, resizes and the passing of time, each leads to a frame. A target that is lost is
 * shown with the reason and for how long, above what was last known of it, and asked again at every interval.
 */
import { type Clock, sleep } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { TypedInterrupt } from "../../cli/lifecycle.ts";
import { secondsText } from "../../tui/quantity.ts";
import { type Span, toned, type Words } from "../../tui/screen.ts";
import { keysOf } from "../../tui/keys.ts";
import { FullScreen, type Terminal } from "../../tui/terminal.ts";
import { View } from "../../tui/view.ts";
import type { RowAction, Sampler } from "../monitor.ts";
import { noticesOf } from "./notices.ts";
import type { Observation, Observer } from "./observer.ts";

const INTERVALS_MS = [500, 1_000, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000];
const TICK_MS = 1_000;
/** A look that takes longer is told of. */
const SLOW_MS = 1_500;

const HELP = [
  ["q Ctrl-C", "quit"],
  ["h ?", "this page"],
  ["Space", "pause and go on"],
  ["+ -", "longer or shorter interval"],
  ["Ctrl-L", "draw anew"],
] as const;

export interface LiveOptions {
  readonly word: string;
  readonly sampler: Sampler;
  readonly observer: Observer;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly interval_ms: number;
  /** Absent: until a person ends it. */
  readonly count?: number;
  readonly color: boolean;
  readonly unicode: boolean;
  /** Holds talk back; returns how to let it out (World). */
  takeScreen(): () => void;
}

export class LiveView {
  readonly #view: View;
  #screen!: FullScreen;
  #interval_ms: number;
  #is_paused = false;
  #view_name: string;
  #observation: Observation | undefined;
  #last_good: Observation | undefined;
  #lost_since_ms: number | undefined;
  #asked_at_ms: number | undefined;
  #count = 0;
  readonly #end = Promise.withResolvers<void>();
  readonly #stop = new AbortController();
  #wake = new AbortController();

  constructor(readonly options: LiveOptions) {
    const { sampler, color, unicode, interval_ms } = options;
    this.#interval_ms = interval_ms;
    this.#view_name = sampler.views?.[0].name ?? "";
    const own = [...sampler.views ?? [], ...sampler.actions ?? []].map(({ key, doc }) => [key, doc] as const);
    this.#view = new View({ color, unicode, help: [...HELP, ...own] });
  }

  /** Until a person or `signal` ends it. Rejects with a TypedInterrupt on Ctrl-C. */
  async run(): Promise<void> {
    const { terminal, clock, signal } = this.options;
    this.#screen = new FullScreen(terminal);
    const giveBack = this.options.takeScreen();
    const finish = () => this.#end.resolve();
    signal.addEventListener("abort", finish, { once: true });
    const ticks = clock.every(TICK_MS, () => this.#paint());
    const stopResizing = terminal.onResize(() => {
      this.#screen.forget();
      this.#paint();
    });
    try {
      if (signal.aborted) return;
      this.#paint();
      this.#poll().catch((error) => this.#end.reject(error));
      this.#readKeys().catch((error) => this.#end.reject(error));
      await this.#end.promise;
    } finally {
      this.#stop.abort();
      this.#wake.abort();
      stopResizing();
      ticks.cancel();
      signal.removeEventListener("abort", finish);
      this.#screen.close();
      giveBack();
    }
  }

  async #poll(): Promise<void> {
    const { clock, observer, count = Infinity } = this.options;
    while (!this.#stop.signal.aborted) {
      const started_ms = clock.monotonic_ms();
      if (!this.#is_paused) {
        this.#asked_at_ms = started_ms;
        this.#take(await observer.observe());
        this.#asked_at_ms = undefined;
        if (this.#stop.signal.aborted) return;
        this.#paint();
        if (++this.#count >= count) return this.#end.resolve();
      }
      const passed_ms = clock.monotonic_ms() - started_ms;
      this.#wake = new AbortController();
      await sleep(clock, Math.max(0, this.#interval_ms - passed_ms), this.#wake.signal);
    }
  }
  #take(observation: Observation): void {
    this.#observation = observation;
    if (observation.found) {
      this.#last_good = observation;
      this.#lost_since_ms = undefined;
    } else this.#lost_since_ms ??= observation.at_ms;
  }

  async #readKeys(): Promise<void> {
    const buffer = new Uint8Array(256);
    const decoder = new TextDecoder();
    while (!this.#stop.signal.aborted) {
      const count = await this.options.terminal.read(buffer);
      // The terminal is gone: a view without eyes need not go on.
      if (count === null || this.#stop.signal.aborted) return this.#end.resolve();
      for (const key of keysOf(decoder.decode(buffer.subarray(0, count), { stream: true }))) this.#onKey(key);
      this.#paint();
    }
  }
  #onKey(key: string): void {
    if (key === "Ctrl-C") return this.#end.reject(new TypedInterrupt());
    if (this.#view.onKey(key)) return;
    const { sampler } = this.options;
    const view = sampler.views?.find((one) => one.key === key);
    const action = sampler.actions?.find((one) => one.key === key);
    if (view) this.#view_name = view.name;
    else if (action) void this.#act(action);
    else if (key === "q") this.#end.resolve();
    else if (key === "Space") this.#pause();
    else if (key === "+" || key === "=") this.#changeInterval(1);
    else if (key === "-") this.#changeInterval(-1);
    else if (key === "Ctrl-L") this.#screen.forget();
  }
  #pause(): void {
    this.#is_paused = !this.#is_paused;
    if (!this.#is_paused) this.#wake.abort();
  }
  #changeInterval(step: number): void {
    const now_ms = this.#interval_ms;
    const next = step > 0
      ? INTERVALS_MS.find((one) => one > now_ms)
      : INTERVALS_MS.findLast((one) => one < now_ms);
    if (next === undefined) return;
    this.#interval_ms = next;
    this.#wake.abort();
  }
  async #act(action: RowAction): Promise<void> {
    this.#view.say(await this.#askAndAct(action));
    this.#paint();
  }
  /** The row is the one that was selected when the key was pressed, however rows move while a person reads. */
  async #askAndAct({ table, question, name, act }: RowAction): Promise<string> {
    const row = this.#view.selectedRow(table);
    const text = row === undefined ? undefined : question(row);
    if (row === undefined || text === undefined) return `${name}: no row to do it to`;
    this.#view.focus(table);
    if (!await this.#view.ask(text)) return `${name}: not done`;
    try {
      return await act(row);
    } catch (error) {
      return `${name}: ${reasonOf(error)}`;
    }
  }

  #paint(): void {
    if (this.#stop.signal.aborted) return;
    if (this.#screen.failure !== undefined) return this.#end.resolve();
    try {
      const { sampler, observer } = this.options;
      const sample = this.#last_good?.found?.sample;
      const blocks = sample
        ? sampler.draw(sample, { view: this.#view_name, history: (name) => observer.history(name) })
        : [];
      this.#view.show({
        head: this.#head(),
        corner: this.#corner(),
        notices: this.#notices(),
        blocks,
        foot: this.#foot(),
      });
      this.#screen.paint(this.#view.render(this.options.terminal.size()));
    } catch (error) {
      this.#end.reject(error);
    }
  }
  #head(): Words {
    const { word, sampler } = this.options;
    const state = this.#observation === undefined
      ? "connecting"
      : this.#observation.found
      ? this.#observation.level.toUpperCase()
      : "LOST";
    return `mdg monitor ${word}  ${sampler.target}  ${state}`;
  }
  #corner(): string {
    const time = new Date(this.options.clock.now_ms()).toTimeString().slice(0, 8);
    return `${this.#is_paused ? "PAUSED  " : ""}every ${this.#interval_ms / 1_000}s  ${time}`;
  }
  #notices(): Span[] {
    const { clock } = this.options;
    const notices: Span[] = [];
    const waited_ms = this.#asked_at_ms === undefined ? 0 : clock.monotonic_ms() - this.#asked_at_ms;
    if (this.#lost_since_ms !== undefined) {
      const since = secondsText((clock.now_ms() - this.#lost_since_ms) / 1_000);
      notices.push(toned("bad", ` LOST ${since} ago, trying again: ${this.#observation?.reason}`));
      if (this.#last_good) {
        const then = new Date(this.#last_good.at_ms).toTimeString().slice(0, 8);
        notices.push(toned("dim", ` what stands below is from ${then}`));
      }
    } else {
      if (this.#observation) notices.push(...noticesOf(this.#observation));
      if (waited_ms > SLOW_MS) {
        notices.unshift(toned("warning", ` no answer for ${secondsText(waited_ms / 1_000)}`));
      }
    }
    return notices;
  }
  /** What comes first stays on a narrow terminal; all of it is in the help. */
  #foot(): string {
    const { views = [], actions = [] } = this.options.sampler;
    const choices = views.map(({ key, name }) =>
      name === this.#view_name ? `[${key} ${name}]` : `${key} ${name}`
    );
    const own = [...choices, ...actions.map(({ key, name }) => `${key} ${name}`)];
    return ["q quit  h help ", ...own, " Space pause  +- interval"].join(" ");
  }
}
