/**
 * One topic of one instrument as its frames are made: who wants it in which encoding, and where frames go. A maker exists
 * only while somebody wants it; each frame is encoded once per encoding, however many clients and workers get it.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { EdgeInbox } from "../market_words.ts";
import { type Format, streamOf } from "../stream_key.ts";
import type { Encoding, Head, MessageType, TopicName } from "./encoding.ts";

/** What all makers of a server share. */
export interface MakerContext {
  readonly inbox: EdgeInbox;
  /** By format. */
  readonly encodings: readonly Encoding[];
}

/** One encoding of one topic that somebody wants. */
export interface Output {
  readonly stream: number;
  readonly encoding: Encoding;
  /** For the usual messages of the topic; `whole_head` for snapshots. */
  readonly head: Head;
  readonly whole_head: Head;
  /** Edges that want it. */
  wants: number;
  /** Somebody asked for the whole and could not have it yet. */
  owes_snapshot: boolean;
}

export abstract class Maker {
  /** Sequence of the last frame. */
  seq: number;
  readonly outputs: Output[] = [];

  constructor(readonly topic: TopicName, readonly context: MakerContext, first_seq: number) {
    this.seq = first_seq;
  }
  protected abstract readonly message_type: MessageType;
  protected readonly whole_type: MessageType = "snapshot";
  /** Tells a newcomer what is true now, where there is something. */
  protected abstract tellNow(output: Output): void;
  /** Sends the whole state of now, for who asked; only books have one. */
  tellSnapshot(_format: Format): void {}
  /** The book behind it left sync. */
  abstract onOutOfSync(): void;
  /** Ends timers. */
  stop(): void {}

  open(format: Format): void {
    let output = this.outputs.find((one) => one.encoding.format === format);
    if (output === undefined) {
      const encoding = this.context.encodings[format];
      output = {
        stream: streamOf(this.topic.handle, format),
        encoding,
        head: encoding.head(this.message_type, this.topic),
        whole_head: encoding.head(this.whole_type, this.topic),
        wants: 0,
        owes_snapshot: false,
      };
      this.outputs.push(output);
    }
    output.wants++;
    this.context.inbox.opened(output.stream, this.seq);
    this.tellNow(output);
  }
  /** The same again for one that lost its place. */
  retell(format: Format): void {
    const output = this.outputs.find((one) => one.encoding.format === format);
    if (output === undefined) return;
    this.context.inbox.opened(output.stream, this.seq);
    this.tellNow(output);
  }
  /** True when nobody wants it any more, in any encoding. */
  close(format: Format): boolean {
    const at = this.outputs.findIndex((one) => one.encoding.format === format);
    if (at >= 0 && --this.outputs[at].wants === 0) this.outputs.splice(at, 1);
    if (this.outputs.length > 0) return false;
    this.stop();
    return true;
  }
  protected emit(encode: (output: Output) => Frame, flags = 0): void {
    for (const output of this.outputs) {
      this.context.inbox.frame(output.stream, this.seq, flags, encode(output));
    }
  }
  protected hold(): void {
    for (const output of this.outputs) this.context.inbox.hold(output.stream);
  }
}
