/**
 * A child process that serves: started, waited for until it answers, stopped by its own id, its folder removed.
 */
import { type Clock, sleep } from "../../lib/base/clock.ts";

export interface DaemonOptions {
  program: string;
  args: readonly string[];
  /** Belongs to the daemon and is removed with it. */
  folder: string;
  clock: Clock;
  isReady(): Promise<boolean>;
  env?: Record<string, string>;
}

const READY_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;
const POLL_MS = 50;

/** Resolves with how to stop it, once it answers. */
export async function startDaemon(options: DaemonOptions): Promise<() => Promise<void>> {
  const { clock } = options;
  const child = new Deno.Command(options.program, {
    args: [...options.args],
    env: options.env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  const status = child.status.then((status) => {
    ended = true;
    return status;
  });
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    const timer = clock.after(STOP_LIMIT_MS, () => child.kill("SIGKILL"));
    await status;
    timer.cancel();
    await Deno.remove(options.folder, { recursive: true });
  };
  const give_up_ms = clock.monotonic_ms() + READY_LIMIT_MS;
  while (!await options.isReady()) {
    if (ended || clock.monotonic_ms() > give_up_ms) {
      await stop();
      throw new Error(
        `start ${options.program}: ${ended ? "it ended at once" : `no answer in ${READY_LIMIT_MS} ms`}`,
      );
    }
    await sleep(clock, POLL_MS);
  }
  return stop;
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
