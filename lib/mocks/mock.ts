/**
 * The contract of a mock venue: it speaks one venue's own protocol (WebSocket and REST on one port) from a capture or a
 * generator, and injects faults on request, seeded so that a run can be repeated.
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";

/** Each may be given a probability or count, see the mock's docs. */
export const FAULTS = [
  "drop",
  "duplicate",
  "reorder",
  "delay",
  "disconnect",
  "corrupt",
  "stall",
  "late-snapshot",
  "429",
  "lying-ack",
] as const;
export type Fault = typeof FAULTS[number];

export interface MockOptions {
  /** HOST:PORT; port 0 picks a free one. */
  listen: string;
  /** Lines of `<local ns> <raw frame>`, plain or gzip. Absent: a generated market. */
  capture?: string;
  symbols: readonly string[];
  /** Market seconds per second; Infinity: as fast as the client reads. */
  speed: number;
  faults: readonly Fault[];
  seed: string;
}

export interface MockVenue extends AsyncDisposable {
  readonly ws_url: string;
  readonly rest_url: string;
  /** Resolves when a finite capture was served to its end. */
  readonly finished: Promise<void>;
  /** What was injected and sent, for the report. */
  stats(): Readonly<Record<string, number>>;
}

/** What a mock file exports under the venue's registry name. */
export interface MockKind {
  readonly name: string;
  readonly summary: string;
  open(options: MockOptions, world: { clock: Clock; log: Log; signal: AbortSignal }): Promise<MockVenue>;
}
