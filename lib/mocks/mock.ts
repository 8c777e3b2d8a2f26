/**
 * The contract of a mock venue: it speaks one venue's own protocol (WebSocket and REST on one port) from a capture or a
 * generator, and injects faults on request, seeded so that a run can be repeated.
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Channel } from "../market/event.ts";

/** What each does and how often by default: fault_spec.ts. */
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

/** Faults that have no place where snapshots come inside the stream, or not at all. */
export const REST_FAULTS: readonly Fault[] = ["late-snapshot", "429"];
export const STREAM_FAULTS: readonly Fault[] = FAULTS.filter((fault) => !REST_FAULTS.includes(fault));

/** A fault with its probability in (0, 1], per opportunity (a delivered frame, a REST request, a subscription). */
export interface FaultSpec {
  name: Fault;
  rate: number;
}

export interface MockOptions {
  /** HOST:PORT; port 0 picks a free one. */
  listen: string;
  /** Lines of `<local ns> <raw frame>`, plain or gzip. Absent: a generated market. */
  capture?: string;
  /** Empty: every symbol of the capture, or the generator's default pair. */
  symbols: readonly string[];
  /** Market seconds per second; Infinity: as fast as the client reads. */
  speed: number;
  /** A bare name has its default rate. */
  faults: readonly (Fault | FaultSpec)[];
  seed: string;
  /** Share of a capture after which no fault is injected and standing ones are lifted; default 0.9. */
  fault_until?: number;
  /**
   * A capture waits this long, from the first depth subscription, for the other routes' first ones; a generated market
   * that ends waits this long from the last subscription; default 500.
   */
  start_delay_ms?: number;
  /** Generator: time between diffs of a symbol; default 100. */
  interval_ms?: number;
  /** Generator: order actions a second and symbol; default 20. */
  rate_per_s?: number;
  /** Generator: the market is over after this much of its own time, and waits for a subscriber first; default: never. */
  duration_ms?: number;
}

/** A price and the quantity there, in the venue's own digits. */
export type Level = readonly [price: string, quantity: string];

/** What the venue knows of one symbol now: what a right client must come to know too. */
export interface MarketState {
  /** The id that a snapshot would carry now. */
  last_id: number;
  /** Best first; empty where the venue sells no books. */
  bids: readonly Level[];
  asks: readonly Level[];
  /** The best prices as last announced; absent: none yet. */
  quote?: { bid: Level; ask: Level };
  /** The last price that the statistics tell; absent: none told yet. */
  last_price?: string;
  /** Trades announced so far; absent: not counted (recordings). */
  trades?: number;
}

/** What was served and injected so far. */
export interface MockStats {
  venue: string;
  /** Capture lines (or generated events) served. */
  position: number;
  /** Lines in all; absent for a generated market. */
  total?: number;
  started: boolean;
  finished: boolean;
  clients: number;
  connections_accepted: number;
  frames_sent: number;
  rest_requests: number;
  /** Clients cut because they did not read. */
  slow_clients_cut: number;
  /** Breaks in the capture's own id chains. */
  capture_gaps: number;
  injected: Record<Fault, number>;
  /** Per symbol, the id that a depth request would answer with now. */
  last_update_ids: Record<string, number>;
}

export interface MockVenue extends AsyncDisposable {
  readonly ws_url: string;
  readonly rest_url: string;
  readonly symbols: readonly string[];
  /** Resolves when a finite capture was served to its end; never for a generated market. */
  readonly finished: Promise<void>;
  stats(): MockStats;
  /** Undefined for a symbol that is not served. */
  state(symbol: string): MarketState | undefined;
}

/** What a mock file exports under the venue's registry name. */
export interface MockKind {
  readonly name: string;
  readonly summary: string;
  /** What can go wrong at this venue; others are refused. */
  readonly faults: readonly Fault[];
  /** What it sends. */
  readonly channels: readonly Channel[];
  /** A trade has an id by which its repetition can be told. */
  readonly trades_have_ids: boolean;
  open(options: MockOptions, world: { clock: Clock; log: Log; signal: AbortSignal }): Promise<MockVenue>;
}
