/**
 * The process that writes all logs: `mdg supervise keep-logs DIRECTORY`, started by the supervisor and outliving it. It
 * ends when its plan says so, on SIGTERM after writing what is there, and by itself when there is neither a supervisor nor
 * a program left. Programs never notice that it is replaced: their pipes are held open by themselves and the supervisor.
 */
import { type Clock, nextTurn } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import { isRunning } from "../../os/process_table.ts";
import { HeldPipe, makePipe, PipePeek, waitForInput, Waker } from "../../os/pipe_to_file.ts";
import { readState } from "../state_file.ts";
import { type KeeperPlan, readKeeperPlan, WAKE_PIPE } from "./keeper_plan.ts";
import { type DrainWorld, LogDrain } from "./log_drain.ts";

export interface KeeperWorld {
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

const IDLE_MS = 2_000;
/** While a file refuses what a pipe holds. */
const HELD_MS = 200;
const COMPLAINT_INTERVAL_MS = 60_000;
/** A supervisor is replaced within this time, or there will be none. */
const ALONE_LIMIT_MS = 60_000;

/** Runs until told to end, or until nobody needs it any more. */
export async function keepLogs(directory: string, world: KeeperWorld): Promise<void> {
  using keeper = new Keeper(directory, world);
  await keeper.run();
}

class Keeper implements Disposable {
  readonly #stop = new Waker();
  readonly #wake: HeldPipe;
  readonly #peek = new PipePeek();
  readonly #drains = new Map<string, LogDrain>();
  readonly #drain_world: DrainWorld;
  #plan: KeeperPlan | undefined;
  #alone_since_ms: number | undefined;

  constructor(readonly directory: string, readonly world: KeeperWorld) {
    const { clock, log } = world;
    const complaints = new RateLimitedLog(log, clock, COMPLAINT_INTERVAL_MS);
    this.#drain_world = { clock, log, complaints, peek: this.#peek };
    const path = `${directory}/${WAKE_PIPE}`;
    makePipe(path, 0o600);
    this.#wake = new HeldPipe(path);
  }
  async run(): Promise<void> {
    const { signal } = this.world;
    const stop = () => this.#stop.wake();
    signal.addEventListener("abort", stop);
    this.#readPlan();
    while (!signal.aborted && !this.#plan?.must_end) {
      const drains = [...this.#drains.values()];
      const fds = [this.#stop.fd, this.#wake.fd, ...drains.map(({ pipe }) => pipe.fd)];
      const [, is_woken, ...ready] = await waitForInput(fds, IDLE_MS);
      if (is_woken) {
        this.#wake.clear();
        this.#readPlan();
      }
      await this.#turns(drains.filter((drain, i) => ready[i] && !drain.is_closed));
      if (!ready.includes(true) && this.#isUseless()) return;
    }
    signal.removeEventListener("abort", stop);
    await this.#turns([...this.#drains.values()]);
  }
  [Symbol.dispose](): void {
    for (const drain of this.#drains.values()) drain[Symbol.dispose]();
    this.#peek[Symbol.dispose]();
    this.#wake[Symbol.dispose]();
    this.#stop[Symbol.dispose]();
  }

  /** Round and round until all are empty; signals are served in between. */
  async #turns(drains: readonly LogDrain[]): Promise<void> {
    for (let left = drains; left.length > 0;) {
      left = left.filter((drain) => drain.turn());
      await nextTurn();
    }
    if (drains.some(({ is_held }) => is_held)) await waitForInput([this.#stop.fd], HELD_MS);
  }
  #readPlan(): void {
    try {
      this.#plan = readKeeperPlan(this.directory);
    } catch (error) {
      this.world.log.error("read what to keep", { why: reasonOf(error) });
      return;
    }
    const wanted = new Map(this.#plan.drains.map((plan) => [plan.pipe, plan]));
    for (const [pipe, drain] of this.#drains) {
      const plan = wanted.get(pipe);
      if (plan?.file === drain.plan.file) {
        drain.plan = plan;
        continue;
      }
      while (drain.turn());
      drain[Symbol.dispose]();
      this.#drains.delete(pipe);
    }
    for (const [pipe, plan] of wanted) {
      if (this.#drains.has(pipe)) continue;
      this.#drains.set(pipe, new LogDrain(plan, this.#drain_world));
    }
  }
  /** The supervisor is gone, nobody took its place, and none of its programs runs. */
  #isUseless(): boolean {
    if (this.#plan && isRunning(this.#plan.supervisor)) {
      this.#alone_since_ms = undefined;
      return false;
    }
    const now_ms = this.world.clock.monotonic_ms();
    this.#alone_since_ms ??= now_ms;
    if (now_ms - this.#alone_since_ms < ALONE_LIMIT_MS) return false;
    const apps = Object.values(readState(this.directory)?.apps ?? {});
    return !apps.some(({ process }) => process !== undefined && isRunning(process));
  }
}
