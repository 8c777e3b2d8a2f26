/** The control messages of one connection and their answers; limits streams a connection. */
import type { Conversation, Line } from "../stage/dialect.ts";
import { errorText, parseControlMessage, resultText } from "./control_message.ts";
import type { BinanceDialect } from "./dialect.ts";
import type { BinanceItem } from "./item.ts";
import { BinanceStream, type FrameCache } from "./stream.ts";
import type { StreamPath } from "./stream_path.ts";

export class BinanceConversation implements Conversation {
  combined: boolean;

  constructor(
    readonly line: Line<BinanceItem>,
    readonly path: StreamPath,
    readonly dialect: BinanceDialect,
    readonly frames: FrameCache,
  ) {
    this.combined = path.combined;
  }
  /** What the path itself asks for. */
  begin(): void {
    this.#subscribe(this.path.streams);
  }
  receive(text: string): void {
    const { line, dialect } = this;
    const message = parseControlMessage(text);
    switch (message.method) {
      case "ERROR":
        return line.answer(errorText(message));
      case "SUBSCRIBE": {
        const { subscriptions } = line;
        const added = message.streams.filter((one) => !subscriptions.has(one)).length;
        if (subscriptions.size + added > dialect.max_streams) {
          const reason = `Invalid request: too many streams, at most ${dialect.max_streams}`;
          return line.answer(errorText({ method: "ERROR", code: 2, reason, id: message.id }));
        }
        line.answer(resultText(null, message.id));
        return this.#subscribe(message.streams);
      }
      case "UNSUBSCRIBE":
        for (const stream of message.streams) line.unsubscribe(stream);
        return line.answer(resultText(null, message.id));
      case "LIST_SUBSCRIPTIONS":
        return line.answer(resultText([...line.subscriptions.keys()], message.id));
      case "SET_PROPERTY":
        this.combined = message.combined;
        return line.answer(resultText(null, message.id));
      case "GET_PROPERTY":
        return line.answer(resultText(this.combined, message.id));
    }
  }
  /** `{"e":"serverShutdown","E":…}` where the venue has that. */
  farewell(): string | undefined {
    if (!this.dialect.announces_shutdown) return undefined;
    const event = `{"e":"serverShutdown","E":${this.line.now_ms()}}`;
    return this.combined ? `{"stream":"!serverShutdown","data":${event}}` : event;
  }
  #subscribe(streams: readonly string[]): void {
    const { line, path, dialect, frames } = this;
    for (const name of streams) line.subscribe(new BinanceStream(name, path.route, this, dialect, frames));
  }
}
