/**
 * Which venues another gateway has: asked once, where nobody said. Waits for it as long as it takes, since who starts
 * first must not matter.
 */
import { Backoff } from "../../base/backoff.ts";
import { type Clock, sleep, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { ANY_SYMBOL } from "./gateway_source.ts";
import { Peer } from "./peer.ts";
import { type Message, readMessage } from "./read_message.ts";

const ANSWER_MS = 10_000;
const RETRY = { first_ms: 200, max_ms: 5_000 };

export interface FindContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each attempt in vain. */
  onFailure(reason: string): void;
}

/** The names, sorted; empty only when `signal` aborted. */
export async function findVenues(url: string, context: FindContext): Promise<string[]> {
  const { clock, signal, onFailure } = context;
  const backoff = new Backoff(RETRY, new Random(url));
  while (!signal.aborted) {
    try {
      const venues = await ask(url, context);
      if (venues.length > 0) return venues;
      onFailure("it has no instruments yet");
    } catch (error) {
      onFailure(reasonOf(error));
    }
    await sleep(clock, backoff.next_ms(), signal);
  }
  return [];
}

async function ask(url: string, { clock, signal }: FindContext): Promise<string[]> {
  let peer: Peer | undefined;
  const stop = () => peer?.close("stopped");
  signal.addEventListener("abort", stop);
  const answered = new Promise<Message>((resolve, reject) => {
    peer = new Peer(url, ANSWER_MS, clock, {
      opened: () => peer!.request({ type: "subscribe", symbol: ANY_SYMBOL, channel: "status" }),
      text: (text) => {
        try {
          const message = readMessage(text);
          if (message.type === "subscribed") resolve(message);
          else if (message.type === "error") reject(new Error(String(message.message)));
        } catch (error) {
          reject(error);
        }
      },
      down: (reason) => reject(new Error(reason)),
    });
  });
  try {
    const { instruments } = await withDeadline(clock, ANSWER_MS, "ask for the instruments", answered);
    if (!Array.isArray(instruments)) throw new Error("its answer has no list of instruments");
    return [...new Set(instruments.map(({ venue }) => String(venue)))].sort();
  } finally {
    signal.removeEventListener("abort", stop);
    peer?.close("done");
  }
}
