/**
 * What a live source tells whoever listens to it, beside the frames that its connections tell; silent when nobody does.
 */
import type { SourceTap, TappedAnswer, TappedNotice, TappedSource } from "../../flow/frame_tap.ts";
import type { SourceContext } from "../source.ts";

export class LiveTap {
  /** For the connections. */
  readonly frames: SourceTap | undefined;
  #overlapped = false;

  /** `source`'s symbols are read whenever they are told. */
  constructor(readonly context: SourceContext, readonly source: TappedSource) {
    this.frames = context.tap?.source(source);
  }
  /** The moment it was noticed at, Unix epoch, microseconds. */
  noticed(notice: TappedNotice, at_us = this.context.clock.now_us()): number {
    this.frames?.noticed(notice, at_us);
    return at_us;
  }
  /** The overlap is looked at now. Said only where that can change anything. */
  overlapTick(overlaps: boolean): void {
    if (overlaps || this.#overlapped || this.source.legs > 1) {
      this.noticed({ mark: "overlap_tick", overlaps });
    }
    this.#overlapped = overlaps;
  }
  get answered(): ((answer: TappedAnswer, received_us: number) => void) | undefined {
    return this.frames?.answered.bind(this.frames);
  }
  taken(): void {
    this.frames?.taken(this.context.clock.now_us());
  }
  settled(): void {
    this.frames?.settled(this.context.clock.now_us());
  }
}
