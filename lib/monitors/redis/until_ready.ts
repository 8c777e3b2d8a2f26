/** Waits for a connection, but no longer than its next failure: a server that refuses is told of at once. */
import { type Clock, sleep } from "../../base/clock.ts";
import type { RedisConnection } from "../../wire/redis/redis_connection.ts";

const LOOK_MS = 20;

/** @throws Error with the reason when an attempt fails meanwhile, or when `signal` aborts */
export async function untilReady(
  connection: RedisConnection,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let has_failed = false;
  const onError = () => has_failed = true;
  connection.client.on("error", onError);
  try {
    while (!connection.ready) {
      if (has_failed || signal.aborted) throw new Error(connection.notReady());
      await sleep(clock, LOOK_MS, signal);
    }
  } finally {
    connection.client.off("error", onError);
  }
}
