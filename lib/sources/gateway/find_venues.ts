/**
 * Which venues another gateway has: asked once, where nobody said. Waits for it as long as it takes, since who starts
 * first must not matter.
 */
import { type Clock, sleep } from "../../base/clock.ts";
import { Random } from "../../base/random.ts";
import { type ClientOptions, RestreamClient } from "../../client/client.ts";
import { ANY_SYMBOL } from "../../client/wish.ts";

/** Between two questions to a gateway that has no instruments yet. */
const ASK_AGAIN_MS = 2_000;
const WISH = { symbol: ANY_SYMBOL, channel: "status" } as const;

export interface FindContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each attempt in vain. */
  onFailure(reason: string): void;
}

/** The names, sorted; empty only when `signal` aborted or the other side wants nobody like us. */
export async function findVenues(
  server: Pick<ClientOptions, "urls" | "token" | "ca">,
  context: FindContext,
): Promise<string[]> {
  const { clock, signal, onFailure } = context;
  const found = Promise.withResolvers<string[]>();
  const client = new RestreamClient(server, { clock, random: new Random(server.urls.join()) }, {
    down(reason, retry_ms) {
      if (!signal.aborted) onFailure(reason);
      if (retry_ms === undefined) found.resolve([]);
    },
    control({ type, instruments, message }) {
      if (type === "error") onFailure(String(message));
      if (type !== "subscribed" || !Array.isArray(instruments)) return;
      const venues = new Set(instruments.map(({ venue }) => String(venue)));
      if (venues.size > 0) return found.resolve([...venues].sort());
      onFailure("it has no instruments yet");
      void sleep(clock, ASK_AGAIN_MS, signal).then(() => client.refresh(WISH));
    },
  });
  client.subscribe(WISH);
  const stop = () => found.resolve([]);
  signal.addEventListener("abort", stop);
  try {
    return signal.aborted ? [] : await found.promise;
  } finally {
    signal.removeEventListener("abort", stop);
    client.close();
  }
}
