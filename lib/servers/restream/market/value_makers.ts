/**
 * The makers besides the book: trades and candles, every one in order; best bid and offer and ticker, where only the newest
 * counts and an interval may hold it back. Encoded only while somebody wants them.
 */
import type { Candle, Trade } from "../../../market/event.ts";
import { timestampMs } from "../../../market/update.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";
import { MERGEABLE } from "../market_words.ts";
import type { MessageType, TopicName } from "./encoding.ts";
import { Maker, type MakerContext, type Output } from "./maker.ts";
import type { Pace } from "./pace.ts";

export class TradesMaker extends Maker {
  protected readonly message_type: MessageType = "trade";
  protected override tellNow(): void {}
  onOutOfSync(): void {}
  onTrade(trade: Trade): void {
    this.seq++;
    this.emit(({ encoding, head }) => encoding.trade(head, this.seq, trade));
  }
}

export class CandlesMaker extends Maker {
  protected readonly message_type: MessageType = "candle";
  protected override tellNow(): void {}
  onOutOfSync(): void {}
  onCandle(candle: Candle): void {
    this.seq++;
    const timestamp = Math.floor(timestampMs(candle));
    const flags = candle.closed ? 0 : MERGEABLE;
    this.emit(({ encoding, head }) => encoding.candle(head, this.seq, candle, timestamp), flags);
  }
}

/** Best bid and offer, or ticker: `encode` turns the value of now into a frame, undefined while there is none. */
export class LatestMaker extends Maker {
  protected readonly message_type: MessageType;

  constructor(
    topic: TopicName & { readonly channel: "bbo" | "ticker" },
    context: MakerContext,
    first_seq: number,
    readonly encode: (output: Output, seq: number) => Frame | undefined,
    readonly pace?: Pace,
  ) {
    super(topic, context, first_seq);
    this.message_type = topic.channel;
  }
  override stop(): void {
    this.pace?.stop();
  }
  protected override tellNow(output: Output): void {
    const frame = this.encode(output, this.seq);
    if (frame) this.context.inbox.frame(output.stream, this.seq, MERGEABLE, frame);
  }
  /** The value changed. */
  onValue(): void {
    if (this.pace) this.pace.request(() => this.#tell());
    else this.#tell();
  }
  /** The last value is no longer true; newcomers wait for the next. */
  onOutOfSync(): void {
    this.pace?.forget();
    this.hold();
  }
  #tell(): void {
    const seq = this.seq + 1;
    for (const output of this.outputs) {
      const frame = this.encode(output, seq);
      if (frame === undefined) return;
      this.seq = seq;
      this.context.inbox.frame(output.stream, seq, MERGEABLE, frame);
    }
  }
}
