/**
 * What makers of books have in common: a whole state, asked for at any time, and deltas that follow it by one. Nothing
 * leaves while the book is out of sync; who asks for the whole while it can't be shown gets it with the next update.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { Format } from "../stream_key.ts";
import { Maker, type Output } from "./maker.ts";
import type { Pace } from "./pace.ts";

export abstract class WholeMaker extends Maker {
  /** What was told is true, but for what comes with the next update. */
  protected in_sync = false;
  /** Absent: every update is told. */
  readonly pace?: Pace;

  override stop(): void {
    this.pace?.stop();
  }
  override tellSnapshot(format: Format): void {
    const output = this.outputs.find((one) => one.encoding.format === format);
    if (output === undefined) return;
    if (!this.in_sync) this.in_sync = this.adopt();
    output.owes_snapshot = true;
    if (this.in_sync) this.#sendWhole(output);
  }
  protected override tellNow(output: Output): void {
    this.tellSnapshot(output.encoding.format);
  }
  onOutOfSync(): void {
    this.pace?.forget();
    this.in_sync = false;
    this.hold();
  }

  /** A maker born while the book is live starts from what was last published. False: it can't be shown now. */
  protected abstract adopt(): boolean;
  /** The book as last told; undefined while it may not be shown. */
  protected abstract whole(output: Output): Frame | undefined;

  protected emitWhole(): void {
    for (const output of this.outputs) this.#sendWhole(output);
  }
  protected payDebts(): void {
    for (const output of this.outputs) if (output.owes_snapshot) this.#sendWhole(output);
  }
  #sendWhole(output: Output): void {
    const frame = this.whole(output);
    if (frame === undefined) return;
    output.owes_snapshot = false;
    this.context.inbox.snapshot(output.stream, this.seq, frame);
  }
}
