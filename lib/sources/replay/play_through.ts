/**
 * Plays recordings through books to one receiver: what a gateway would publish, without the gateway. For tools that
 * read, convert or measure. Levels only: single orders are for servers.
 */
import { Books } from "../../flow/books.ts";
import type { MarketUpdate } from "../../market/update.ts";
import type { SourceContext } from "../source.ts";
import type { Replay } from "./open_replay.ts";
import type { ReplayPart } from "./replay_part.ts";

export interface PlayedUpdates {
  publish(update: MarketUpdate): void;
  /** After each batch. */
  flush?(): void;
}

/** Resolves when all is played, or `signal` aborts. */
export async function playThrough(
  { parts }: Replay,
  context: SourceContext,
  receiver: PlayedUpdates,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(parts.map((part) => playPart(part, context, receiver, signal)));
}

async function playPart(
  part: ReplayPart,
  { log, metrics }: SourceContext,
  receiver: PlayedUpdates,
  signal: AbortSignal,
): Promise<void> {
  const books = new Books(part.venue, part.sequence, {
    clock: part.clock,
    log,
    metrics,
    publish: (update) => update.kind === "orders" ? undefined : receiver.publish(update),
    requestSnapshot() {},
    can_refresh: part.can_refresh,
  }, true);
  const batches = part.batches(signal, {
    interrupted: (symbols, reason, at_us) => books.interrupted(symbols, reason, at_us),
    tradesInterrupted: (symbols) => books.tradesInterrupted(symbols),
  });
  for await (const batch of batches) {
    books.process(batch);
    receiver.flush?.();
  }
}
