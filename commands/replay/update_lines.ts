/** Updates as NDJSON: who and when, then the payload as sinks write it. Gathered, so that stdout is written in pieces. */
import { bookPayload, tradePayload } from "../../lib/flow/json_payload.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";

const CHUNK_CHARACTERS = 64 * 1024;

export class UpdateLines {
  #text = "";
  count = 0;

  constructor(readonly depth: number, readonly write: (text: string) => Promise<void>) {}

  publish(update: MarketUpdate): void {
    this.count++;
    const { kind, venue, received_us } = update;
    this.#text += `{"kind":"${kind}","venue":"${venue}","received_us":${received_us},"payload":${
      this.#payload(update)
    }}\n`;
  }
  /** A promise when there is enough to be written. */
  throttle(): Promise<void> | undefined {
    return this.#text.length >= CHUNK_CHARACTERS ? this.flush() : undefined;
  }
  close(): Promise<void> {
    return this.flush();
  }
  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text !== "") await this.write(text);
  }
  #payload(update: MarketUpdate): string {
    if (update.kind === "book") return bookPayload(update, this.depth);
    return update.kind === "trade" ? tradePayload(update) : JSON.stringify(update);
  }
}
