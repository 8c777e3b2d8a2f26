/** Everything that a gateway publishes, as bytes in order: books of 50 levels, trades, all else as JSON. */
import { createHash } from "node:crypto";
import type { Receiver } from "../../lib/flow/hub.ts";
import { bookPayload, tradePayload } from "../../lib/flow/json_payload.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";

const LEVELS = 50;

export class WrittenUpdates implements Receiver {
  readonly name = "written";
  readonly #hash = createHash("sha256");
  /** The first lines, to see where two runs part. */
  readonly lines: string[] = [];
  count = 0;
  readonly kinds: Record<string, number> = {};

  constructor(readonly kept_lines = 200_000) {}

  offer(update: MarketUpdate): void {
    const line = `${update.received_us} ${lineOf(update)}`;
    this.#hash.update(line + "\n");
    this.count++;
    this.kinds[update.kind] = (this.kinds[update.kind] ?? 0) + 1;
    if (this.lines.length < this.kept_lines) this.lines.push(line);
  }
  digest(): string {
    return this.#hash.copy().digest("hex");
  }
}

function lineOf(update: MarketUpdate): string {
  if (update.kind === "book") return `${update.sequence} ${bookPayload(update, LEVELS)}`;
  return update.kind === "trade" ? tradePayload(update) : JSON.stringify(update);
}
