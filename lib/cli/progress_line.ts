/**
 * One line on a terminal that tells how far long work is, drawn over itself and wiped at the end. Work that is done within
 * half a second shows nothing; off a terminal nothing is shown at all.
 */
import type { Clock } from "../base/clock.ts";

const QUIET_MS = 500;
const REDRAW_MS = 100;

export interface ProgressOptions {
  verb: string;
  total_bytes: number;
  clock: Clock;
  is_terminal: boolean;
  stderr(text: string): void;
}

export class ProgressLine {
  #done_bytes = 0;
  #drawn_ms: number;
  #is_drawn = false;
  readonly #started_ms: number;

  constructor(readonly options: ProgressOptions) {
    this.#started_ms = options.clock.monotonic_ms();
    this.#drawn_ms = this.#started_ms + QUIET_MS - REDRAW_MS;
  }

  add(bytes: number): void {
    this.#done_bytes += bytes;
    const { clock, is_terminal, stderr } = this.options;
    if (!is_terminal) return;
    const now_ms = clock.monotonic_ms();
    if (now_ms - this.#drawn_ms < REDRAW_MS) return;
    this.#drawn_ms = now_ms;
    this.#is_drawn = true;
    stderr(`\r${this.#text(now_ms)}\u001b[K`);
  }

  /** Wipes the line. */
  end(): void {
    if (this.#is_drawn) this.options.stderr("\r\u001b[K");
    this.#is_drawn = false;
  }

  #text(now_ms: number): string {
    const { verb, total_bytes } = this.options;
    const seconds = (now_ms - this.#started_ms) / 1000;
    const speed = this.#done_bytes / seconds;
    const percent = total_bytes > 0 ? Math.min(100, Math.floor(this.#done_bytes / total_bytes * 100)) : 100;
    const left_s = speed > 0 ? Math.ceil(Math.max(0, total_bytes - this.#done_bytes) / speed) : 0;
    return `${verb} ${percent} % of ${byteText(total_bytes)}, ${byteText(speed)}/s, ${left_s} s left`;
  }
}

/** `3.4 MB`: decimal units, as disks are sold. */
export function byteText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let power = 0;
  let value = bytes;
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000;
    power++;
  }
  return power === 0 ? `${Math.round(value)} bytes` : `${value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`;
}
