/**
 * One event under one stream name, in both framings, each built at most once and shared by all clients.
 * Combined: `{"stream":"<name>","data":{…}}`; raw: the bare event.
 */
import type { Buffer } from "node:buffer";
import { textFrame } from "./text_frame.ts";

export class StreamFrame {
  #combined: Buffer | undefined;
  #raw: Buffer | undefined;

  constructor(readonly stream: string, readonly data: string) {}

  text(combined: boolean): string {
    return combined ? `{"stream":${JSON.stringify(this.stream)},"data":${this.data}}` : this.data;
  }
  /** WebSocket frame bytes; not to be written to. */
  bytes(combined: boolean): Buffer {
    if (combined) return this.#combined ??= textFrame(this.text(true));
    return this.#raw ??= textFrame(this.data);
  }
}
